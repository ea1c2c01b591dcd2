"""How far a sink has come in the journal: the spool of a sink is this, and the journal itself."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from recordings.files import PRIVATE_FILE, make_private, sync_directory
from recordings.journal import FILE_NAME
from recordings.lines import GENESIS
from recordings.regular import read_whole

_MOST: Final = 64 * 1024
"""Bytes of such a file; a few hundred are written."""
SINKS: Final = Path("sinks")
"""Below the data directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """The last line that a sink has received."""

    file: str
    """Name of the journal file in which it stands, or of that which is to be begun with."""
    offset: int = 0
    """Bytes of that file up to its end."""
    seq: int = 0
    """0: none yet."""
    sha256: str = GENESIS
    """Of that line."""
    chain: str = ""
    """Of that line; a journal that was moved away is followed by another chain."""

    @property
    def number(self) -> int:
        """Number of the file."""
        return int(self.file.partition("-")[0])


def position_file(data_dir: Path, sink: str) -> Path:
    """Where a sink's position is kept."""
    return data_dir / SINKS / f"{sink}.json"


def load(path: Path) -> Position | None:
    """The position that was saved; None where there is none, or none that can be read."""
    try:
        found = json.loads(read_whole(path, _MOST))
        position = Position(**found)
        kinds = (position.offset, position.seq, position.sha256, position.chain)
        whole = tuple(map(type, kinds)) == (int, int, str, str)
        known = FILE_NAME.fullmatch(position.file) is not None and position.offset >= 0 and position.seq >= 0
    except (OSError, ValueError, TypeError, RecursionError):
        return None
    return position if whole and known else None


def save(path: Path, position: Position) -> None:
    """Replace what was saved, at once and for good. Raises OSError."""
    make_private(path.parent)
    temporary = path.with_suffix(".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(json.dumps(asdict(position)).encode("ascii"))
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    sync_directory(path.parent)
