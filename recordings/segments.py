"""A journal file that is finished: where it begins and ends, and the flow files that it speaks of.

Read once; a sealed file does not change any more.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from recordings.deletions import Deletions, marked_lines, was_never_made
from recordings.journal import file_number
from recordings.lines import Line, canonical, parse
from recordings.ocsf import Kind
from recordings.regular import is_flow_file, open_regular

_TAIL: Final = 64 * 1024
_BLOCK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowFile:
    """One sealed flow file, as the journal tells of it."""

    name: str
    """Below the data directory."""
    session: str
    length: int
    sealed: float
    """Unix seconds."""
    journal: Path
    """The journal file that tells of it."""


@dataclass(slots=True, kw_only=True)
class Segment:
    """One sealed journal file."""

    path: Path
    number: int
    size: int
    first: int
    """``seq`` of its first line."""
    last: int
    head: str
    """SHA-256 of its last line."""
    chain: str
    sealed: float
    """Unix seconds."""
    flows: list[FlowFile]
    checkpoint: dict[str, Any] | None
    """Number and SHA-256 of the last checkpoint up to its end."""
    unsealed: list[str]
    """Flow files of which it does not tell the end: something is wrong with it."""
    deletions: Deletions
    """What its lines say was deleted."""
    _sessions: dict[str, bool] = field(default_factory=dict, repr=False)

    @classmethod
    def read(cls, path: Path, following: Path) -> "Segment | None":
        """The facts of a file that ``following`` follows; None where it is not sealed or they do not fit together."""
        first, last, after = _first_line(path), _last_line(path), _first_line(following)
        if first is None or last is None or after is None or last.kind != Kind.JOURNAL_SEAL:
            return None
        if after.kind != Kind.JOURNAL_OPEN or (after.prev, after.chain) != (last.digest, last.chain):
            return None
        opened, sealed, deletions = _told(path)
        try:
            checkpoint = after.event()["unmapped"]["gatehold"].get("checkpoint")
        except (KeyError, TypeError, ValueError):
            return None
        return cls(
            path=path,
            number=file_number(path),
            size=path.stat().st_size,
            first=first.seq,
            last=last.seq,
            head=last.digest,
            chain=last.chain,
            sealed=last.time / 1000,
            flows=list(sealed.values()),
            checkpoint=checkpoint,
            unsealed=sorted(opened.keys() - sealed.keys()),
            deletions=deletions,
        )

    def speaks_of(self, session: str) -> bool:
        """Has it a line of this session?"""
        if session not in self._sessions:
            self._sessions[session] = _contains(self.path, b',"session":%b,"time":' % canonical(session).encode())
        return self._sessions[session]


def _told(path: Path) -> tuple[dict[str, str], dict[str, FlowFile], Deletions]:
    """Sessions of the flow files it opens, the flow files it seals, what it says was deleted."""
    opened: dict[str, str] = {}
    sealed: dict[str, FlowFile] = {}
    deletions = Deletions()
    for line in marked_lines(path, (Kind.FLOWS_OPEN, Kind.FLOWS_SEAL, Kind.RETENTION)):
        if line.kind == Kind.RETENTION:
            deletions.add([line])
            continue
        try:
            files = line.event()["unmapped"]["gatehold"]["files"]
            if not all(is_flow_file(each["file"]) for each in files):
                raise ValueError("not a flow file")
            if line.kind == Kind.FLOWS_OPEN:
                opened |= {each["file"]: each["session"] for each in files}
            else:
                for each in files:
                    name = str(each["file"])
                    if was_never_made(each):
                        opened.pop(name, None)
                        continue
                    sealed[name] = FlowFile(
                        name=name,
                        session=opened.get(name, ""),
                        length=each["length"],
                        sealed=line.time / 1000,
                        journal=path,
                    )
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            opened["?"] = ""  # a line that cannot be read: the file is left alone
    return opened, sealed, deletions


def _first_line(path: Path) -> Line | None:
    with open_regular(path) as file:
        raw = file.readline(_BLOCK)
    return parse(raw[:-1]) if raw.endswith(b"\n") else None


def _last_line(path: Path) -> Line | None:
    with open_regular(path) as file:
        file.seek(max(0, file.seek(0, 2) - _TAIL))
        tail = file.read()
    lines = tail.split(b"\n")
    return parse(lines[-2]) if len(lines) > 1 and not lines[-1] else None


def _contains(path: Path, mark: bytes) -> bool:
    overlap = b""
    with open_regular(path) as file:
        while block := file.read(_BLOCK):
            if mark in overlap + block:
                return True
            overlap = block[-len(mark) :]
    return False
