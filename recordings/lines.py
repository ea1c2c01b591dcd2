"""One line of the journal: how it is written, and how it is read back in a microsecond.

A line is canonical JSON: ASCII, keys sorted, no spaces, no floats of doubtful form. Its keys::

    chain     id of the chain, the same in every line
    decision  id of the call's decision, where there is one
    event     the event itself, an OCSF object
    flow      {file, length, offset, sha256}: where the call's bytes stand in a flow file
    kind      what the event is to us: intent, outcome, refusal, ...
    prev      SHA-256 of the predecessor's bytes (without its line feed); 64 zeros for the first of a chain
    seq       1, 2, 3, ... without a gap
    session   the agent's session, where there is one
    time      when the line was written, milliseconds of Unix time
    xsum      the first 16 hex digits of SHA-256 over the line up to here

``prev`` makes every line vouch for all before it; ``xsum`` lets a changed byte be found in the last one too. Neither
stops somebody who recomputes both: that is what the signed checkpoints are for.

The sorted order is a gift: what a verifier needs stands at both ends of the line, outside the event, where no content
of the event can imitate it (inside JSON strings quotes are escaped, inside objects one more brace follows).
"""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from json.encoder import encode_basestring_ascii
from typing import Any, Final, NamedTuple

import msgspec

GENESIS: Final = "0" * 64
"""``prev`` of a chain's first line."""
_XSUM: Final = len(b',"xsum":"0123456789abcdef"}')

canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True).encode
"""Canonical JSON as text; ``ValueError`` or ``TypeError`` for what has no JSON form."""
_quoted: Final = encode_basestring_ascii
"""The same for a text alone."""
_quick: Final = msgspec.json.Encoder(order="deterministic").encode


def canonical_bytes(value: Mapping[str, Any]) -> bytes:
    """The same as bytes, five times as fast for what most events are made of: ASCII without characters to escape.

    Floats have their shortest form in either, but not always the same one.
    """
    try:
        encoded = _quick(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return canonical(value).encode("ascii")
    if encoded.isascii() and b"\\" not in encoded and b"null" not in encoded:  # what is no number becomes null
        return encoded
    return canonical(value).encode("ascii")


class FlowRef(NamedTuple):
    """Where the bytes of one flow stand. (A tuple, as the others here: verifying makes a million of them.)"""

    file: str
    """Path below the data directory, with forward slashes."""
    length: int
    offset: int
    sha256: str


class Entry(NamedTuple):
    """What a line says, before it has a place in a chain."""

    kind: str
    body: bytes
    """The event, canonical JSON."""
    decision: str = ""
    session: str = ""
    flow: FlowRef | None = None


class Line(NamedTuple):
    """One line that was read back and whose own sum is right."""

    chain: str
    seq: int
    prev: str
    kind: str
    digest: str
    """SHA-256 of the line's bytes."""
    decision: str
    session: str
    flow: FlowRef | None
    time: int
    """Milliseconds."""
    raw: bytes

    def event(self) -> dict[str, Any]:
        """The OCSF object."""
        event: dict[str, Any] = json.loads(self.raw)["event"]
        return event


def compose(entry: Entry, *, chain: str, seq: int, prev: str, time: int) -> tuple[bytes, str]:
    """The line with its line feed, and its SHA-256."""
    decision = f',"decision":{_quoted(entry.decision)}' if entry.decision else ""
    session = f',"session":{_quoted(entry.session)}' if entry.session else ""
    flow = _flow(entry.flow) if entry.flow else ""
    line = (
        f'{{"chain":{_quoted(chain)}{decision},"event":{entry.body.decode("ascii")}{flow}'
        f',"kind":"{entry.kind}","prev":"{prev}","seq":{seq}{session},"time":{time}'
    ).encode("ascii")
    digest = sha256(line)
    tail = b',"xsum":"%b"}' % digest.hexdigest()[:16].encode()
    digest.update(tail)
    return b"%b%b\n" % (line, tail), digest.hexdigest()


def _flow(flow: FlowRef) -> str:
    place = f'"length":{flow.length},"offset":{flow.offset},"sha256":"{flow.sha256}"'
    return f',"flow":{{"file":{_quoted(flow.file)},{place}}}'


_STRING: Final = rb'"([^"\\]*(?:\\.[^"\\]*)*)"'
_HEAD: Final = re.compile(rb'\{"chain":"([0-9A-Za-z-]+)",(?:"decision":' + _STRING + rb',)?"event":\{')
_TAIL: Final = re.compile(
    rb'(?:,"flow":\{"file":' + _STRING + rb',"length":(\d{1,18}),"offset":(\d{1,18}),"sha256":"([0-9a-f]{64})"\})?'
    rb',"kind":"([a-z-]+)","prev":"([0-9a-f]{64})","seq":(\d{1,18})(?:,"session":' + _STRING + rb")?"
    rb',"time":(\d{1,18}),"xsum":"([0-9a-f]{16})"\}'
)
_ENDED: Final = re.compile(rb',"time":\d+,"xsum":"[0-9a-f]{16}"\}.', re.DOTALL)


def parse(raw: bytes) -> Line | None:
    """Read a line (without its line feed); None where it is none, or where its own sum is wrong."""
    head, tail = _HEAD.match(raw), _tail(raw)
    if head is None or tail is None:
        return None
    digest = sha256(raw[:-_XSUM])
    file, length, offset, flow_digest, kind, prev, seq, session, time, xsum = tail.groups()
    if digest.hexdigest()[:16].encode() != xsum:
        return None
    digest.update(raw[-_XSUM:])
    flow = None
    if file is not None:
        flow = FlowRef(file=_text(file), length=int(length), offset=int(offset), sha256=flow_digest.decode())
    return Line(
        chain=head[1].decode(),
        seq=int(seq),
        prev=prev.decode(),
        kind=kind.decode(),
        digest=digest.hexdigest(),
        decision=_text(head[2]),
        session=_text(session),
        flow=flow,
        time=int(time),
        raw=raw,
    )


def could_be_torn(fragment: bytes) -> bool:
    """Can these last bytes of a file be the beginning of a line that a crash cut off?

    No, where a whole line stands in them and something follows: a line and its line feed are one write.
    """
    return _ENDED.search(fragment) is None


def _tail(raw: bytes) -> re.Match[bytes] | None:
    """The part after the event. A flow of the line itself ends where ``kind`` begins; one inside the event cannot."""
    kind = raw.rfind(b',"kind":"')
    flow = raw.rfind(b',"flow":{"file":', 0, kind) if kind > 0 else -1
    return (_TAIL.fullmatch(raw, flow) if flow > 0 else None) or (_TAIL.fullmatch(raw, kind) if kind > 0 else None)


def _text(quoted: bytes | None) -> str:
    if not quoted:
        return ""
    return quoted.decode("ascii") if b"\\" not in quoted else str(json.loads(b'"%b"' % quoted))
