"""A sign-in under way at an OpenID provider, as the browser carries it: sealed (AES-256-GCM), so that nobody reads the
PKCE verifier or makes one up, and bound to the browser by being in its cookie and nowhere else.

The key is of this process and this run: a sign-in that a restart interrupts is started again.
"""

import base64
import binascii
import json
import secrets
from dataclasses import asdict, dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

LIFETIME: Final = 600.0
"""Seconds that somebody may take at the provider."""
LONGEST: Final = 3500
"""Characters of a cookie's value."""

_PURPOSE: Final = b"gatehold sign-in 1"
_NONCE: Final = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What is to be remembered between the way there and the way back."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    """RFC 7636."""
    then: str
    """Path of the page to go to."""
    started: float


class Seal:
    """Seals with a key of its own."""

    def __init__(self) -> None:
        self._cipher = AESGCM(AESGCM.generate_key(256))

    def __repr__(self) -> str:
        return "<Seal>"

    def close(self, login: Login) -> str:
        """As the value of a cookie: base64url characters."""
        nonce = secrets.token_bytes(_NONCE)
        sealed = nonce + self._cipher.encrypt(nonce, json.dumps(asdict(login)).encode(), _PURPOSE)
        return base64.urlsafe_b64encode(sealed).decode("ascii").rstrip("=")  # which cookies would put in quotes

    def open(self, value: str, *, now: float) -> Login | None:
        """What was sealed here, not too long ago; None for everything else."""
        if len(value) > LONGEST:
            return None
        try:
            data = base64.b64decode(value + "=" * (-len(value) % 4), altchars=b"-_", validate=True)
            login = Login(**json.loads(self._cipher.decrypt(data[:_NONCE], data[_NONCE:], _PURPOSE)))
        except (binascii.Error, ValueError, InvalidTag):
            return None
        return login if login.started <= now < login.started + LIFETIME else None
