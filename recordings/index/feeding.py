"""Brings the index up to the end of the journal, a few hundred lines in a transaction.

Several processes may do so at the same time: each transaction begins where the last one ended. Lines that a failed
write took back, files that retention deleted and a journal that is another one are noticed, and what was known of them
is forgotten.
"""

import sqlite3
import time as clocks
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recordings.index.schema import key_of
from recordings.journal import JOURNAL, WRITER, file_number, journal_files
from recordings.lines import Line, parse
from recordings.listing import Row, row_of
from recordings.querying import resources_of
from recordings.regular import LONGEST, lines_of, open_regular

_AT_ONCE: Final = 500
"""Lines of one transaction."""
_PAUSE: Final = 0.001
"""Seconds for which a gentle feeder lets others run, after a few lines each."""
_MOST_WORDS: Final = 200_000
_INSERT: Final = f"INSERT OR REPLACE INTO lines VALUES ({','.join('?' * 17)})"  # noqa: S608 (no input in it)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """Behind the last line that is known."""

    chain: str
    file: str
    begin: int
    """Where that line begins in its file."""
    end: int
    digest: str
    seq: int
    first: int
    """Number of the oldest file of which lines are known."""


class Feeder:
    """Belongs to one thread at a time; methods raise sqlite3.Error and OSError."""

    def __init__(self, data_dir: Path, connection: sqlite3.Connection) -> None:
        self._directory = data_dir / JOURNAL / WRITER
        self._connection = connection
        self._words: dict[str, int] = {}

    def update(self, *, seconds: float | None = None, gentle: bool = False) -> bool:
        """Read on; False where the time was over before the journal was."""
        ends = None if seconds is None else clocks.monotonic() + seconds
        while True:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                read = self._turn(gentle=gentle)
            except BaseException:
                self._words.clear()
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
            if not read:
                return True
            if ends is not None and clocks.monotonic() >= ends:
                return False

    def _turn(self, *, gentle: bool) -> int:
        files = {path.name: path for path in journal_files(self._directory)}
        if not files:
            return 0
        place = self._checked(files)
        rows: list[tuple[Any, ...]] = []
        read, last = 0, place
        for path, begin, raw, line in self._lines(files, place):
            if line is None:
                continue
            if last.chain and line.chain != last.chain:
                self._forget_all()
                return 1
            row = row_of(raw)
            if row is not None:
                rows.append(self._row(path, begin, row))
            end = begin + len(raw) + 1
            last = _Place(
                chain=line.chain,
                file=path.name,
                begin=begin,
                end=end,
                digest=line.digest,
                seq=line.seq,
                first=last.first or file_number(path),
            )
            read += 1
            if read >= _AT_ONCE:
                break
            if gentle and read % 20 == 0:
                clocks.sleep(_PAUSE)
        self._connection.executemany(_INSERT, rows)
        if last != place:
            self._keep(last)
        return read

    def _lines(self, files: dict[str, Path], place: _Place) -> Iterator[tuple[Path, int, bytes, Line | None]]:
        for name in sorted(files, key=lambda each: file_number(Path(each))):
            if place.file and file_number(Path(name)) < file_number(Path(place.file)):
                continue
            begin = place.end if name == place.file else 0
            with open_regular(files[name]) as file:
                file.seek(begin)
                for raw in lines_of(file):
                    if not raw.endswith(b"\n"):
                        break
                    yield files[name], begin, raw[:-1], parse(raw[:-1])
                    begin += len(raw)

    def _checked(self, files: dict[str, Path]) -> _Place:
        """Where to go on; what is known and not in the journal any more is forgotten."""
        place = self._known()
        first = min(file_number(Path(name)) for name in files)
        if place.file and place.first < first:
            self._forget("file < ?", first)
            place = self._moved(place, first=first)
        if not place.file or file_number(Path(place.file)) < first:
            return place
        if place.file not in files:
            return self._forget_all()
        with open_regular(files[place.file]) as file:
            file.seek(place.begin)
            line = parse(file.read(place.end - place.begin)[:-1])
        if place.digest and (line is None or line.digest != place.digest):
            self._forget("file >= ?", file_number(Path(place.file)))
            return self._moved(place, begin=0, end=0, digest="")
        return place

    def _known(self) -> _Place:
        """What the index says; one that was damaged knows nothing."""
        found = self._connection.execute(_SELECT).fetchone()
        kinds = tuple(map(type, found or ()))
        if kinds == (str, str, int, int, str, int, int) and 0 <= found[2] <= found[3] <= found[2] + LONGEST:
            return _Place(**dict(zip(_Place.__slots__, found, strict=True)))
        self._connection.execute("DELETE FROM place")
        self._connection.execute("INSERT INTO place VALUES ('', '', 0, 0, '', 0, 0)")
        return self._forget_all()

    def _moved(self, place: _Place, **changes: Any) -> _Place:
        moved = _Place(**{name: getattr(place, name) for name in _Place.__slots__} | changes)
        self._keep(moved)
        return moved

    def _keep(self, place: _Place) -> None:
        values = tuple(getattr(place, name) for name in _Place.__slots__)
        self._connection.execute(f"UPDATE place SET ({','.join(_Place.__slots__)}) = (?,?,?,?,?,?,?)", values)  # noqa: S608

    def _forget(self, where: str, number: int) -> None:
        of_lines = f"SELECT seq FROM lines WHERE {where}"  # noqa: S608 (a condition of ours)
        self._connection.execute(f"DELETE FROM resources WHERE seq IN ({of_lines})", (number,))  # noqa: S608
        self._connection.execute(f"DELETE FROM lines WHERE {where}", (number,))  # noqa: S608

    def _forget_all(self) -> _Place:
        self._words.clear()
        for table in ("lines", "resources", "words"):
            self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
        place = _Place(chain="", file="", begin=0, end=0, digest="", seq=0, first=0)
        self._keep(place)
        return place

    def _row(self, path: Path, begin: int, row: Row) -> tuple[Any, ...]:
        for each in resources_of(row):
            thing = (self._word(str(each.get(key, "")), empty=True) for key in ("type", "name", "namespace"))
            self._connection.execute("INSERT OR REPLACE INTO resources VALUES (?,?,?,?)", (*thing, row.seq))
        return (
            row.seq,
            file_number(path),
            begin,
            round(row.time * 1000),
            self._word(row.kind),
            self._word(row.session),
            key_of(row.decision) if row.decision else None,
            self._word(row.agent),
            self._word(row.issuer),
            self._word(row.target),
            self._word(row.rule),
            self._word(row.verdict),
            self._word(row.code),
            self._word(row.approval),
            self._word(row.file),
            sum(row.masked.values()),
            row.part,
        )

    def _word(self, text: str, *, empty: bool = False) -> int | None:
        """Its number; of no word there is none, unless ``empty`` asks for one."""
        if not text and not empty:
            return None
        found = self._words.get(text)
        if found is None:
            text_ = text.encode("utf-8", "replace").decode()
            self._connection.execute("INSERT OR IGNORE INTO words (text) VALUES (?)", (text_,))
            found = self._connection.execute("SELECT id FROM words WHERE text = ?", (text_,)).fetchone()[0]
            if len(self._words) >= _MOST_WORDS:
                self._words.clear()
            self._words[text] = found
        return found


_SELECT: Final = f"SELECT {','.join(_Place.__slots__)} FROM place"  # noqa: S608
