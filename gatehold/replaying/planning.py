"""Which recorded calls can be made again, and as what request. Pure.

What was masked is gone, so a call with anything masked in it would be another call: it is left out. So are writes,
unless they are asked for, and what has no single answer: terminals, WebSockets, watches. A write that did not pass then
is never made: nobody saw what it does, and one that waited for an approval came again when it had it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from policy.actions.decoding import Action, decode
from policy.actions.kubernetes import KubernetesAction
from policy.actions.requestinfo import truth
from policy.errors import Refusal
from policy.history.inputs import RecordedCall
from policy.model import TargetTraits
from recordings.flow_parts import CREDENTIAL_HEADERS, HIDDEN

type Fields = tuple[tuple[bytes, bytes], ...]

_OWN: Final = frozenset(
    {
        *("host", "content-length", "content-encoding", "transfer-encoding", "connection", "keep-alive", "te"),
        *("trailer", "upgrade", "expect", "proxy-connection", "accept-encoding", "x-amz-date", "x-amz-content-sha256"),
    }
)
"""Header fields of a message or a connection, which the new call has its own of."""
_OURS: Final = "gatehold-"
_ENDLESS: Final = ("watch", "follow")


class Skip(StrEnum):
    """Why a call is not made again."""

    OTHER_TARGET = "it was to another target"
    UNKNOWN = "it was recorded without saying what of it is masked"
    MASKED = "its request was masked"
    RESTORED = "values were put back in it, which only its session could have"
    NO_BODY = "its body was not kept"
    MALFORMED = "it was malformed"
    STREAM = "it is a terminal, a WebSocket or a stream without an end"
    WRITE = "it is a write"
    REFUSED = "it is a write that did not pass then"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A request to be made."""

    method: str
    path: str = field(repr=False)
    """Origin form with query."""
    headers: Fields = field(repr=False)
    body: bytes = field(repr=False)
    is_write: bool = False


def plan(call: RecordedCall, traits: TargetTraits, *, include_writes: bool = False) -> Again | Skip:
    """The request that repeats ``call``, read as one to ``traits``; or why there is none."""
    if call.input is None:
        return Skip.UNKNOWN
    if any(_masked_parts(call)):
        return Skip.MASKED
    if call.input.body == "gone":
        return Skip.NO_BODY
    try:
        action = decode(traits, call.request)
    except Refusal:
        return Skip.MALFORMED
    if _has_no_end(call, action):
        return Skip.STREAM
    if action.is_write and not include_writes:
        return Skip.WRITE
    if action.is_write and not call.passed:
        return Skip.REFUSED
    return Again(
        method=call.request.method,
        path=call.request.path,
        headers=tuple(_headers(call)),
        body=call.request.body or b"",
        is_write=action.is_write,
    )


def _masked_parts(call: RecordedCall) -> Iterator[str]:
    """Parts of the request that are not as they were sent, but for what a new call has its own of."""
    hidden = call.input.hidden if call.input else {}
    yield from (part for part in ("path", "query", "body") if hidden.get(part))
    yield from ("headers" for place in hidden.get("headers", ()) if not place or not _is_own(place[0]))


def _is_own(name: str) -> bool:
    lower = name.lower().replace("_", "-")
    return lower in _OWN or lower.startswith(_OURS) or lower.encode("utf-8", "surrogateescape") in CREDENTIAL_HEADERS


def _has_no_end(call: RecordedCall, action: Action) -> bool:
    if any(name.lower() == "upgrade" for name, _ in call.request.headers):
        return True
    if any("text/event-stream" in value for name, value in call.request.headers if name.lower() == "accept"):
        return True
    if not isinstance(action, KubernetesAction):
        return False
    return bool(action.upgrade) or action.verb == "watch" or any(truth(action.parameters, name) for name in _ENDLESS)


def _headers(call: RecordedCall) -> Iterator[tuple[bytes, bytes]]:
    for name, value in call.request.headers:
        field_value = value.encode("utf-8", "surrogateescape")
        if not _is_own(name) and field_value != HIDDEN:
            yield name.encode("utf-8", "surrogateescape"), field_value
    yield b"Accept-Encoding", b"identity"
