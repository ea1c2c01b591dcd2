"""What the verified payload of a token says: is it meant for this gateway, is it good now, and who is it?

Pure. Times are Unix seconds. ``exp`` has no leeway: a token is over when it says so. ``nbf`` and ``iat`` may lie up to
``LEEWAY`` ahead, for clocks that differ. A claim that is there but not of its type refuses the token; it is never
treated as absent, for a rule may deny by it.
"""

import hashlib
from base64 import b32encode
from typing import Any

from gatehold.identity.issuers import Issuer, matches
from gatehold.identity.jose import UnverifiedToken
from gatehold.identity.paths import ABSENT, lookup, scalar, steps
from gatehold.identity.refusals import Reason, refused
from policy.model import Agent, SessionId

LEEWAY = 60.0
MAX_SUBJECT = 1024
MAX_GROUP = 256
MAX_GROUPS = 1000
MAX_PURPOSE = 512

_CLIENTS = ("azp", "client_id", "appid", "cid")
"""Claims that name the client which asked for a token: OpenID Connect and Entra v2, RFC 9068, Entra v1, Okta."""


def agent_of(issuer: Issuer, token: UnverifiedToken, *, now: float) -> Agent:
    """The agent that a token stands for, whose signature the caller has verified with a key of ``issuer``.

    Raises ``Refusal``: ``wrong-audience``, ``wrong-client``, ``expired``, ``not-yet-valid``, ``too-old``, ``claims``,
    ``groups-elsewhere``.
    """
    payload = token.payload
    _check_audience(issuer, payload)
    _check_client(issuer, payload)
    expires_at = _check_times(issuer, payload, now)
    _check_required(issuer, payload)
    subject = _subject(issuer, payload)
    return Agent(
        issuer=issuer.name,
        subject=subject,
        groups=_groups(issuer, payload),
        claims=payload,
        session=_session(issuer, subject, token),
        expires_at=expires_at,
        purpose=_purpose(issuer, payload),
    )


def _subject(issuer: Issuer, payload: dict[str, Any]) -> str:
    """Subjects are unique within a value of ``iss``: where tenants share a name here, theirs stands before them."""
    subject = _text(lookup(payload, issuer.subject_claim), MAX_SUBJECT)
    return "/".join((*issuer.pinned.values(), subject))


def _check_audience(issuer: Issuer, payload: dict[str, Any]) -> None:
    audience = payload.get("aud")
    members = audience if isinstance(audience, list) else [audience]
    if not all(isinstance(member, str) for member in members) or issuer.audience not in members:
        raise refused(Reason.WRONG_AUDIENCE)


def _check_client(issuer: Issuer, payload: dict[str, Any]) -> None:
    """Every claim that names the client must name one that is allowed, and there must be one."""
    if issuer.clients is None:
        return
    named = [payload[name] for name in _CLIENTS if name in payload]
    if not named or not all(isinstance(client, str) and matches(issuer.clients, client) for client in named):
        raise refused(Reason.WRONG_CLIENT)


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
    value = payload.get(name, ABSENT)
    if value is ABSENT:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise refused(Reason.CLAIMS)
    return float(value)


def _check_required(issuer: Issuer, payload: dict[str, Any]) -> None:
    if any(payload.get(name) != value for name, value in issuer.pinned.items()):
        raise refused(Reason.CLAIMS)
    for path, patterns in issuer.require.items():
        value = lookup(payload, path)
        candidates = value if isinstance(value, list) else [value]
        if not any(matches(patterns, text) for text in map(scalar, candidates) if text is not None):
            raise refused(Reason.CLAIMS)


def _groups(issuer: Issuer, payload: dict[str, Any]) -> tuple[str, ...]:
    _check_not_elsewhere(issuer, payload)
    value = lookup(payload, issuer.groups_claim)
    if value is ABSENT:
        return ()
    members = value if isinstance(value, list) else [value]
    if len(members) > MAX_GROUPS:
        raise refused(Reason.CLAIMS)
    named = {_text(member, MAX_GROUP) for member in members}
    return tuple(sorted(group for group in named if issuer.groups is None or matches(issuer.groups, group)))


def _check_not_elsewhere(issuer: Issuer, payload: dict[str, Any]) -> None:
    """Refuse a token that says its groups are too many and to be fetched elsewhere.

    ``_claim_names`` is OpenID Connect Core, 5.6.2; Entra ID says ``hasgroups`` where a token must be short. An agent
    without its groups could be one that a rule would deny.
    """
    elsewhere = payload.get("_claim_names", {})
    if not isinstance(elsewhere, dict):
        raise refused(Reason.CLAIMS)
    names = {issuer.groups_claim, steps(issuer.groups_claim)[0]}
    if names & elsewhere.keys() or ("groups" in names and payload.get("hasgroups", False) is not False):
        raise refused(Reason.GROUPS_ELSEWHERE)


def _purpose(issuer: Issuer, payload: dict[str, Any]) -> str:
    if issuer.purpose_claim is None:
        return ""
    value = lookup(payload, issuer.purpose_claim)
    return "" if value is ABSENT else _text(value, MAX_PURPOSE)


def _session(issuer: Issuer, subject: str, token: UnverifiedToken) -> SessionId:
    """A name for the calls made under one token: safe in file names, and it tells nothing of the claims.

    The signature has no part in it: an ECDSA signature has two valid spellings.
    """
    for name in (issuer.session_claim, "jti"):
        value = lookup(token.payload, name)
        if value is not ABSENT:
            source = (name, _text(scalar(value), MAX_SUBJECT))
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
    """Text that people can tell from other text: no control or format characters, no spaces at its ends."""
    if not isinstance(value, str) or not 0 < len(value) <= longest:
        raise refused(Reason.CLAIMS)
    if not value.isprintable() or value != value.strip():
        raise refused(Reason.CLAIMS)
    return value
