"""The flow files of the sessions that are being recorded.

::

    recordings/2026-01-31/planner-7-5d41402abc4b-1.flow

One file per session and part: a part ends when it is full, when its session was quiet for long, and together with the
journal file in which it was announced (so that a journal file speaks of no other flow files than its own). A session's
name is chosen by whoever issued the token; in a file name only harmless characters of it remain, and a hash keeps two
sessions apart.

A batch is planned, announced in the journal, created, written, and, where any of it fails, taken back.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from recordings.errors import FileChangedError
from recordings.files import AppendFile, sync_directory, sync_file
from recordings.lines import FlowRef

RECORDINGS: Final = Path("recordings")
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9]+")


def file_stem(session: str) -> str:
    """A file name for a session: readable, harmless, and its own."""
    readable = _UNSAFE.sub("-", session)[:40].strip("-")
    digest = sha256(session.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{readable}-{digest}" if readable else digest


def folder_of(now: float) -> Path:
    """Where parts that begin now are created, below the data directory."""
    return RECORDINGS / f"{datetime.fromtimestamp(now, UTC):%Y-%m-%d}"


def part_number(file: str) -> tuple[str, int]:
    """Stem and number in the name of a flow file; number 0 where it is not one of ours."""
    stem, _, number = file.removesuffix(".flow").rpartition("-")
    return stem, int(number) if number.isdecimal() and number.isascii() and len(number) < 10 else 0


@dataclass(slots=True)
class Part:
    """One flow file of a session."""

    session: str
    name: str
    """Path below the data directory."""
    size: int = 0
    used: float = 0.0
    """When it was last written to."""
    file: AppendFile | None = field(default=None, repr=False)
    """None: not created yet, or closed because others needed the descriptor."""


@dataclass(slots=True, kw_only=True)
class Plan:
    """Where a batch's flows go."""

    targets: dict[str, Part]
    """By session."""
    fresh: list[Part]
    """Parts that have no file yet."""
    full: list[Part]
    """Parts that these replace."""
    sizes: dict[str, int]
    """Sizes of the targets before the batch, by name."""

    def opened(self) -> list[dict[str, Any]]:
        """What the journal says of the new files."""
        return [{"file": part.name, "session": part.session} for part in self.fresh]

    def sealed(self) -> list[dict[str, Any]]:
        """What the journal says of the full ones."""
        return [describe_seal(part) for part in self.full]


def describe_seal(part: Part) -> dict[str, Any]:
    """The length at which a part ends."""
    return {"file": part.name, "length": part.size}


