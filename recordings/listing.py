"""What was recorded, read from the journal: sessions, and what happened in one.

Reads all journal files; what cannot be read is passed over, because whether the journal is whole is the business of
``recordings.verify``.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from recordings.journal import JOURNAL, journal_files
from recordings.ocsf import Kind

_CALLS = (Kind.OUTCOME, Kind.REFUSAL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the journal, in the words of this project."""

    seq: int
    time: float
    """Unix seconds."""
    kind: str
    decision: str
    session: str
    agent: str
    issuer: str
    target: str
    verdict: str
    code: str
    rule: str
    operation: str
    status: int | None
    """HTTP status of the answer."""
    message: str
    """Why it was refused, who approved and what they said, what the gateway did."""
    masked: dict[str, int]
    part: int
    """Number of this piece of a stream that is kept in pieces, else 0; ``masked`` counts all pieces so far."""
    approval: str
    file: str
    """The flow file, below the data directory."""
    length: int
    offset: int
    raw: dict[str, Any] = field(repr=False)
    """The whole line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which calls count; empty and None: all."""

    agent: str = ""
    target: str = ""
    rule: str = ""
    verdict: str = ""
    since: float | None = None
    """Unix seconds."""

    def takes(self, row: Row) -> bool:
        """Does it count?"""
        wanted = ((self.agent, row.agent), (self.target, row.target), (self.verdict, row.verdict))
        if any(want and want != have for want, have in wanted):
            return False
        if self.rule and self.rule != row.rule:
            return False
        return self.since is None or row.time >= self.since


@dataclass(slots=True, kw_only=True)
class SessionRow:
    """One session."""

    session: str
    agent: str
    issuer: str
    targets: list[str] = field(default_factory=list)
    calls: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    masked: int = 0
    files: list[str] = field(default_factory=list)
    first: float = 0.0
    last: float = 0.0
    streams: dict[str, int] = field(default_factory=dict, repr=False)
    """Decisions of calls that came in pieces, and how many values were masked so far."""

    def add(self, row: Row) -> None:
        """Count one more call, or one more piece of it."""
        masked = sum(row.masked.values())
        if row.decision not in self.streams:
            self.calls += 1
            self.verdicts[row.verdict] += 1
        self.masked += masked - self.streams.get(row.decision, 0)
        if row.part:
            self.streams[row.decision] = masked
        self.first, self.last = self.first or row.time, row.time
        if row.target and row.target not in self.targets:
            self.targets.append(row.target)
        if row.file and row.file not in self.files:
            self.files.append(row.file)


def sessions(data_dir: Path, only: Filter | None = None) -> list[SessionRow]:
    """Sessions with a call that counts, oldest first. Calls without a session are together under an empty one."""
    found: dict[str, SessionRow] = {}
    for row in rows(data_dir):
        if row.kind in _CALLS and (only is None or only.takes(row)):
            session = found.setdefault(row.session, SessionRow(session=row.session, agent=row.agent, issuer=row.issuer))
            session.add(row)
    return list(found.values())


def timeline(data_dir: Path, name: str) -> list[Row]:
    """All that happened in a session, or to a decision, in order."""
    return [row for row in rows(data_dir) if name and name in (row.session, row.decision)]


def rows(data_dir: Path) -> Iterator[Row]:
    """Every line of every journal."""
    for directory in sorted(path for path in (data_dir / JOURNAL).glob("*") if path.is_dir()):
        for path in journal_files(directory):
            with path.open("rb") as file:
                yield from _rows(file)


def _rows(lines: Iterable[bytes]) -> Iterator[Row]:
    for raw in lines:
        if raw.endswith(b"\n"):
            try:
                yield _row(json.loads(raw))
            except (KeyError, TypeError, ValueError, AttributeError):
                continue


def _row(line: dict[str, Any]) -> Row:
    event = line["event"]
    own, flow = event["unmapped"]["gatehold"], line.get("flow") or {}
    user = own.get("agent") or event.get("actor", {}).get("user", {})
    api = event.get("api", {})
    return Row(
        seq=line["seq"],
        time=line["time"] / 1000,
        kind=line["kind"],
        decision=line.get("decision", ""),
        session=line.get("session", ""),
        agent=user.get("uid", ""),
        issuer=user.get("domain", ""),
        target=api.get("service", {}).get("name", "") or own.get("target", ""),
        verdict=own.get("verdict", ""),
        code=event.get("status_code", "") or own.get("state", ""),
        rule=own.get("rule", ""),
        operation=api.get("operation", "") or own.get("operation", ""),
        status=api.get("response", {}).get("code"),
        message=_message(event),
        masked=own.get("masked", {}),
        part=own.get("part", 0),
        approval=own.get("approval", ""),
        file=flow.get("file", ""),
        length=flow.get("length", 0),
        offset=flow.get("offset", 0),
        raw=line,
    )


def _message(event: dict[str, Any]) -> str:
    """The words that stand nowhere else."""
    words = [event.get("message", ""), event.get("status_detail", ""), event.get("comment", "")]
    person = event.get("actor", {}).get("user", {}).get("name", "")
    if person and event.get("entity"):
        words.insert(0, f"by {person}")
    return ", ".join(word for word in words if word)
