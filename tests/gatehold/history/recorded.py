"""Flow files as a gateway writes them, without a gateway."""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mitmproxy import http
from mitmproxy.test import tflow

from gatehold.config import Configuration
from gatehold.history.noting import InputNotes, Kept
from gatehold.scrubbing import Scrubber
from masking.engine import MaskingEngine
from masking.profiles import resolve
from policy.actions.decoding import decode
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from policy.model import Agent, DecisionId, SessionId, TargetName, Verdict, WireRequest
from recordings.annotations import annotate
from recordings.events import Call
from recordings.flow_parts import scrub
from recordings.flows import RecordedMessage, encode_flow

AGENT = Agent(
    issuer="local",
    subject="planner-1",
    groups=("planners",),
    claims={"sub": "planner-1", "mail": "ada.lovelace@example.com"},
    session=SessionId("s1"),
)


class Camera:
    """Records calls under one configuration."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        engine = configuration.engine
        profiles = {name: engine.record_profiles(TargetName(name)) for name in configuration.targets}
        self.scrubber = Scrubber(MaskingEngine(resolve({})), profiles, frozenset({"authorization"}))
        self.notes = InputNotes(self.scrubber)
        self._count = 0

    def record(
        self,
        path: str,
        *,
        method: str = "GET",
        target: str = "crm",
        agent: Agent = AGENT,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes = b"",
        known: KnownObjects | None = None,
        at: float | None = None,
        answer: bytes = b"{}",
        **more: Any,
    ) -> bytes:
        """The record of one call; decided by the configuration's policy."""
        engine, there = self.configuration.engine, self.configuration.targets[target]
        wire = WireRequest(method=method, path=path, headers=tuple(headers), body=body)
        action = decode(there.traits, wire)
        if known is not None and isinstance(action, KubernetesAction):
            action = action.knowing(known)
        moment = time.time() if at is None else at
        decision = engine.decide(agent, there.name, action, now=datetime.fromtimestamp(moment, UTC))
        kept = Kept(
            path=self.scrubber.text(action.wire_path, there),
            headers=scrub(self.scrubber.headers(wire.headers, there)),
            body=self.scrubber.body(wire, there),
        )
        noted = self.notes.note(agent=agent, target=there, action=action, wire=wire, kept=kept, at=moment)
        self._count += 1
        call = Call(
            id=DecisionId(more.pop("decision", f"dec_{self._count}")),
            agent=agent,
            target=there.name,
            family=there.spec.family,
            scheme="https",
            host="host",
            port=443,
            method=method,
            path=kept.path,
            operation="",
            verb=method,
            client=("10.0.0.9", 40000),
            time=moment,
            judged=decision,
        )
        code = Code.ALLOWED if decision.verdict is not Verdict.DENY else decision.code
        remarks = annotate(call, code=code, judged_by=more.pop("noted", noted), **more)
        flow = tflow.tflow(resp=True)
        flow.request = http.Request.make(method, f"https://host{kept.path}")
        flow.timestamp_created = moment
        message = RecordedMessage(path=kept.path, headers=kept.headers, body=kept.body, decoded=True)
        return encode_flow(
            flow,
            request=message,
            response=RecordedMessage(body=answer),
            metadata=remarks.metadata,
            part=more.get("part", 1) or 1,
        )


def write(directory: Path, files: Mapping[str, Sequence[bytes]]) -> Path:
    """Flow files below the recordings of a data directory, which is returned."""
    for name, records in files.items():
        path = directory / "recordings" / "2026-01-31" / f"{name}.flow"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(records))
    return directory
