"""Calls as they would have been recorded, without a recording."""

from typing import Any

import yaml

from policy.actions.decoding import decode
from policy.actions.knowledge import KnownObjects
from policy.engine import Engine
from policy.history.inputs import Hidden, Input, Recorded, RecordedCall
from policy.model import Agent, Family, SessionId, TargetName, TargetTraits, WireRequest
from policy.rules.schema import PolicyDocument

TARGETS = {
    TargetName("crm"): TargetTraits(name=TargetName("crm"), family=Family.HTTP),
    TargetName("main"): TargetTraits(name=TargetName("main"), family=Family.KUBERNETES),
}
AGENT = Agent(issuer="corp", subject="planner-1", groups=("planners",), session=SessionId("s1"))
JSON = (("Content-Type", "application/json"),)
AT = 1_790_000_000.0


def engine(rules: str, targets: dict[TargetName, TargetTraits] | None = None) -> Engine:
    """An engine for the rules of one document."""
    document = {
        "apiVersion": "gatehold.dev/v1",
        "kind": "Policy",
        "metadata": {"name": "p"},
        "rules": yaml.safe_load(rules),
    }
    return Engine.compile([PolicyDocument.model_validate(document)], TARGETS if targets is None else targets)


def call(
    path: str = "/customers/7",
    *,
    method: str = "GET",
    target: str = "crm",
    body: bytes | None = b"",
    headers: tuple[tuple[str, str], ...] = (),
    agent: Agent = AGENT,
    hidden: Hidden | None = None,
    known: KnownObjects | None = None,
    verdict: str = "allow",
    code: str = "allowed",
    revision: str = "another",
    decision: str = "dec_1",
    time: float = AT,
    **more: Any,
) -> RecordedCall:
    """One recorded call."""
    noted = Input(
        at=time,
        groups=agent.groups,
        claims=agent.claims,
        known=known or KnownObjects(),
        hidden=hidden or {},
        body="gone" if body is None else "kept",
    )
    return RecordedCall(
        **{
            "decision": decision,
            "agent": agent,
            "target": TargetName(target),
            "request": WireRequest(method=method, path=path, headers=headers, body=body),
            "input": noted,
            "recorded": Recorded(verdict=verdict, code=code, revision=revision),
            "time": time,
        }
        | more
    )


def answered(judged_by: Engine, one: RecordedCall) -> str:
    """The verdict about a call in clear."""
    from datetime import UTC, datetime

    action = decode(judged_by.targets[one.target], one.request)
    return judged_by.decide(one.agent, one.target, action, now=datetime.fromtimestamp(one.time, UTC)).verdict.value
