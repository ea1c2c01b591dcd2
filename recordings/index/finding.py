"""What was recorded, found by the index where it can be used, and by reading the whole journal where not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from recordings.index.asking import Index
from recordings.index.schema import Unusable
from recordings.journal import JOURNAL, WRITER, journal_files
from recordings.listing import CALLS, Filter, Row, SessionRow, rows
from recordings.listing import timeline as read_timeline
from recordings.querying import Query
from recordings.querying import newest as read_newest
from recordings.scanning import Budget, Place, Scan
from recordings.scanning import scan as read_scan

_SHORT: Final = 0.3
"""Seconds that a page waits for the index to come up."""


def sessions(data_dir: Path, query: Query) -> list[SessionRow]:
    """Sessions with a call that is asked for, oldest first."""
    try:
        if query.text or query.only.text:
            raise Unusable("only the lines themselves tell")
        with _current(data_dir) as index:
            return index.sessions(query)
    except Unusable:
        return _read_sessions(data_dir, query)


def timeline(data_dir: Path, name: str) -> list[Row]:
    """All that happened in a session, or to a decision, in order."""
    try:
        with _current(data_dir) as index:
            return index.timeline(name)
    except Unusable:
        return read_timeline(data_dir, name)


def newest(data_dir: Path, query: Query, limit: int) -> list[Row]:
    """Up to so many lines that are asked for, the newest first."""
    try:
        if query.text or query.only.text:
            raise Unusable("only the lines themselves tell")
        with _current(data_dir) as index:
            return [each.row for each in islice(index.newest(query), limit)]
    except Unusable:
        return [row for row, _ in islice(read_newest(data_dir, query), limit)]


def scan(  # noqa: PLR0913 (what, how much, from where, for how long)
    data_dir: Path,
    only: Filter,
    *,
    limit: int,
    at: Place | None = None,
    until_line: Callable[[Row], bool] | None = None,
    budget: Budget | None = None,
) -> Scan:
    """As ``recordings.scanning.scan``, for pages: with the index it goes back as far as there is anything."""
    bounds = budget or Budget()
    try:
        if only.text:
            raise Unusable("only the lines themselves tell")
        with _current(data_dir, seconds=_SHORT, gentle=True) as index:
            return index.scan(only, limit=limit, at=at, until_line=until_line, seconds=bounds.seconds)
    except Unusable:
        return read_scan(data_dir, only, limit=limit, at=at, until_line=until_line, budget=bounds)


@contextmanager
def _current(data_dir: Path, *, seconds: float | None = None, gentle: bool = False) -> Iterator[Index]:
    """An index that knows everything; the first time that takes minutes for a million calls."""
    if not journal_files(data_dir / JOURNAL / WRITER):
        raise Unusable("there is no journal")
    with Index(data_dir) as index:
        if not index.update(seconds=seconds, gentle=gentle):
            raise Unusable("it is far behind")
        yield index


def _read_sessions(data_dir: Path, query: Query) -> list[SessionRow]:
    found: dict[str, SessionRow] = {}
    for row in rows(data_dir):
        if row.kind in CALLS and query.takes(row):
            session = found.setdefault(row.session, SessionRow(session=row.session, agent=row.agent, issuer=row.issuer))
            session.add(row)
    return list(found.values())
