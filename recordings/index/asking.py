"""What the index finds, read from the journal."""

import sqlite3
import time as clocks
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NamedTuple, Self

from recordings.index.feeding import Feeder
from recordings.index.schema import Unusable, connect, key_of
from recordings.journal import JOURNAL, WRITER, file_number, journal_files
from recordings.listing import CALLS, Filter, Row, SessionRow, row_of
from recordings.querying import Query, Resource
from recordings.regular import open_regular
from recordings.scanning import Found, Place, Scan

_DAMAGED: Final = (TypeError, ValueError, OverflowError)
"""What comes of a file in which other things stand than we write."""
_LONGEST: Final = 4 * 1024 * 1024
_WORDS: Final = ("session", "agent", "target", "rule", "verdict", "code", "approval")
_SUMS: Final = (
    "SELECT session, agent, issuer, target, verdict, flow, count(*), sum(masked), min(time), max(time), min(seq)"
    " FROM lines WHERE {where} AND {streams} GROUP BY 1, 2, 3, 4, 5, 6"
)
_PIECES: Final = (
    "SELECT session, agent, issuer, target, verdict, flow, masked, time, seq, decision, part"
    " FROM lines WHERE {where} AND NOT {streams} ORDER BY seq"
)
_NO_STREAM: Final = "(decision IS NULL OR decision NOT IN (SELECT decision FROM lines WHERE part > 0))"


class Placed(NamedTuple):
    """A line, where it begins and where it ends."""

    row: Row
    place: Place
    behind: Place


