"""The keys of pseudonyms: one per installation, in ``keys/pseudonym.key``, and from it one per session."""

import hmac
from pathlib import Path

from gatehold.keyfile import key_file
from masking.pseudonyms import Pseudonyms
from policy.model import SessionId


def pseudonym_key(data_dir: Path) -> bytes:
    """32 bytes, made on first use. Raises KeyFileError where the file cannot be used."""
    return key_file(data_dir / "keys" / "pseudonym.key")


class SessionPseudonyms:
    """Gives every session pseudonyms of its own."""

    def __init__(self, key: bytes) -> None:
        """``key``: of the installation."""
        self._key = key

    def of(self, session: SessionId) -> Pseudonyms:
        """The pseudonyms of one session."""
        return Pseudonyms(owner=session, key=hmac.digest(self._key, f"session\0{session}".encode(), "sha256"))
