"""What is to be replaced in a table of text (RFC 4180; also with semicolons, tabs or bars).

The first record names the columns, unless its cells are no names: then the first one does that has a telling name in
it, which may come after a title. A cell is judged by the name of its column and by its looks. A record with too many or
too few cells may have slipped: its cells are judged by the names of all columns that they could belong to.
"""

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from masking.edits import Edit, shift
from masking.errors import Unmaskable
from masking.formats.segments import Segment, hidden, rule_for
from masking.formats.text import TextMasker
from masking.memory import remembered
from masking.plan import Plan
from masking.views import View

_DELIMITERS = ",;\t|"
_SEPARATOR = re.compile(r"sep=([,;\t|])\r?\n")
_LONGEST_NAME = 256
_QUOTED = r'[ ]*+"((?:[^"]|"")*+)"[ ]*+'
_CELLS = {
    mark: re.compile(rf'(?:{_QUOTED}|((?![ ]*+")[^{re.escape(mark)}\r\n]*+))({re.escape(mark)}|\r\n|\n|\r|\Z)')
    for mark in _DELIMITERS
}


@dataclass(frozen=True, slots=True)
class Cell:
    """``text[start:end]``, without the quotes around it."""

    start: int
    end: int
    quoted: bool


class TableMasker:
    """Masks tables by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan, texts: TextMasker) -> None:
        self._plan = plan
        self._texts = texts
        self._rule = remembered(lambda name: rule_for(name, plan))

    def edits(self, text: str, *, tabs: bool = False, headless: bool = False) -> list[Edit]:
        """What is to be replaced in a table; raises ``Unmaskable`` if its quotes do not match.

        ``tabs``: it says that its cells are parted by them. ``headless``: it says that it names no columns.
        """
        stated = _SEPARATOR.match(text)
        position = stated.end() if stated else 0
        delimiter = stated[1] if stated else "\t" if tabs else _delimiter(text)
        records = _records(text, position, delimiter)
        _, first = next(records, (position, []))
        names = [] if headless else self._names(text, first)
        body = position
        if names:
            body, first = next(records, (len(text), []))
        spans = array("q")
        found: list[Edit] = []
        for record in chain([first], (cells for _, cells in records)):
            telling = [] if headless else self._telling_names(text, record, names)
            if telling:
                names = telling
                spans.extend(edge for cell in record for edge in (cell.start, cell.end))
            else:
                found += self._in_record(text, record, names, spans, delimiter)
        return [*found, *self._by_looks(text, body, spans, delimiter)]

    def _names(self, text: str, cells: list[Cell]) -> list[str]:
        """The names of the columns; none if the record holds a value, so that it is a record like any other."""
        names = _texts_in(text, cells)
        if any(not _is_name(name) or self._texts.edits(name) for name in {*names} - {""}) or not any(names):
            return []
        return names

    def _telling_names(self, text: str, cells: list[Cell], known: list[str]) -> list[str]:
        """The names of the columns where none are known yet, but for a title: those of a record with one that tells."""
        if known and (len(known) > 1 or len(cells) == 1 or self._rule(known[0])):
            return []
        names = _texts_in(text, cells)
        return names if any(map(self._rule, names)) else []

    def _in_record(
        self, text: str, record: list[Cell], names: list[str], spans: "array[int]", delimiter: str
    ) -> Iterator[Edit]:
        slip = len(record) - len(names)
        for index, cell in enumerate(record):
            spans.extend((cell.start, cell.end))
            if cell.start == cell.end:
                continue
            candidates = names[max(index - max(slip, 0), 0) : index + max(-slip, 0) + 1] if names else []
            rules = [rule for rule in map(self._rule, candidates) if rule]
            if rules:
                rule = max(rules, key=lambda each: each.treatment.strictness)
                segment = _segment(text, cell, delimiter)
                yield from (segment.placed(edit) for edit in hidden(segment.text, rule, self._plan))
                continue
            raw = text[cell.start : cell.end]
            lifting = [name for name in candidates if self._plan.judge.lifted_by(name)]
            if lifting or "{" in raw or "[" in raw or '""' in raw:
                segment = _segment(text, cell, delimiter)
                for name in lifting or [""]:
                    yield from (segment.placed(edit) for edit in self._texts.edits(segment.text, name))

    def _by_looks(self, text: str, body: int, spans: "array[int]", delimiter: str) -> Iterator[Edit]:
        """What is found in all records as one text, cut to the cells."""
        starts = spans[::2]
        for each in self._texts.edits(text[body:]):
            edit = shift(each, body)
            for index in range(max(bisect_right(starts, edit.start) - 1, 0), len(starts)):
                start, end = max(edit.start, starts[index]), min(edit.end, spans[2 * index + 1])
                if starts[index] >= edit.end:
                    break
                if start < end:
                    quoted = text[starts[index] - 1 : starts[index]] == '"'
                    written = _written(edit.replacement, delimiter, quoted=quoted)
                    yield replace(edit, start=start, end=end, replacement=written)
                    edit = replace(edit, replacement="")


def _records(text: str, position: int, delimiter: str) -> Iterator[tuple[int, list[Cell]]]:
    """The records, each with where it begins."""
    begin, cells = position, list[Cell]()
    match_at = _CELLS[delimiter].match
    while position < len(text):
        match = match_at(text, position)
        if match is None:
            raise Unmaskable("a quoted cell of the table is malformed")
        group = 1 if match[1] is not None else 2
        cells.append(Cell(match.start(group), match.end(group), group == 1))
        position = match.end()
        if match[3] != delimiter or position == len(text):
            yield begin, cells
            begin, cells = position, []


def _delimiter(text: str) -> str:
    """What parts the cells of the first record, as far as its characters tell."""
    bare = re.sub(r'"[^"]*+"', "", text[: 1 << 16])
    line = re.match(r"[^\r\n]*", bare.lstrip("\r\n"))
    counts = {delimiter: line[0].count(delimiter) if line else 0 for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda each: counts[each])


def _is_name(cell: str) -> bool:
    return len(cell) <= _LONGEST_NAME and not re.fullmatch(r"[\d\s.,:/+()$€%-]+|.*[{}=@\n].*", cell, re.DOTALL)


def _texts_in(text: str, cells: list[Cell]) -> list[str]:
    return [_value(text, cell).text.strip().lstrip("\ufeff") for cell in cells]


def _value(text: str, cell: Cell) -> View:
    raw = text[cell.start : cell.end]
    if not cell.quoted or '""' not in raw:
        return View(raw)
    decoded, origins = [0], [0]
    for count, match in enumerate(re.finditer('""', raw)):
        decoded.append(match.end() - count - 1)
        origins.append(match.end())
    return View(raw.replace('""', '"'), decoded, origins)


def _segment(text: str, cell: Cell, delimiter: str) -> Segment:
    return Segment(cell.start, cell.end, _value(text, cell), partial(_written, delimiter=delimiter, quoted=cell.quoted))


def _written(value: str, delimiter: str, *, quoted: bool) -> str:
    """A text as the inside of a cell."""
    if quoted:
        return value.replace('"', '""')
    if delimiter in value or value.startswith('"') or "\n" in value or "\r" in value:
        raise Unmaskable("a replacement does not fit into a table")
    return value
