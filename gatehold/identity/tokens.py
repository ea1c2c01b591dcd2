"""Tokens of the embedded issuer: for a laptop, a test, a machine without an identity provider."""

import secrets
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatehold.identity.jose import seal
from gatehold.identity.keys import public_jwk

RESERVED = frozenset({"iss", "aud", "sub", "exp", "iat", "nbf", "jti", "groups"})
"""Claims that have their own parameter, or are not the caller's to choose."""


def issue(  # noqa: PLR0913 - each is a claim of the token
    key_file: Path,
    *,
    issuer: str,
    audience: str,
    subject: str,
    groups: Sequence[str] = (),
    ttl: float,
    claims: Mapping[str, Any] | None = None,
    now: float | None = None,
) -> str:
    """A signed token, good for ``ttl`` seconds from ``now`` (Unix time).

    ``sid`` names the session; each token begins a new one unless ``claims`` gives it. Raises ``OSError`` or
    ``ValueError``, neither with a part of the key.
    """
    key = _load(key_file)
    further = dict(claims or {})
    if further.keys() & RESERVED:
        raise ValueError(f"these claims cannot be set freely: {', '.join(sorted(further.keys() & RESERVED))}")
    if ttl < 1:
        raise ValueError("a token must be good for a second at least")
    issued = int(time.time() if now is None else now)
    payload = {
        "iss": issuer,
        "aud": audience,
        "sub": subject,
        "iat": issued,
        "nbf": issued,
        "exp": issued + int(ttl),
        "jti": secrets.token_urlsafe(16),
        "sid": secrets.token_urlsafe(16),
        "groups": sorted(set(groups)),
    }
    header = {"alg": "EdDSA", "typ": "JWT", "kid": public_jwk(key.public_key())["kid"]}
    return seal(header, {**payload, **further}, key.sign)


def _load(key_file: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(key_file.read_bytes(), password=None)
    except (ValueError, TypeError):
        raise ValueError(f"{key_file} holds no private key without a passphrase") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{key_file} holds no Ed25519 key, as keygen makes it")  # noqa: TRY004 - the file is wrong
    return key
