"""What a flow carries of its decision's input: masked, with the places where it is not what was judged.

The request itself stands in the flow. Here is the rest, and the comparison: whoever reads the record later must know
which words are the agent's and which are ours.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus

from gatehold.config import Target
from gatehold.scrubbing import Scrubber
from gatehold.secret_bodies import is_about_secrets
from policy.actions.decoding import Action
from policy.actions.jsontext import read_json
from policy.actions.knowledge import NOTHING_KNOWN, KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.actions.readings import Unreadable
from policy.history.differences import WHOLE, Pointers, differences
from policy.history.inputs import Input, dated
from policy.model import UNKNOWN, Agent, WireRequest

MAX_CLAIMS: Final = 16 * 1024
"""Bytes of claims as JSON; larger ones are left out."""
MAX_OBJECT: Final = 256 * 1024
"""Bytes of an object as JSON; a larger one is left out."""
_AGENTS: Final = 1024
_TEXTS: Final = 16
"""Of one agent and target."""

type Fields = Sequence[tuple[bytes, bytes]]


@dataclass(slots=True, kw_only=True)
class Kept:
    """What the record has of a request."""

    path: str = field(repr=False)
    headers: Fields = field(repr=False)
    """As many as were sent, in their order."""
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Caller:
    agent: Agent
    """Kept, so that its id is not given to another one."""
    claims: Mapping[str, Any] = field(repr=False)
    purpose: str = field(repr=False)
    hidden: Mapping[str, Pointers]
    texts: dict[tuple[Any, ...], str] = field(default_factory=dict, repr=False)
    """What was noted of calls for which nothing was looked up, without the time, by what differs between them."""


class InputNotes:
    """Notes the inputs of decisions; what is said of an agent is made once."""

    def __init__(self, scrubber: Scrubber) -> None:
        self.scrubber = scrubber
        self._callers: dict[tuple[int, str], _Caller] = {}

    def note(  # noqa: PLR0913 (the parts of a decision's input)
        self, *, agent: Agent, target: Target, action: Action, wire: WireRequest, kept: Kept, at: float
    ) -> str:
        """The input of one decision as text; ``at`` in Unix seconds."""
        caller = self._caller(agent, target)
        known = action.known if isinstance(action, KubernetesAction) else NOTHING_KNOWN
        hidden = _hidden_in_request(action.wire_path, wire, kept)
        encoding = ", ".join([value for name, value in wire.headers if name.lower() == "content-encoding"])
        if known != NOTHING_KNOWN:
            objects, hidden_objects = self._objects(known, wire, target)
            return dated(_undated(caller, wire, encoding, hidden | hidden_objects, KnownObjects(**objects)), at)
        key = (wire.body is None, encoding, *hidden.items())
        text = caller.texts.get(key)
        if text is None:
            if len(caller.texts) >= _TEXTS:
                caller.texts.clear()
            text = caller.texts[key] = _undated(caller, wire, encoding, hidden, NOTHING_KNOWN)
        return dated(text, at)

    def _caller(self, agent: Agent, target: Target) -> _Caller:
        key = (id(agent), target.name)
        known = self._callers.get(key)
        if known is None or known.agent is not agent:
            if len(self._callers) >= _AGENTS:
                self._callers.clear()
            known = self._callers[key] = self._described(agent, target)
        return known

    def _described(self, agent: Agent, target: Target) -> _Caller:
        claims, hidden = _bounded_claims(self.scrubber.facts(agent.claims, target)), dict[str, Pointers]()
        hidden["claims"] = differences(agent.claims, claims)
        purpose = self.scrubber.text(agent.purpose, target)
        hidden["purpose"] = () if purpose == agent.purpose else WHOLE
        return _Caller(agent=agent, claims=claims, purpose=purpose, hidden=hidden)

    def _objects(
        self, known: KnownObjects, wire: WireRequest, target: Target
    ) -> tuple[dict[str, Any], dict[str, Pointers]]:
        """The objects that were looked up, masked, and where; Secrets are left out."""
        found, hidden = dict[str, Any](), dict[str, Pointers]()
        for name in ("old", "new", "parent"):
            value = getattr(known, name)
            if value is UNKNOWN:
                continue
            found[name] = value if value is None else self._object(value, wire, target)
            hidden[name] = () if value is None else differences(value, found[name])
        return found, hidden

    def _object(self, value: dict[str, Any], wire: WireRequest, target: Target) -> dict[str, Any]:
        if is_about_secrets(wire.path):
            return {}
        masked = self.scrubber.masked_body(json.dumps(value).encode(), "application/json", target)
        try:
            document = json.loads(masked) if len(masked) <= MAX_OBJECT else {}
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}


def _undated(
    caller: _Caller, wire: WireRequest, encoding: str, hidden: Mapping[str, Pointers], known: KnownObjects
) -> str:
    noted = Input(
        at=0.0,
        groups=caller.agent.groups,
        claims=caller.claims,
        purpose=caller.purpose,
        body="gone" if wire.body is None else "kept",
        encoding=encoding,
        known=known,
        hidden={**caller.hidden, **hidden},
    )
    return noted.undated()


def _bounded_claims(claims: dict[str, Any]) -> dict[str, Any]:
    """The claims, or none where they are too many; claims come from JSON."""
    return claims if len(json.dumps(claims)) <= MAX_CLAIMS else {}


def _hidden_in_request(path: str, wire: WireRequest, kept: Kept) -> dict[str, Pointers]:
    hidden = {"headers": _changed_headers(wire, kept), "body": _changed_body(wire.body or b"", kept.body)}
    if kept.path != path:
        (judged, _, query), (recorded, _, masked) = path.partition("?"), kept.path.partition("?")
        hidden["path"] = _changed_segments(judged, recorded)
        hidden["query"] = _changed_parameters(query, masked)
    return {part: places for part, places in hidden.items() if places}


def _changed_segments(judged: str, recorded: str) -> Pointers:
    return differences(judged.split("/")[1:], recorded.split("/")[1:])


def _changed_parameters(judged: str, recorded: str) -> Pointers:
    """Names of parameters of which a value was changed."""
    before, after = judged.split("&"), recorded.split("&")
    if len(before) != len(after):
        return WHOLE
    names = [(one.partition("=")[0], other.partition("=")[0]) for one, other in zip(before, after, strict=True)]
    if any(one != other for one, other in names):
        return WHOLE
    changed = [one != other for one, other in zip(before, after, strict=True)]
    return tuple(dict.fromkeys((unquote_plus(name),) for (name, _), new in zip(names, changed, strict=True) if new))


def _changed_headers(wire: WireRequest, kept: Kept) -> Pointers:
    """Names of headers of which a value was changed; the length of a body is that of the record."""
    pairs = zip(wire.headers, kept.headers, strict=True)
    changed = {name.lower() for (name, value), (_, now) in pairs if value.encode("utf-8", "surrogateescape") != now}
    if len(wire.body or b"") != len(kept.body):
        changed.add("content-length")
    return tuple((name,) for name in sorted(changed))


def _changed_body(judged: bytes, recorded: bytes) -> Pointers:
    if judged == recorded:
        return ()
    try:
        return differences(read_json(judged), read_json(recorded)) or WHOLE
    except Unreadable:
        return WHOLE
