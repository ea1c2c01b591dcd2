"""Compact JWS (RFC 7515) put together, and taken apart strictly: what was taken apart is not believed yet.

Stricter than the RFCs where laxness has been exploited elsewhere: base64url must be canonical (one token, one
spelling), JSON objects have no duplicate keys (readers differ on which one counts), numbers are finite, strings are
valid Unicode, nesting is bounded. ``jku``, ``jwk``, ``x5u`` and ``x5c`` are not even looked at: a key that a token
brings along proves nothing. No ``crit`` extension is understood, so all of them are refused (RFC 7515, 4.1.11).
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from gatehold.identity.refusals import Reason, refused

MAX_TOKEN = 16 * 1024
"""Bytes; larger tokens are refused before anything is decoded."""
MAX_DEPTH = 16
MAX_KEY_ID = 512

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_NOT_UNDERSTOOD = frozenset({"crit", "b64", "enc", "zip", "epk"})
"""Header members that change what the segments mean: extensions, encryption, compression."""
_TYPES = frozenset({"jwt", "jose", "at+jwt", "application/jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True, kw_only=True)
class UnverifiedToken:
    """The parts of a token whose signature nobody has looked at."""

    algorithm: str
    key_id: str | None
    payload: dict[str, Any] = field(repr=False)
    signed: bytes = field(repr=False)
    """What the signature is over: ``header.payload`` as it stands in the token."""
    signature: bytes = field(repr=False)


def parse(token: str) -> UnverifiedToken:
    """Take a compact JWS apart.

    Raises ``Refusal``: ``too-large``, ``malformed``, ``algorithm`` (``none`` in any spelling, or not a string).
    """
    if len(token) > MAX_TOKEN:
        raise refused(Reason.TOO_LARGE)
    parts = token.split(".")
    if len(parts) != 3:
        raise refused(Reason.MALFORMED)
    try:
        header = _json_object(_base64url(parts[0]))
        payload = _json_object(_base64url(parts[1]))
        signature = _base64url(parts[2]) if parts[2] else b""
    except (ValueError, RecursionError):
        raise refused(Reason.MALFORMED) from None
    algorithm, key_id = _read_header(header)
    if not signature:
        raise refused(Reason.MALFORMED)
    signed = f"{parts[0]}.{parts[1]}".encode("ascii")
    return UnverifiedToken(algorithm=algorithm, key_id=key_id, payload=payload, signed=signed, signature=signature)


def seal(header: Mapping[str, Any], payload: Mapping[str, Any], sign: Callable[[bytes], bytes]) -> str:
    """A compact JWS; ``sign`` signs bytes by the algorithm that ``header`` names."""
    parts = (json.dumps(part, separators=(",", ":")).encode() for part in (header, payload))
    signed = b".".join(_encoded(part) for part in parts)
    return (signed + b"." + _encoded(sign(signed))).decode("ascii")


def _read_header(header: dict[str, Any]) -> tuple[str, str | None]:
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm.lower() == "none":
        raise refused(Reason.ALGORITHM)
    kind = header.get("typ", "JWT")
    key_id = header.get("kid")
    sound = (
        isinstance(kind, str)
        and kind.lower() in _TYPES
        and not header.keys() & _NOT_UNDERSTOOD
        and str(header.get("cty", "")).lower() != "jwt"
        and ("kid" not in header or (isinstance(key_id, str) and len(key_id) <= MAX_KEY_ID))
    )
    if not sound:
        raise refused(Reason.MALFORMED)
    return algorithm, key_id


def strict_json(text: str) -> Any:
    """A JSON value without duplicate keys, NaN, infinities, lone surrogates or deep nesting.

    Raises ``ValueError`` or ``RecursionError``; their texts hold no values.
    """
    value = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_a_number, parse_float=_finite)
    _bounded(value, MAX_DEPTH)
    return value


def _json_object(data: bytes) -> dict[str, Any]:
    value = strict_json(data.decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - of the token's making, not the caller's
    return value


def _base64url(segment: str) -> bytes:
    if not _BASE64URL.fullmatch(segment):
        raise ValueError("not base64url")
    try:
        data = base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
    except binascii.Error:
        raise ValueError("not base64url") from None
    if _encoded(data) != segment.encode("ascii"):
        raise ValueError("not canonical base64url")
    return data


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("duplicate key")
    return value


def _not_a_number(_: str) -> NoReturn:
    raise ValueError("not a JSON number")


def _finite(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return value


def _bounded(value: Any, depth: int) -> None:
    if isinstance(value, str):
        value.encode("utf-8")
    elif isinstance(value, dict | list):
        if not depth:
            raise ValueError("nested too deeply")
        for child in value:
            _bounded(child, depth - 1)
        for child in value.values() if isinstance(value, dict) else ():
            _bounded(child, depth - 1)
