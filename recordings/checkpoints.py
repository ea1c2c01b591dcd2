"""Signed statements of how far the journal had come.

A hash chain alone proves little: whoever may write the files can recompute it. A checkpoint is signed (Ed25519, RFC
8032) and says: line ``seq`` of this chain has this hash. What was signed cannot be changed, removed or cut off any
more without the private key; and a copy of a checkpoint kept elsewhere (an anchor) finds even a roll-back of
everything together. Checkpoints are numbered and chained among themselves, so that none can be left out.

They stand as JSON lines in ``*.checkpoint`` files beside the journal files. The public key to verify them with has to
come from outside the audited directory.
"""

import base64
import binascii
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from recordings.errors import JournalDamagedError
from recordings.files import PRIVATE_FILE, make_private
from recordings.lines import GENESIS, canonical
from recordings.regular import read_whole

KEY_FILE: Final = Path("keys") / "journal.pem"
"""The signing key, below the data directory: PKCS 8, PEM, mode 0600."""
_MOST: Final = 256 * 1024 * 1024
"""Bytes of a file of checkpoints: one each second of a day has 40 MiB."""
_CONTEXT: Final = b"gatehold journal checkpoint 1\n"
_FIELDS: Final = {
    "chain": str,
    "file": str,
    "key": str,
    "number": int,
    "prev": str,
    "seq": int,
    "sha256": str,
    "time": int,
}


def key_id(key: Ed25519PublicKey) -> str:
    """A short name of a public key: the first 16 hex digits of the SHA-256 of its raw form."""
    return sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]


def public_pem(key: Ed25519PublicKey) -> str:
    """The key as auditors take it away."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """One statement, with or without a signature yet."""

    chain: str
    file: str
    """Name of the journal file in which the line stands."""
    key: str
    """``key_id`` of the signer."""
    number: int
    """1, 2, 3, ... without a gap."""
    prev: str
    """SHA-256 of the checkpoint before it, as a line; 64 zeros for the first."""
    seq: int
    sha256: str
    """SHA-256 of line ``seq``."""
    time: int
    """Milliseconds."""
    signature: str = ""
    """Base64."""

    @classmethod
    def parse(cls, line: bytes) -> Self | None:
        """Read one back; None where it is none, or written in another way than we do."""
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(data, dict) or data.keys() != _FIELDS.keys() | {"signature"}:
            return None
        if not isinstance(data["signature"], str) or any(
            type(data[name]) is not kind for name, kind in _FIELDS.items()
        ):
            return None
        checkpoint = cls(**data)
        return checkpoint if checkpoint.line() == line else None

    def line(self) -> bytes:
        """Canonical JSON, without line feed."""
        return canonical({**self._statement(), "signature": self.signature}).encode("ascii")

    @property
    def digest(self) -> str:
        """What the next checkpoint names as its ``prev``."""
        return sha256(self.line()).hexdigest()

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return _CONTEXT + canonical(self._statement()).encode("ascii")

    def signed_by(self, keys: Sequence[Ed25519PublicKey]) -> bool:
        """Is one of the keys the signer's, and the signature right?"""
        try:
            signature = base64.b64decode(self.signature, validate=True)
        except binascii.Error:
            return False
        return any(key_id(key) == self.key and _verifies(key, signature, self.signed_bytes()) for key in keys)

    def _statement(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _FIELDS}


class Signer:
    """The private key, and the place in the chain of checkpoints."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key = key_id(key.public_key())
        self.number = 0
        self.prev = GENESIS

    @classmethod
    def load(cls, data_dir: Path) -> Self:
        """The key of a data directory, created when there is none."""
        return cls(signing_key(data_dir))

    def sign(self, *, chain: str, file: str, seq: int, digest: str, time: int) -> Checkpoint:
        """The next checkpoint; it counts once ``advance`` was called with it."""
        unsigned = Checkpoint(
            chain=chain,
            file=file,
            key=self.key,
            number=self.number + 1,
            prev=self.prev,
            seq=seq,
            sha256=digest,
            time=time,
        )
        signature = base64.b64encode(self._key.sign(unsigned.signed_bytes())).decode("ascii")
        return Checkpoint(**unsigned._statement(), signature=signature)  # noqa: SLF001 (same module)

    def advance(self, last: Checkpoint) -> None:
        """``last`` stands in a file: the next one follows it."""
        self.number, self.prev = last.number, last.digest


def signing_key(data_dir: Path) -> Ed25519PrivateKey:
    """The journal's signing key; created (0600) when there is none."""
    path = data_dir / KEY_FILE
    if not path.exists():
        _create(path)
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except ValueError as error:
        raise JournalDamagedError(f"{path}: not a private key in PEM ({type(error).__name__})") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise JournalDamagedError(f"{path}: not an Ed25519 key")
    return key


def public_keys(pem: bytes) -> list[Ed25519PublicKey]:
    """All Ed25519 public keys of a PEM file; ``ValueError`` where there is none or another kind."""
    end = b"-----END PUBLIC KEY-----"
    keys = [load_pem_public_key(block + end) for block in pem.split(end)[:-1]]
    if not keys or not all(isinstance(key, Ed25519PublicKey) for key in keys):
        raise ValueError("no Ed25519 public key in PEM form")
    return [key for key in keys if isinstance(key, Ed25519PublicKey)]


def read_checkpoints(path: Path) -> tuple[list[Checkpoint | None], bytes]:
    """The checkpoints of one file in order (None for a line that is none) and the torn bytes behind the last.

    Raises OSError, NotRegularError where it is no file of checkpoints at all.
    """
    lines = read_whole(path, _MOST).split(b"\n")
    return [Checkpoint.parse(line) for line in lines[:-1]], lines[-1]


def _create(path: Path) -> None:
    make_private(path.parent)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    temporary = path.with_suffix(".new")
    temporary.unlink(missing_ok=True)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)


def _verifies(key: Ed25519PublicKey, signature: bytes, message: bytes) -> bool:
    try:
        key.verify(signature, message)
    except InvalidSignature:
        return False
    return True
