"""Which files arrived in the bucket: JSON lines that are only appended to, the spool's memory over a restart.

::

    {"chain":"3f9c2a61d08b47e5","name":"recordings/2026-01-31/planner-1.flow","sha256":"...","size":5120,"url":"s3://..."}

A line that a crash tore counts as none: then the file is put once more, and the bucket says that it has it.
"""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from recordings.files import PRIVATE_FILE, make_private
from recordings.journal import JOURNAL, WRITER
from recordings.regular import open_regular

LEDGER: Final = Path("objects") / "uploaded.log"
"""Below the data directory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """One file that is in the bucket."""

    name: str
    """Below the data directory."""
    chain: str
    """Of the journal that tells of it."""
    size: int
    sha256: str
    differs: bool = False
    """The bucket has other bytes under its name: this file is not there."""

    @property
    def key(self) -> str:
        """Name of the object, below the prefix."""
        return object_name(self.chain, self.name)


def object_name(chain: str, name: str) -> str:
    """How a file is called in the bucket: data directories do not get into each other's way."""
    return f"{chain}/{name}"


class Ledger:
    """What arrived in one bucket. Methods may raise OSError."""

    def __init__(self, data_dir: Path, url: str) -> None:
        self.entries: dict[str, Uploaded] = {}
        """By name."""
        self._path = data_dir / LEDGER
        self._url = url
        self._read()

    def __contains__(self, name: object) -> bool:
        """Did a file arrive?"""
        known = self.entries.get(name) if isinstance(name, str) else None
        return known is not None and not known.differs

    def has_journal(self, name: str) -> bool:
        """Did a journal file arrive, and its checkpoints?"""
        paths = (JOURNAL / WRITER / name, (JOURNAL / WRITER / name).with_suffix(".checkpoint"))
        return all(path.as_posix() in self for path in paths)

    def add(self, entry: Uploaded) -> None:
        """Note it, for good."""
        line = json.dumps({**asdict(entry), "url": self._url}, sort_keys=True, separators=(",", ":"))
        make_private(self._path.parent)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, PRIVATE_FILE)
        with os.fdopen(descriptor, "a+b") as file:
            end = file.seek(0, os.SEEK_END)
            is_torn = end > 0 and os.pread(file.fileno(), 1, end - 1) != b"\n"
            file.write((b"\n" if is_torn else b"") + line.encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        self.entries[entry.name] = entry

    def _read(self) -> None:
        try:
            with open_regular(self._path) as file:
                raws = file.read().split(b"\n")
        except FileNotFoundError:
            return
        for raw in raws:
            entry = self._entry(raw)
            if entry is not None:
                self.entries[entry.name] = entry

    def _entry(self, raw: bytes) -> Uploaded | None:
        try:
            said = json.loads(raw)
            url = said.pop("url")
            entry = Uploaded(**said)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        texts = all(type(each) is str for each in (entry.name, entry.chain, entry.sha256))
        return entry if texts and type(entry.size) is int and url == self._url else None
