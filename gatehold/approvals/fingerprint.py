"""What exactly was approved, as one keyed hash.

Two calls have the same fingerprint only if they are the same call: every part that decides what the target does, and
every part that decided that a person is asked, goes in. A call that differs in one byte is another call and needs its
own approval. Two things keep that true:

1. Nothing is joined without saying where it ends: each part carries its length, each list its count, so that no two
   different calls are encoded alike.
2. What is left out is a fixed list: headers that clients change from try to try and that no target acts upon
   (``VOLATILE``), and two that are covered otherwise, Host by the target and Content-Length by the body.

Keyed (HMAC-SHA-256), so that whoever reads a fingerprint cannot try out which call it stands for.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gatehold.approvals.model import Fingerprint, RuleRef
from gatehold.keyfile import KeyFileError, key_file

__all__ = ["VOLATILE", "VOLATILE_PREFIX", "BoundCall", "KeyFileError", "approval_key", "fingerprint"]

VOLATILE: Final = frozenset(
    {
        b"accept-encoding",
        b"content-length",
        b"date",
        b"host",
        b"traceparent",
        b"tracestate",
        b"user-agent",
        b"x-request-id",
    }
)
VOLATILE_PREFIX: Final = b"kubectl-"

_DOMAIN: Final = b"gatehold approval fingerprint 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundCall:
    """Everything that an approval is bound to."""

    issuer: str
    subject: str
    target: str
    scheme: str
    host: str
    port: int
    credential: str
    """Which credential of the target is used: its kind and place, never its value."""
    method: str
    path: str
    """Canonical path with the raw query: exactly what is forwarded."""
    headers: Sequence[tuple[str, str]] = field(repr=False)
    """All that are forwarded, without the target's credential. Values are strings as mitmproxy decodes them."""
    body: bytes = field(repr=False)
    rules: Sequence[RuleRef]
    """The rules that ask for the approval."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the approver is shown of the action; JSON-able."""
    change: str = ""
    """Digest of what the call makes of an object; empty where that is not known."""


def fingerprint(key: bytes, call: BoundCall) -> Fingerprint:
    """64 hexadecimal digits."""
    mac = hmac.new(key, digestmod=hashlib.sha256)
    for part in _encoded(call):
        mac.update(part)
    return Fingerprint(mac.hexdigest())


def _encoded(call: BoundCall) -> Iterator[bytes]:
    yield from _text_list([call.issuer, call.subject])
    yield from _text_list([call.target, call.scheme, call.host, str(call.port), call.credential])
    yield from _text_list([call.method, call.path])
    yield from _list([part for header in _bound_headers(call.headers) for part in header])
    yield from _list([hashlib.sha256(call.body).digest()])
    yield from _text_list([part for rule in call.rules for part in (rule.name, rule.digest)])
    yield from _list([_canonical_json(call.facts)])
    if call.change:
        yield from _text_list([call.change])
    yield from _list([_DOMAIN])


def _bound_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """Names in lower case and sorted; values of one name stay in their order, which carries meaning (RFC 9110, 5.3)."""
    pairs = [(_bytes(name).lower(), _bytes(value)) for name, value in headers]
    kept = [pair for pair in pairs if pair[0] not in VOLATILE and not pair[0].startswith(VOLATILE_PREFIX)]
    return sorted(kept, key=lambda pair: pair[0])


def _canonical_json(facts: Mapping[str, Any]) -> bytes:
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def _text_list(parts: Sequence[str]) -> Iterator[bytes]:
    return _list([_bytes(part) for part in parts])


def _list(parts: Sequence[bytes]) -> Iterator[bytes]:
    yield len(parts).to_bytes(8)
    for part in parts:
        yield len(part).to_bytes(8)
        yield part


def _bytes(text: str) -> bytes:
    """One byte string for each string, lone surrogates (undecodable bytes of the wire) included."""
    return text.encode("utf-8", "surrogatepass")


def approval_key(data_dir: Path) -> bytes:
    """The key of this installation, made on first use: ``keys/approval.key``, 32 bytes, 0600. Raises KeyFileError."""
    return key_file(data_dir / "keys" / "approval.key")
