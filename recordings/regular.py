"""Files as somebody may have put them there who wants a reader to hang, to use up its memory, or to look elsewhere.

What is named by a line of the journal, or found in one of our directories, is opened here: only a file (a pipe would
wait for ever), by no symbolic link, line by line with a bound, and a flow file only below the recordings.
"""

import os
import re
import stat
from collections.abc import Iterator
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, Final

from recordings.errors import FileChangedError

LONGEST: Final = 16 * 1024 * 1024
"""Bytes of a line of ours, at most; the longest that are written have a few hundred KiB."""
_FLOW_FILE: Final = re.compile(r"recordings(?:/[0-9A-Za-z][0-9A-Za-z._-]{0,254})+(?<=\.flow)", re.ASCII)


class NotRegularError(FileChangedError):
    """No file of ours: a pipe, a directory, a symbolic link, or by far too long."""


def descriptor_of(path: Path) -> int:
    """Open a file to read; NotRegularError where it is none, OSError as ``open``. Never waits."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise NotRegularError(f"{path.name} is a symbolic link") from None
        raise error from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularError(f"{path.name} is not a regular file")
    return descriptor


def open_regular(path: Path) -> BufferedReader:
    """The same, as a file."""
    return os.fdopen(descriptor_of(path), "rb")


def lines_of(file: BinaryIO) -> Iterator[bytes]:
    """Lines with their line feeds; what is longer than ``LONGEST`` comes in pieces without one."""
    return iter(partial(file.readline, LONGEST), b"")


def read_whole(path: Path, most: int) -> bytes:
    """The bytes of a file; NotRegularError also where there are more than ``most``."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise NotRegularError(f"{path.name} has {size} bytes, more than ever stand in such a file")
        return file.read(size)


def is_flow_file(name: object) -> bool:
    """May a line of the journal name this as a flow file: below the recordings, and nothing but plain letters?"""
    return isinstance(name, str) and _FLOW_FILE.fullmatch(name) is not None
