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

from recordings.journal import JOURNAL, WRITER, journal_files
from recordings.lines import canonical
from recordings.ocsf import Kind
from recordings.regular import lines_of, open_regular

CALLS = frozenset({Kind.OUTCOME.value, Kind.REFUSAL.value})
"""Kinds of lines that say how a call ended."""


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
    method: str
    path: str
    """With query, masked; empty where the line is not about a call."""
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
    sha256: str
    raw: dict[str, Any] = field(repr=False)
    """The whole line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which lines count; empty and None: all."""

    agent: str = ""
    target: str = ""
    rule: str = ""
    verdict: str = ""
    session: str = ""
    decision: str = ""
    text: str = ""
    """A part of path and query, or of the operation; capital letters count as small ones."""
    kinds: frozenset[str] = frozenset()
    since: float | None = None
    """Unix seconds."""
    until: float | None = None

    def takes(self, row: Row) -> bool:
        """Does it count?"""
        wanted = (
            (self.agent, row.agent),
            (self.target, row.target),
            (self.verdict, row.verdict),
            (self.rule, row.rule),
            (self.session, row.session),
            (self.decision, row.decision),
        )
        if any(want and want != have for want, have in wanted):
            return False
        if self.kinds and row.kind not in self.kinds:
            return False
        if self.text and self.text.casefold() not in f"{row.path}\n{row.operation}".casefold():
            return False
        return (self.since is None or row.time >= self.since) and (self.until is None or row.time < self.until)

    def traces(self) -> tuple[bytes, ...]:
        """What stands in every line that counts, as it is written there: most others are passed over unread."""
        quoted = [text for text in (self.agent, self.target, self.rule, self.session, self.decision) if text]
        found = [canonical(text).encode("ascii") for text in quoted]
        if self.verdict:
            found.append(b'"verdict":%b' % canonical(self.verdict).encode("ascii"))
        return tuple(found)


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
        if row.kind in CALLS and (only is None or only.takes(row)):
            session = found.setdefault(row.session, SessionRow(session=row.session, agent=row.agent, issuer=row.issuer))
            session.add(row)
    return list(found.values())


def timeline(data_dir: Path, name: str) -> list[Row]:
    """All that happened in a session, or to a decision, in order."""
    return [row for row in rows(data_dir) if name and name in (row.session, row.decision)]


def rows(data_dir: Path) -> Iterator[Row]:
    """Every line of the journal."""
    for path in journal_files(data_dir / JOURNAL / WRITER):
        with open_regular(path) as file:
            yield from _rows(lines_of(file))


def _rows(lines: Iterable[bytes]) -> Iterator[Row]:
    for raw in lines:
        row = row_of(raw) if raw.endswith(b"\n") else None
        if row is not None:
            yield row


def row_of(raw: bytes) -> Row | None:
    """A line, with or without its line feed; None for one that cannot be read."""
    try:
        return _row(json.loads(raw))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return None


def _row(line: dict[str, Any]) -> Row:
    event = line["event"]
    own, flow = event["unmapped"]["gatehold"], line.get("flow") or {}
    user = own.get("agent") or event.get("actor", {}).get("user", {})
    api, http = event.get("api", {}), event.get("http_request", {})
    url = http.get("url", {})
    query = f"?{url['query_string']}" if "query_string" in url else ""
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
        method=http.get("http_method", ""),
        path=f"{url.get('path', '')}{query}",
        status=api.get("response", {}).get("code"),
        message=_message(event),
        masked=own.get("masked", {}),
        part=own.get("part", 0),
        approval=own.get("approval", ""),
        file=flow.get("file", ""),
        length=flow.get("length", 0),
        offset=flow.get("offset", 0),
        sha256=flow.get("sha256", ""),
        raw=line,
    )


def _message(event: dict[str, Any]) -> str:
    """The words that stand nowhere else."""
    words = [event.get("message", ""), event.get("status_detail", ""), event.get("comment", "")]
    person = event.get("actor", {}).get("user", {}).get("name", "")
    if person and event.get("entity"):
        words.insert(0, f"by {person}")
    return ", ".join(word for word in words if word)
