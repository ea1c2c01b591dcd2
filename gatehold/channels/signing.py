"""Signatures of webhooks, by Standard Webhooks 1.0: HMAC-SHA-256 over id, time and body. Pure."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST: Final = 24
LONGEST: Final = 64
"""Bytes of a key."""


def keys(secret: str) -> tuple[bytes, ...]:
    """The keys in a secret: ``whsec_`` and base64, several with spaces between them.

    Raises ValueError, which does not repeat the secret.
    """
    found = tuple(_key(each) for each in secret.split())
    if not found:
        raise ValueError("a webhook's secret is whsec_ and base64")
    return found


def headers(delivery: str, body: bytes, signing: Sequence[bytes], *, now: float) -> list[tuple[str, str]]:
    """The three headers of a message; one signature for each key."""
    seconds = str(int(now))
    signed = b".".join((delivery.encode("ascii"), seconds.encode("ascii"), body))
    made = (base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode("ascii") for key in signing)
    signatures = " ".join(f"v1,{signature}" for signature in made)
    return [("webhook-id", delivery), ("webhook-timestamp", seconds), ("webhook-signature", signatures)]


def _key(text: str) -> bytes:
    if not text.startswith(PREFIX):
        raise ValueError("a webhook's secret begins with whsec_")
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a webhook's secret is base64 after whsec_") from None
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"a webhook's secret has {SHORTEST} to {LONGEST} bytes, as base64")
    return key
