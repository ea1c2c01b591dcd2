"""Keys of an installation: 32 random bytes in a file of their own, made on first use, readable by the owner only."""

import os
import secrets
from pathlib import Path
from typing import Final

from policy.errors import GateholdError

SIZE: Final = 32


class KeyFileError(GateholdError):
    """The key file cannot be used."""


def key_file(path: Path) -> bytes:
    """The key in ``path``, 32 bytes, file mode 0600; made where there is none. Raises KeyFileError."""
    try:
        if not path.exists():
            _create(path)
        mode, key = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise KeyFileError(f"{path}: {error.strerror or error}") from error
    if mode & 0o077:
        raise KeyFileError(f"{path}: others may read it (mode {mode & 0o777:04o}); make it 0600 or delete it")
    if len(key) != SIZE:
        raise KeyFileError(f"{path}: not a key of {SIZE} bytes; delete it to have a new one made")
    return key


def _create(path: Path) -> None:
    """Write under another name and link, so that nobody reads half a key and the first of two makers wins."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(SIZE))
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    except FileExistsError:
        return
    finally:
        draft.unlink()
