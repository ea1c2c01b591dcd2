"""What the policy says of calls that nobody made: for ``gatehold policy explain`` and the console."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from gatehold.config import Configuration
from policy.actions.decoding import decode
from policy.codes import Code
from policy.errors import Refusal
from policy.explain import decision_to_json, explain, obligations_to_json
from policy.model import Agent, Obligations, TargetName, Verdict, WireRequest

NEUTRAL = "explain"
"""The agent's subject where none is given."""


class InvalidCallError(Exception):
    """A call that is not described as it must be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HypotheticalCall:
    """Who would call, and how the request would look on the wire."""

    agent: Agent
    target: TargetName
    request: WireRequest


def only_issuer(configuration: Configuration) -> str:
    """The name of the issuer where there is only one; else empty."""
    issuers = configuration.gateway.spec.identity.issuers
    return issuers[0].name if len(issuers) == 1 else ""


class Explainer:
    """Answers with one configuration, at one moment."""

    def __init__(self, configuration: Configuration, *, issuer: str | None) -> None:
        self._configuration = configuration
        self._engine = configuration.engine
        self._issuer = only_issuer(configuration) if issuer is None else issuer
        self._now = datetime.now(UTC)

    def agent(
        self,
        subject: str | None,
        groups: Sequence[str],
        *,
        claims: Mapping[str, Any] | None = None,
        issuer: str | None = None,
    ) -> Agent:
        """The caller; what is not given is neutral."""
        return Agent(
            issuer=issuer or self._issuer,
            subject=subject or NEUTRAL,
            groups=tuple(sorted(set(groups))),
            claims=claims or {},
        )

    def call(  # noqa: PLR0913 (the parts of a request)
        self,
        target: str,
        method: str,
        path: str,
        *,
        agent: Agent,
        headers: Sequence[str] = (),
        body: bytes = b"",
        media_type: str | None = None,
    ) -> HypotheticalCall:
        """A call with headers as ``Name: value``; ``media_type`` of the body where no header states one.

        Raises ``InvalidCallError``.
        """
        fields = [_header(text) for text in headers]
        fields += _content_type(fields, media_type)
        request = WireRequest(method=method, path=path, headers=tuple(fields), body=body)
        return HypotheticalCall(agent=agent, target=TargetName(target), request=request)

    def row(self, row: Any) -> HypotheticalCall:
        """A call as one line of a batch describes it. Raises ``InvalidCallError``."""
        if not isinstance(row, dict):
            raise InvalidCallError("not a JSON object")
        target, method, path = (_text(row, key) for key in ("target", "method", "path"))
        given, body = row.get("headers") or {}, row.get("body")
        if not isinstance(given, dict):
            raise InvalidCallError("`headers` is not an object")
        fields = [(name, value) for name, values in given.items() for value in _values(name, values)]
        if body is not None and not isinstance(body, str):
            fields += _content_type(fields, "application/json")
            body = json.dumps(body)
        content = (body or "").encode("utf-8", "surrogatepass")
        groups, claims = _values("groups", row.get("groups") or []), row.get("claims") or {}
        if not isinstance(claims, dict):
            raise InvalidCallError("`claims` is not an object")
        subject, issuer = (_text(row, key, needed=False) for key in ("subject", "issuer"))
        agent = self.agent(subject, groups, claims=claims, issuer=issuer)
        request = WireRequest(method=method, path=path, headers=tuple(fields), body=content)
        return HypotheticalCall(agent=agent, target=TargetName(target), request=request)

    def explain(self, call: HypotheticalCall) -> dict[str, Any]:
        """The whole answer, with the trace."""
        try:
            action = decode(self._traits(call), call.request)
        except Refusal as refusal:
            return {**_refused(refusal), "trace": []}
        return explain(self._engine, call.agent, call.target, action, now=self._now).to_json()

    def decide(self, call: HypotheticalCall) -> dict[str, Any]:
        """The answer without the trace, which is much faster."""
        try:
            action = decode(self._traits(call), call.request)
        except Refusal as refusal:
            return _refused(refusal)
        decision = self._engine.decide(call.agent, call.target, action, now=self._now)
        return {**decision_to_json(decision), "action": action.facts()}

    def _traits(self, call: HypotheticalCall) -> Any:
        traits = self._configuration.traits.get(call.target)
        if traits is None:
            raise Refusal(Code.UNREGISTERED_TARGET)
        return traits


def _refused(refusal: Refusal) -> dict[str, Any]:
    """A call that policy does not get to see."""
    return {
        "verdict": Verdict.DENY,
        "code": refusal.code,
        "rule": None,
        "rules": [],
        "shadow": [],
        "reason": refusal.detail,
        "detail": refusal.reason,
        "obligations": obligations_to_json(Obligations()),
        "wanted": [],
        "action": {},
    }


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise InvalidCallError(f"header {text!r}: write it as 'Name: value'")
    return name.strip(), value.strip()


def _content_type(fields: Iterable[tuple[str, str]], media_type: str | None) -> list[tuple[str, str]]:
    """The header for a body whose type is known though nobody states it."""
    stated = any(name.lower() == "content-type" for name, _ in fields)
    return [] if stated or media_type is None else [("Content-Type", media_type)]


def _text(row: Mapping[str, Any], key: str, *, needed: bool = True) -> str:
    """A text of the row; empty where it is not there and not needed."""
    value = row.get(key)
    if value is None and not needed:
        return ""
    if not isinstance(value, str):
        raise InvalidCallError(f"`{key}` is {'missing' if value is None else 'not a text'}")
    return value


def _values(name: str, given: Any) -> list[str]:
    values = given if isinstance(given, list) else [given]
    if not all(isinstance(value, str) for value in values):
        raise InvalidCallError(f"`{name}` is not a text or a list of texts")
    return values
