"""What the verified payload of a token says: is it meant for this gateway, is it good now, and who is it?

Pure. Times are Unix seconds. ``exp`` has no leeway: a token is over when it says so. ``nbf`` and ``iat`` may lie up to
``LEEWAY`` ahead, for clocks that differ. A claim that is there but not of its type refuses the token; it is never
treated as absent, for a rule may deny by it.
"""

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from typing import Any

from gatehold.identity.issuers import Issuer, matches
from gatehold.identity.jose import UnverifiedToken
from gatehold.identity.refusals import Reason, refused
from policy.model import Agent, SessionId

LEEWAY = 60.0
MAX_SUBJECT = 1024
MAX_GROUP = 256

_ABSENT = object()


def agent_of(issuer: Issuer, token: UnverifiedToken, *, now: float) -> Agent:
    """The agent that a token stands for, whose signature the caller has verified with a key of ``issuer``.

    Raises ``Refusal``: ``wrong-audience``, ``expired``, ``not-yet-valid``, ``too-old``, ``claims``.
    """
    payload = token.payload
    _check_audience(issuer, payload)
    expires_at = _check_times(issuer, payload, now)
    _check_required(issuer, payload)
    subject = _text(payload.get("sub"), MAX_SUBJECT)
    return Agent(
        issuer=issuer.name,
        subject=subject,
        groups=_groups(issuer, payload),
        claims=payload,
        session=_session(issuer, subject, token),
        expires_at=expires_at,
    )


def lookup(claims: Mapping[str, Any], path: str) -> Any:
    """The claim named ``path``, else what the dotted path leads to, else ``_ABSENT``.

    The whole name goes first, because claim names may be URLs (``https://example.com/groups``).
    """
    if path in claims:
        return claims[path]
    value: Any = claims
    for step in path.split("."):
        if not isinstance(value, Mapping) or step not in value:
            return _ABSENT
        value = value[step]
    return value


def _check_audience(issuer: Issuer, payload: dict[str, Any]) -> None:
    audience = payload.get("aud")
    members = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(member, str) for member in members) or issuer.audience not in members:
        raise refused(Reason.WRONG_AUDIENCE)


def _check_times(issuer: Issuer, payload: dict[str, Any], now: float) -> float:
    """When the token ends: ``exp``, or earlier where the issuer's tokens have a maximum age."""
    ends = _time(payload, "exp")
    starts = _time(payload, "nbf")
    issued = _time(payload, "iat")
    if ends is None:
        raise refused(Reason.CLAIMS)
    if now >= ends:
        raise refused(Reason.EXPIRED)
    if max(starts or 0.0, issued or 0.0) > now + LEEWAY:
        raise refused(Reason.NOT_YET_VALID)
    if issuer.max_age is None:
        return ends
    if issued is None:
        raise refused(Reason.CLAIMS)
    if now >= issued + issuer.max_age:
        raise refused(Reason.TOO_OLD)
    return min(ends, issued + issuer.max_age)


def _time(payload: dict[str, Any], name: str) -> float | None:
    value = payload.get(name, _ABSENT)
    if value is _ABSENT:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise refused(Reason.CLAIMS)
    return float(value)


def _check_required(issuer: Issuer, payload: dict[str, Any]) -> None:
    for path, patterns in issuer.require.items():
        value = lookup(payload, path)
        candidates = value if isinstance(value, list) else [value]
        if not any(matches(patterns, text) for text in map(_scalar, candidates) if text is not None):
            raise refused(Reason.CLAIMS)


def _scalar(value: Any) -> str | None:
    """A claim's value as a pattern sees it: strings as they are, booleans and integers as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else None


def _groups(issuer: Issuer, payload: dict[str, Any]) -> tuple[str, ...]:
    value = lookup(payload, issuer.groups_claim)
    if value is _ABSENT:
        _check_not_elsewhere(issuer, payload)
        return ()
    members = value if isinstance(value, list) else [value]
    named = {_text(member, MAX_GROUP) for member in members}
    return tuple(sorted(group for group in named if issuer.groups is None or matches(issuer.groups, group)))


def _check_not_elsewhere(issuer: Issuer, payload: dict[str, Any]) -> None:
    """Refuse a token that says its groups are too many and to be fetched elsewhere (OpenID Connect Core, 5.6.2)."""
    elsewhere = payload.get("_claim_names")
    if isinstance(elsewhere, dict) and issuer.groups_claim in elsewhere:
        raise refused(Reason.CLAIMS)


def _session(issuer: Issuer, subject: str, token: UnverifiedToken) -> SessionId:
    """A name for the calls made under one token: safe in file names, and it tells nothing of the claims.

    The signature has no part in it: an ECDSA signature has two valid spellings.
    """
    for name in (issuer.session_claim, "jti"):
        value = lookup(token.payload, name)
        if value is not _ABSENT:
            source = (name, _text(_scalar(value), MAX_SUBJECT))
            break
    else:
        source = ("token", hashlib.sha256(token.signed).hexdigest())
    return session_id(issuer.name, subject, *source)


def session_id(*parts: str) -> SessionId:
    """26 characters ``a-z2-7``: 128 bits of a hash over ``parts``, each with its length before it."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return SessionId(b32encode(digest.digest()[:16]).decode().rstrip("=").lower())


def _text(value: Any, longest: int) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise refused(Reason.CLAIMS)
    return value