class FlowFiles:
    """All open parts. Methods may raise ``OSError``. Used by one thread."""

    def __init__(self, data_dir: Path, *, part_size: int, open_files: int) -> None:
        self._data_dir = data_dir
        self._part_size = part_size
        self._open_files = open_files
        self._parts: OrderedDict[str, Part] = OrderedDict()
        """By session, longest unused first."""
        self._open: OrderedDict[str, Part] = OrderedDict()
        """Those with a descriptor, by name, longest unused first."""
        self._finished: list[Part] = []
        """Full parts that the journal says are sealed."""
        self._unsynced: set[str] = set()
        """Files that were closed since the last ``sync`` with something new in them."""
        self._directories: set[Path] = set()
        """In which files were created since the last ``sync``."""
        self._folder = ""
        self._numbers: dict[str, int] = {}
        """The highest number of a part in that folder, by session: one that is gone is not given again."""

    def plan(self, sessions: Iterable[str], now: float) -> Plan:
        """Choose a part for each session; changes nothing."""
        plan = Plan(targets={}, fresh=[], full=[], sizes={})
        for session in dict.fromkeys(sessions):
            part = self._parts.get(session)
            if part is not None and part.size >= self._part_size:
                plan.full.append(part)
                part = None
            if part is None:
                part = Part(session, self._free_name(session, now))
                plan.fresh.append(part)
            plan.targets[session] = part
            plan.sizes[part.name] = part.size
        return plan

    def begin(self, plan: Plan) -> None:
        """Create the new files of an announced plan."""
        for part in plan.fresh:
            part.file = AppendFile.create(self._data_dir / part.name)
            self._directories.add(part.file.path.parent)
            self._open[part.name] = part

    def append(self, part: Part, flows: Sequence[bytes], now: float) -> list[FlowRef]:
        """Write flows behind each other; returns where each stands."""
        offset = self._descriptor(part).append(b"".join(flows))
        refs = []
        for flow in flows:
            digest = sha256(flow).hexdigest()
            refs.append(FlowRef(file=part.name, length=len(flow), offset=offset, sha256=digest))
            offset += len(flow)
        part.size, part.used = offset, now
        self._open.move_to_end(part.name)
        return refs

    def commit(self, plan: Plan) -> None:
        """The batch stands in the journal: its parts count from now on."""
        for session, part in plan.targets.items():
            self._parts[session] = part
            self._parts.move_to_end(session)
        for part in plan.fresh:
            self._remember(part.name)
        self._finished += plan.full

    def tidy(self) -> None:
        """Close what is full, and what was longest unused where too many files are open."""
        while self._finished:
            self._close(self._finished.pop(), seal=True)
        while len(self._open) > self._open_files:
            self._close(next(iter(self._open.values())))

    def rollback(self, plan: Plan) -> None:
        """Nothing of the plan happened: new files are removed, the others cut to where they ended."""
        for part in plan.fresh:
            self._close(part)
            (self._data_dir / part.name).unlink(missing_ok=True)
        for part in plan.targets.values():
            if part not in plan.fresh and part.file is not None:
                part.size = plan.sizes[part.name]
                part.file.cut(part.size)

    def sync(self, sessions: Iterable[str] | None = None) -> None:
        """Make what sessions (all by default) wrote, and the names of new files, survive a power failure."""
        if sessions is None:
            while self._unsynced:
                name = next(iter(self._unsynced))
                sync_file(self._data_dir / name)
                self._unsynced.discard(name)
        parts = self._open.values() if sessions is None else (self._parts.get(session) for session in sessions)
        for part in list(parts):
            if part is not None and part.file is not None:
                part.file.sync()
        while self._directories:
            sync_directory(self._directories.pop())

    def quiet(self, before: float) -> list[Part]:
        """Parts that nothing was written to since ``before``."""
        return [part for part in self._parts.values() if part.used < before]

    def all(self) -> list[Part]:
        """Every part that is not sealed."""
        return list(self._parts.values())

    def seal(self, parts: Iterable[Part]) -> None:
        """Close for good what the journal says is sealed."""
        for part in parts:
            self._parts.pop(part.session, None)
            self._close(part, seal=True)

    def changed(self, *, closed: bool = False) -> list[Part]:
        """Forget parts of which the file is not what it was left as; their sessions get new ones.

        Looks at open files, and at ``closed`` ones where asked.
        """
        found = [part for part in self._open.values() if part.file is not None and not _is_whole(part.file)]
        if closed:
            found += [part for part in self._parts.values() if part.file is None and self._differs(part)]
        for part in found:
            if self._parts.get(part.session) is part:
                del self._parts[part.session]
            self._close(part)
        return found

    def abandon(self) -> None:
        """Let go of all files as they are."""
        for part in list(self._open.values()):
            self._close(part)

    def _descriptor(self, part: Part) -> AppendFile:
        if part.file is None:
            part.file = AppendFile.reopen(self._data_dir / part.name, part.size)
            self._open[part.name] = part
        return part.file

    def _close(self, part: Part, *, seal: bool = False) -> None:
        self._open.pop(part.name, None)
        file, part.file = part.file, None
        if seal:
            file = file or AppendFile.reopen(self._data_dir / part.name, part.size)
            file.dirty = file.dirty or part.name in self._unsynced
            self._unsynced.discard(part.name)
            file.seal()
        elif file is not None:
            if file.dirty:
                self._unsynced.add(part.name)
            file.close()

    def _differs(self, part: Part) -> bool:
        try:
            return (self._data_dir / part.name).stat().st_size != part.size
        except FileNotFoundError:
            return True

    def _free_name(self, session: str, now: float) -> str:
        folder = folder_of(now)
        if folder.as_posix() != self._folder:
            self._folder, self._numbers = folder.as_posix(), {}
            for path in (self._data_dir / folder).glob("*.flow"):
                self._remember((folder / path.name).as_posix())
        stem = file_stem(session)
        number = self._numbers.get(stem, 0) + 1
        while (self._data_dir / folder / f"{stem}-{number}.flow").exists():
            number += 1
        return (folder / f"{stem}-{number}.flow").as_posix()

    def _remember(self, name: str) -> None:
        folder, _, file = name.rpartition("/")
        stem, number = part_number(file)
        if folder == self._folder:
            self._numbers[stem] = max(number, self._numbers.get(stem, 0))


def _is_whole(file: AppendFile) -> bool:
    try:
        file.check()
        file.check_name()
    except (FileChangedError, FileNotFoundError, NotADirectoryError):
        return False
    return True
