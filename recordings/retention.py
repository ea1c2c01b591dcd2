"""What may be deleted, what is said of it, and how.

Flow files go one by one, journal files only as the oldest ones, and each only after every flow file that it speaks of:
so a verifier can go on from the last line that is gone. Deleted is what is sealed, and what is as it was left: a flow
file that is missing or is not as the journal says is evidence, and stays, with the journal from there on.

Order: ``plan``, ``sift``, then its events into the journal, signed, then ``carry_out``. A crash in between leaves files
that were announced; the next plan finds them again.
"""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from recordings.acts import file_event
from recordings.checkpoints import read_checkpoints
from recordings.deletions import Deletions, marked_lines
from recordings.events import Event
from recordings.evidence import flows_of, holds, is_chained
from recordings.files import sync_directory
from recordings.flowfiles import RECORDINGS, folder_of, part_number
from recordings.journal import JOURNAL, WRITER, file_number, journal_files
from recordings.ocsf import Kind
from recordings.regular import open_regular
from recordings.segments import FlowFile, Segment

_PER_EVENT: Final = 100
_MIDNIGHT: Final = 60.0
"""Seconds for which a folder of yesterday may still get files."""
SINK_PATIENCE: Final = 2
"""A journal file that a sink has not passed is kept until it is so many times as old, or the whole so many times as
large, as wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How long and how much; None: without end."""

    retain: float | None = None
    """Seconds."""
    keep: int | None = None
    """Bytes."""

    def __bool__(self) -> bool:
        return self.retain is not None or self.keep is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What has to stay."""

    sessions: Collection[str] = ()
    """Under legal hold: their flow files, and the journal from the first line about one of them on."""
    journal_from: int | None = None
    """Number of the first journal file that somebody still has to read."""
    flows: Callable[[str], bool] = lambda _: False
    """Whether a flow file has to stay for another reason."""
    journals: Callable[[str], bool] = lambda _: False
    """The same for a journal file, by its name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """One file that is to be deleted."""

    name: str
    """Below the data directory."""
    size: int
    reason: str
    """``age`` or ``size``."""
    flow: FlowFile | None = None
    segment: Segment | None = None


@dataclass(slots=True, kw_only=True)
class Plan:
    """What is to be deleted, in this order."""

    doomed: list[Doomed] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    """Why older files stay, for people."""
    total: int = 0
    """Bytes of recordings before."""

    @property
    def bytes(self) -> int:
        """That become free."""
        return sum(each.size for each in self.doomed)

    def touches(self, sessions: Collection[str]) -> bool:
        """Does it delete anything about one of these sessions?"""
        if any(each.flow and each.flow.session in sessions for each in self.doomed):
            return True
        return any(each.segment and each.segment.speaks_of(session) for each in self.doomed for session in sessions)


