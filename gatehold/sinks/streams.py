"""Sinks on this machine: standard output, and a file that is appended to. Lines of the journal, as they stand in it."""

import asyncio
import os
import select
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gatehold.sinks.model import NotTaken
from recordings.files import PRIVATE_FILE
from recordings.lines import Line

_ATOMIC: Final = select.PIPE_BUF
"""Bytes that a pipe takes whole, and at once where it can be written to at all."""
_PATIENCE: Final = 0.5


class StandardOutput:
    """Who reads it may be slow: it is written to only when it can be, so that a full pipe holds up nobody."""

    def __init__(self, descriptor: int = 1) -> None:
        self._descriptor = descriptor

    async def put(self, lines: Sequence[Line]) -> None:
        """Write them. Raises NotTaken where nobody reads any more."""
        for line in lines:
            data = line.raw + b"\n"
            for start in range(0, len(data), _ATOMIC):
                await self._write(data[start : start + _ATOMIC])

    async def _write(self, piece: bytes) -> None:
        while piece:
            try:
                if await asyncio.to_thread(self._is_ready):
                    piece = piece[os.write(self._descriptor, piece) :]
            except OSError as error:
                raise NotTaken(f"standard output: {error.strerror}") from None

    def _is_ready(self) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return bool(poll.poll(_PATIENCE * 1000))

    async def close(self) -> None:
        """It is not ours to close."""


class AppendedFile:
    """JSON Lines; opened for each batch, so that it can be moved away at any time, and synced before it counts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def put(self, lines: Sequence[Line]) -> None:
        """Append them, all or none. Raises NotTaken."""
        data = b"".join(line.raw + b"\n" for line in lines)
        try:
            await asyncio.to_thread(self._append, data)
        except OSError as error:
            raise NotTaken(f"{self._path.name}: {error.strerror}") from None

    def _append(self, data: bytes) -> None:
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(self._path, flags, PRIVATE_FILE)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise NotTaken(f"{self._path.name}: not a regular file")
            if status.st_size and os.pread(descriptor, 1, status.st_size - 1) != b"\n":
                data = b"\n" + data  # whoever wrote last was cut off
            _write_all(descriptor, data, status.st_size)
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)

    async def close(self) -> None:
        """It is never kept open."""


def _write_all(descriptor: int, data: bytes, size: int) -> None:
    """Write all of it, or leave the file as it was."""
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise
