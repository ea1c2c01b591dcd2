"""The files of a configuration as they stood at one moment.

A directory that is being written may hold half of an old configuration and half of a new one, and so lack a wall. The
files are therefore read only when nothing changes from before the first byte to after the last one.
"""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from policy.errors import ConfigurationError

MAX_FILE = 16 * 1024 * 1024
_TRIES = 5

type Stamp = dict[str, tuple[int, ...]]


def read_directory(directory: Path) -> dict[str, bytes]:
    """Name and bytes of every ``*.yaml`` in ``directory``, in name order. Raises ``ConfigurationError``."""
    for _ in range(_TRIES):
        try:
            before = stamp(directory)
            contents = {name: _read(directory / name) for name in before}
            if stamp(directory) == before:
                return contents
        except FileNotFoundError:
            if not directory.is_dir():
                raise ConfigurationError.of(str(directory), "there is no such directory") from None
        except OSError as error:
            raise ConfigurationError.of(error.filename or str(directory), f"cannot be read: {error.strerror}") from None
    raise ConfigurationError.of(str(directory), "its files keep changing while they are read")


def misnamed(directory: Path, mark: bytes) -> list[Path]:
    """Files that look like documents, for ``mark`` is in them, and are not read because of their name."""
    return sorted(path for path in directory.glob("*.yml") if _holds(path, mark))


def _holds(path: Path, mark: bytes) -> bool:
    try:
        return mark in path.read_bytes()
    except OSError:
        return False


def revision(contents: Mapping[str, bytes]) -> str:
    """SHA-256, in hexadecimal, over names and bytes."""
    digest = hashlib.sha256()
    for name in sorted(contents):
        for part in (os.fsencode(name), contents[name]):
            digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()


def stamp(directory: Path) -> Stamp:
    """What would differ if a file was changed, replaced, added or removed. Raises OSError."""
    names = sorted(entry.name for entry in os.scandir(directory) if _is_document(entry.name))
    return {name: _identity(directory / name) for name in names}


def _is_document(name: str) -> bool:
    return name.endswith(".yaml") and not name.startswith(".")


def _identity(path: Path) -> tuple[int, ...]:
    """The time of modification is what a writer says it is (archives and copies keep it); that of change is not."""
    status = path.stat()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise ConfigurationError.of(str(path), f"larger than {MAX_FILE} bytes")
    return content