class Index:
    """An open index that knows the journal to its end, or almost; used by one thread at a time."""

    def __init__(self, data_dir: Path) -> None:
        self._directory = data_dir / JOURNAL / WRITER
        self._connection = connect(data_dir)
        self._feeder = Feeder(data_dir, self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; twice is once."""
        self._connection.close()

    def update(self, *, seconds: float | None = None, gentle: bool = False) -> bool:
        """Read on in the journal; False where the time was over before that. Raises Unusable."""
        try:
            return self._feeder.update(seconds=seconds, gentle=gentle)
        except (sqlite3.Error, OSError) as error:
            raise Unusable(str(error)) from error
        except _DAMAGED as error:
            raise Unusable("it is damaged") from error

    def size(self) -> dict[str, int]:
        """How many lines it knows, and how large it is. Raises Unusable."""
        pages, bytes_ = self._rows("PRAGMA page_count", [])[0][0], self._rows("PRAGMA page_size", [])[0][0]
        return {"lines": self._rows("SELECT count(*) FROM lines", [])[0][0], "bytes": pages * bytes_}

    def newest(self, query: Query, *, before: Place | None = None) -> Iterator[Placed]:
        """Lines that are asked for, the newest first. Raises Unusable."""
        where, values = self._condition(query)
        if before is not None:
            number = file_number(Path(before.file.rpartition("/")[2]))
            where += " AND (file < ? OR (file = ? AND begin < ?))"
            values += [number, number, before.offset]
        yield from self._read(f"SELECT file, begin FROM lines WHERE {where} ORDER BY seq DESC", values, query)  # noqa: S608

    def scan(
        self,
        only: Filter,
        *,
        limit: int,
        at: Place | None = None,
        until_line: Callable[[Row], bool] | None = None,
        seconds: float,
    ) -> Scan:
        """As ``recordings.scanning.scan``: pages do not see a difference. Raises Unusable."""
        done, ends = Scan(), clocks.monotonic() + seconds
        for each in self.newest(Query(only=only), before=at):
            done.found.append(Found(each.row, each.behind))
            done.bytes += each.behind.offset - each.place.offset
            is_last = len(done.found) >= limit or (until_line is not None and until_line(each.row))
            done.is_cut = not is_last and clocks.monotonic() > ends
            if is_last or done.is_cut:
                done.older, done.oldest = each.place, each.row.time
                break
        return done

    def timeline(self, name: str) -> list[Row]:
        """All that happened in a session, or to a decision, in order. Raises Unusable."""
        where = "session = (SELECT id FROM words WHERE text = ?) OR decision = ?"
        select = f"SELECT file, begin FROM lines WHERE {where} ORDER BY seq"  # noqa: S608
        rows = (each.row for each in self._read(select, [_text(name), key_of(name)], Query()))
        return [row for row in rows if name and name in (row.session, row.decision)]

    def sessions(self, query: Query) -> list[SessionRow]:
        """Sessions with a call that is asked for, oldest first; from the index alone. Raises Unusable.

        What only the lines themselves tell (``text``) is not asked here.
        """
        try:
            return self._sessions(query)
        except _DAMAGED as error:
            raise Unusable("it is damaged") from error

    def _sessions(self, query: Query) -> list[SessionRow]:
        where, values = self._condition(query)
        kinds = [self._id(kind) for kind in sorted(CALLS)]
        where = f"{where} AND kind IN ({','.join('?' * len(kinds))})"
        values += kinds
        words = _Texts(self._connection)
        told: list[tuple[int, tuple[Any, ...], bool]] = [
            (row[10], row, False) for row in self._rows(_SUMS.format(where=where, streams=_NO_STREAM), values)
        ]
        pieces = self._rows(_PIECES.format(where=where, streams=_NO_STREAM), values)
        told += [(row[8], row, True) for row in pieces]
        found: dict[str, SessionRow] = {}
        seen: dict[int, int] = {}
        for _, row, is_piece in sorted(told, key=lambda each: each[0]):
            session = found.setdefault(
                words[row[0]], SessionRow(session=words[row[0]], agent=words[row[1]], issuer=words[row[2]])
            )
            if is_piece:
                decision, part = row[9], row[10]
                calls, masked = int(decision not in seen), row[6] - seen.get(decision, 0)
                if part:
                    seen[decision] = row[6]
                _add(session, words, row, calls, masked, row[7], row[7])
            else:
                _add(session, words, row, row[6], row[7], row[8], row[9])
        return list(found.values())

    def _condition(self, query: Query) -> tuple[str, list[Any]]:
        only = query.only
        wanted = {name: getattr(only, name, "") or getattr(query, name, "") for name in _WORDS}
        parts: list[str] = ["1"]
        values: list[Any] = []
        for name, text in wanted.items():
            if text:
                parts.append(f"{name} = ?")
                values.append(self._id(text))
        if only.decision:
            parts.append("decision = ?")
            values.append(key_of(only.decision))
        if only.kinds:
            parts.append(f"kind IN ({','.join('?' * len(only.kinds))})")
            values += [self._id(kind) for kind in sorted(only.kinds)]
        for moment, sign in ((only.since, ">="), (only.until, "<")):
            if moment is not None:
                parts += [f"time {sign} ?", f"time / 1000.0 {sign} ?"]
                values += [int(moment * 1000) + (0 if sign == ">=" else 1), moment]
        if query.resource is not None:
            condition, named = self._resource(query.resource)
            parts.append(condition)
            values += named
        return " AND ".join(parts), values

    def _resource(self, resource: Resource) -> tuple[str, list[Any]]:
        named = {"type": resource.type, "name": resource.name, "namespace": resource.namespace}
        given = {name: text for name, text in named.items() if text}
        condition = " AND ".join(["1", *(f"{name} = ?" for name in given)])
        return f"seq IN (SELECT seq FROM resources WHERE {condition})", [self._id(text) for text in given.values()]  # noqa: S608

    def _id(self, text: str) -> int:
        found = self._rows("SELECT id FROM words WHERE text = ?", [_text(text)])
        return found[0][0] if found else -1

    def _rows(self, select: str, values: list[Any]) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(select, values).fetchall()
        except sqlite3.Error as error:
            raise Unusable(str(error)) from error

    def _read(self, select: str, values: list[Any], query: Query) -> Iterator[Placed]:
        """The lines of the journal that stand where the index says, and are what is asked for."""
        files = {file_number(path): path for path in journal_files(self._directory)}
        traces = query.traces()
        with ExitStack() as stack:
            opened: dict[int, BinaryIO] = {}
            for number, begin in self._each(select, values):
                if number not in opened and number in files:
                    opened[number] = stack.enter_context(open_regular(files[number]))
                if number not in opened or type(begin) is not int or begin < 0:
                    continue
                opened[number].seek(begin)
                raw = opened[number].readline(_LONGEST)
                row = row_of(raw) if all(trace in raw for trace in traces) else None
                if row is not None and query.takes(row):
                    name = f"{WRITER}/{files[number].name}"
                    yield Placed(row, Place(name, begin), Place(name, begin + len(raw)))

    def _each(self, select: str, values: list[Any]) -> Iterator[tuple[int, int]]:
        try:
            yield from self._connection.execute(select, values)
        except sqlite3.Error as error:
            raise Unusable(str(error)) from error


class _Texts(dict[int | None, str]):
    """Words by number, read when they are needed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        super().__init__({None: ""})
        self._connection = connection

    def __missing__(self, number: int | None) -> str:
        (text,) = self._connection.execute("SELECT text FROM words WHERE id = ?", (number,)).fetchone()
        self[number] = str(text)
        return str(text)


def _add(  # noqa: PLR0913, PLR0917 (what is counted)
    session: SessionRow, words: _Texts, row: tuple[Any, ...], calls: int, masked: int, first: int, last: int
) -> None:
    target, verdict, flow = words[row[3]], words[row[4]], words[row[5]]
    session.calls += calls
    if calls:
        session.verdicts[verdict] += calls
    session.masked += masked
    session.first = min(session.first or first / 1000, first / 1000)
    session.last = max(session.last, last / 1000)
    if target and target not in session.targets:
        session.targets.append(target)
    if flow and flow not in session.files:
        session.files.append(flow)


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode()
