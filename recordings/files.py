"""Files that only grow.

Everything that is kept goes through ``AppendFile``: one descriptor, no buffer of our own, so that what ``append``
returned from survives a kill of the process (not of the machine: that takes ``sync``). Each append first looks whether
the file is still the one that was left behind, because an offset that is wrong by a foreign byte would be wrong for
every flow after it.
"""

import os
from pathlib import Path
from typing import Final, Self

from recordings.errors import FileChangedError

PRIVATE_FILE: Final = 0o600
PRIVATE_DIRECTORY: Final = 0o700
SEALED_FILE: Final = 0o400
_FLAGS: Final = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


def make_private(directory: Path) -> None:
    """Create a directory and its missing parents, readable by the owner alone."""
    for missing in reversed([path for path in (directory, *directory.parents) if not path.exists()]):
        missing.mkdir(mode=PRIVATE_DIRECTORY, exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory survive a power failure."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    """Make what was written to a closed file survive a power failure; one that was removed needs none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


class AppendFile:
    """A file open for appending, of which every byte is ours. All methods may raise ``OSError``."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self.size = size
        """Bytes that belong to it; what stands after them was never acknowledged."""
        self.dirty = False
        """Something was written since the last ``sync``."""
        self._descriptor = descriptor
        self._written = size

    @classmethod
    def create(cls, path: Path) -> Self:
        """A new file; ``FileExistsError`` where there is one, even as a symbolic link."""
        make_private(path.parent)
        file = cls(path, os.open(path, _FLAGS | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), 0)
        file.dirty = True
        return file

    @classmethod
    def reopen(cls, path: Path, size: int) -> Self:
        """A file that is known to have ``size`` bytes."""
        return cls(path, os.open(path, _FLAGS), size)

    def append(self, data: bytes) -> int:
        """Write all of ``data``; returns the offset at which it stands.

        After an ``OSError`` a part of it may stand behind ``size``: ``cut`` takes it away.
        """
        self.check()
        self.dirty = True
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            self._written += written
            view = view[written:]
        offset, self.size = self.size, self._written
        return offset

    def check(self) -> None:
        """Is the open file still in a directory and as long as it was left?"""
        status = os.fstat(self._descriptor)
        if status.st_nlink == 0:
            raise FileChangedError(f"{self.path.name} was removed")
        if status.st_size != self.size:
            raise FileChangedError(f"{self.path.name} has {status.st_size} bytes, not {self.size}")

    def check_name(self) -> None:
        """Does the name still lead to the open file?"""
        here, there = os.fstat(self._descriptor), self.path.lstat()
        if (here.st_dev, here.st_ino) != (there.st_dev, there.st_ino):
            raise FileChangedError(f"{self.path.name} was replaced")

    def cut(self, size: int) -> None:
        """Take back what was written after ``size``; what others did to the file is left for people to see."""
        if self._written > size:
            os.ftruncate(self._descriptor, size)
        self.size = self._written = size

    def sync(self) -> None:
        """Make what was appended survive a power failure."""
        if self.dirty:
            os.fdatasync(self._descriptor)
            self.dirty = False

    def seal(self) -> None:
        """Close for good; the mode says so to people (a guard against accidents, not against the owner)."""
        self.sync()
        os.fchmod(self._descriptor, SEALED_FILE)
        self.close()

    def close(self) -> None:
        """Give the descriptor back; twice is once."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
