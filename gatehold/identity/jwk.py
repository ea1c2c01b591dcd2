"""The members that make a JSON Web Key, and the name that follows from them (RFC 7517, RFC 7638)."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

PUBLIC_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "RSA": ("e", "kty", "n"),
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "oct": ("k", "kty"),
}
"""Key type -> the members without which it is no key; no others are ever read."""


def thumbprint(jwk: Mapping[str, Any]) -> str:
    """RFC 7638: SHA-256 over the key's required members, base64url. ``jwk`` has a known ``kty`` and its members."""
    members = {name: jwk[name] for name in PUBLIC_MEMBERS[jwk["kty"]]}
    canonical = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(hashlib.sha256(canonical.encode()).digest()).rstrip(b"=").decode()