class Retention:
    """Plans for one data directory; remembers what it read of sealed journal files. Methods may raise OSError."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._directory = data_dir / JOURNAL / WRITER
        self._segments: dict[str, Segment] = {}
        self._evidence: dict[str, int] = {}
        """Files that are not as they were written, and the number of the journal file that tells so."""

    def plan(self, wanted: Wanted, kept: Kept, *, now: float) -> Plan:
        """What is to be deleted now. Reads every journal file once, and only looks at the newest."""
        plan, files = Plan(), journal_files(self._directory)
        if not wanted or len(files) < 2:
            return plan
        sizes = {path.relative_to(self._data_dir).as_posix(): path.stat().st_size for path in self._flow_files()}
        plan.total = sum(sizes.values()) + sum(_size_with_checkpoints(path) for path in files)
        choice = _Choice(wanted, kept, now, sizes, self._gone(files), plan)
        for path, following in pairwise(files):
            segment = self._segment(path, following)
            if segment is None:
                plan.stuck.append(f"{path.name} is not as a finished journal file is: see 'gatehold audit verify'")
                break
            choice.look_at(segment)
        self._keep_evidence(plan)
        return plan

    def sift(self, plan: Plan) -> None:
        """Take out of a plan what is not as it was written, and the journal from there on: it is evidence."""
        told: dict[Path, list[Doomed]] = {}
        for each in plan.doomed:
            if each.flow:
                told.setdefault(each.flow.journal, []).append(each)
        for path, some in told.items():
            self._evidence |= {each.name: file_number(path) for each in self._altered(path, some)}
        for each in plan.doomed:
            if each.segment and not _is_chained(each.segment):
                self._evidence[each.name] = each.segment.number
        self._keep_evidence(plan)

    def events(self, plan: Plan, *, now: float) -> list[Event]:
        """What the journal is told before anything happens; hashes every file."""
        made = []
        for start in range(0, len(plan.doomed), _PER_EVENT):
            some = plan.doomed[start : start + _PER_EVENT]
            details = {
                "files": [self._flow_words(each, each.flow) for each in some if each.flow],
                "journal": [self._segment_words(each.segment) for each in some if each.segment],
                "reason": ",".join(sorted({each.reason for each in some})),
            }
            made.append(file_event(Kind.RETENTION, time=now, name="recordings", details=details))
        return made

    def is_announced(self, plan: Plan) -> bool:
        """Does the journal, in its newest files, say that all of it is deleted, in lines that are signed?"""
        said, signed = Deletions(), 0
        for path in journal_files(self._directory)[-2:]:
            said.add(marked_lines(path, (Kind.RETENTION,)))
            if (checkpoints := path.with_suffix(".checkpoint")).exists():
                signed = max((each.seq for each in read_checkpoints(checkpoints)[0] if each), default=signed)
        flows = [said.flows.get(each.name) for each in plan.doomed if each.flow]
        journals = [said.journals.get(each.segment.number) for each in plan.doomed if each.segment]
        return all(each is not None and each.event <= signed for each in (*flows, *journals))

    def carry_out(self, plan: Plan, *, now: float) -> None:
        """Remove what was announced: flow files, then journal files, the oldest first; then folders that are empty."""
        folders = set()
        for each in plan.doomed:
            if each.flow:
                path = self._data_dir / each.name
                path.unlink(missing_ok=True)
                folders.add(path.parent)
        for folder in folders:
            sync_directory(folder)
            if folder.name < folder_of(now - _MIDNIGHT).name:
                with contextlib.suppress(OSError):  # not empty
                    folder.rmdir()
        for each in plan.doomed:
            if each.segment:
                each.segment.path.unlink(missing_ok=True)
                each.segment.path.with_suffix(".checkpoint").unlink(missing_ok=True)
                self._segments.pop(each.segment.path.name, None)
        self._clear_checkpoints()

    def _clear_checkpoints(self) -> None:
        """What a crash left of journal files that are gone."""
        first = min(map(file_number, journal_files(self._directory)), default=0)
        for path in self._directory.glob("*.checkpoint"):
            if 0 < file_number(path.with_suffix(".jsonl")) < first:
                path.unlink(missing_ok=True)

    def _keep_evidence(self, plan: Plan) -> None:
        altered = [each.name for each in plan.doomed if each.name in self._evidence]
        plan.stuck += [f"{name} is not as it was written: see 'gatehold audit verify'" for name in altered]
        first = min(self._evidence.values(), default=None)
        plan.doomed = [
            each
            for each in plan.doomed
            if each.name not in altered and not (each.segment and first is not None and each.segment.number >= first)
        ]

    def _altered(self, journal: Path, doomed: Sequence[Doomed]) -> list[Doomed]:
        """Those flow files of a journal file that do not hold what it says."""
        try:
            told = flows_of(journal, {each.name for each in doomed})
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            return list(doomed)  # a line that cannot be read
        return [
            each
            for each in doomed
            if each.flow and not holds(self._data_dir / each.name, told[each.name], each.flow.length)
        ]

    def _segment(self, path: Path, following: Path) -> Segment | None:
        if path.name not in self._segments:
            segment = Segment.read(path, following)
            if segment is None:
                return None
            self._segments[path.name] = segment
        return self._segments[path.name]

    def _gone(self, files: Sequence[Path]) -> Deletions:
        found = Deletions()
        for path, following in pairwise(files):
            segment = self._segment(path, following)
            if segment is not None:
                found.flows |= segment.deletions.flows
        found.add(marked_lines(files[-1], (Kind.RETENTION,)))
        return found

    def _flow_files(self) -> Iterator[Path]:
        return (self._data_dir / RECORDINGS).rglob("*.flow")

    def _flow_words(self, doomed: Doomed, flow: FlowFile) -> dict[str, Any]:
        path = self._data_dir / doomed.name
        words = {"file": flow.name, "length": flow.length, "sha256": _sha256(path), "sealed": int(flow.sealed * 1000)}
        return words | ({"session": flow.session} if flow.session else {})

    @staticmethod
    def _segment_words(segment: Segment) -> dict[str, Any]:
        words = {
            "file": segment.path.name,
            "first": segment.first,
            "head": segment.head,
            "last": segment.last,
            "sealed": int(segment.sealed * 1000),
            "sha256": _sha256(segment.path),
            "size": segment.size,
        }
        return words | ({"checkpoint": segment.checkpoint} if segment.checkpoint else {})


class _Choice:
    """Goes through the finished journal files, the oldest first."""

    def __init__(  # noqa: PLR0913, PLR0917 (what is wanted, what there is, and where it goes)
        self, wanted: Wanted, kept: Kept, now: float, sizes: dict[str, int], gone: Deletions, plan: Plan
    ) -> None:
        self._wanted = wanted
        self._kept = kept
        self._now = now
        self._sizes = sizes
        self._gone = gone
        self._plan = plan
        self._left = plan.total
        self._journal_stays = False
        self._open_folder = folder_of(now - _MIDNIGHT).as_posix()
        self._last_parts = _last_parts(sizes, self._open_folder)

    def look_at(self, segment: Segment) -> None:
        """Choose its flow files, and then itself."""
        everything = not segment.unsealed
        for flow in sorted(segment.flows, key=lambda each: (each.sealed, each.name)):
            everything = self._flow_goes(flow) and everything
        if not self._journal_stays:
            self._journal_stays = not (everything and self._journal_goes(segment))

    def _flow_goes(self, flow: FlowFile) -> bool:
        """Is it gone when the plan is carried out?"""
        size = self._sizes.get(flow.name)
        if size is None:
            known = self._gone.flows.get(flow.name)
            if flow.length and (known is None or known.length != flow.length):
                self._plan.stuck.append(f"{flow.name} is missing, and was not deleted by retention")
                return False
            return True
        reason = self._reason(flow.sealed, 1)
        if not reason:
            return False
        if size != flow.length:
            self._plan.stuck.append(f"{flow.name} has {size} bytes, but was sealed with {flow.length}")
            return False
        if flow.session in self._kept.sessions:
            self._plan.stuck.append(f"{flow.name}, and the journal from there on: {flow.session} is on hold")
            return False
        if flow.name in self._last_parts or self._kept.flows(flow.name):
            return False
        self._take(Doomed(name=flow.name, size=size, reason=reason, flow=flow))
        return True

    def _journal_goes(self, segment: Segment) -> bool:
        is_read = self._kept.journal_from is None or segment.number < self._kept.journal_from
        reason = self._reason(segment.sealed, 1 if is_read else SINK_PATIENCE)
        if not reason or self._kept.journals(segment.path.name):
            return False
        if held := next((each for each in self._kept.sessions if segment.speaks_of(each)), None):
            self._plan.stuck.append(f"{segment.path.name}, and the journal from there on: {held} is on hold")
            return False
        name = (JOURNAL / WRITER / segment.path.name).as_posix()
        size = _size_with_checkpoints(segment.path)
        self._take(Doomed(name=name, size=size, reason=reason, segment=segment))
        return True

    def _reason(self, sealed: float, patience: int) -> str:
        wanted = self._wanted
        if wanted.retain is not None and sealed < self._now - wanted.retain * patience:
            return "age"
        if wanted.keep is not None and self._left > wanted.keep * patience:
            return "size"
        return ""

    def _take(self, doomed: Doomed) -> None:
        self._plan.doomed.append(doomed)
        self._left -= doomed.size


def _last_parts(sizes: dict[str, int], folder: str) -> frozenset[str]:
    """The newest part of each session in a folder that still gets files: from it the next one gets its number."""
    newest: dict[str, tuple[int, str]] = {}
    for name in sizes:
        directory, _, file = name.rpartition("/")
        stem, number = part_number(file)
        if directory >= folder:
            newest[directory + stem] = max(newest.get(directory + stem, (0, "")), (number, name))
    return frozenset(name for _, name in newest.values())


def _is_chained(segment: Segment) -> bool:
    try:
        return is_chained(segment)
    except FileNotFoundError:
        return False


def _size_with_checkpoints(path: Path) -> int:
    checkpoints = path.with_suffix(".checkpoint")
    return path.stat().st_size + (checkpoints.stat().st_size if checkpoints.exists() else 0)


def _sha256(path: Path) -> str:
    with open_regular(path) as file:
        return file_digest(file, "sha256").hexdigest()
