"""Lines of the journal in the forms that others read. Pure.

``jsonl`` is the journal's own line, byte for byte, so that its hash can still be checked; ``ocsf`` is the OCSF event in
it; ``csv`` is a table (RFC 4180) for people, in which no cell is a formula.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from recordings.lines import canonical
from recordings.listing import Row
from recordings.moments import timestamp

COLUMNS: Final = (
    *("time", "seq", "kind", "session", "decision", "issuer", "agent", "target", "operation", "method", "path"),
    *("verdict", "code", "rule", "status", "approval", "masked", "message"),
)
_FORMULA: Final = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
"""What spreadsheets take for the beginning of a formula, also in its wide form."""


_NEXT_CELL: Final = re.compile(rf"(;\s*)(?=[{re.escape(''.join(_FORMULA))}])")
"""Where spreadsheets of some countries, which take the semicolon for the comma, would see the next cell."""


class Form(StrEnum):
    """Of an export."""

    JSONL = "jsonl"
    OCSF = "ocsf"
    CSV = "csv"


def exported(found: Iterable[tuple[Row, bytes]], form: Form) -> Iterator[str]:
    """The lines of the export, without line feeds."""
    match form:
        case Form.JSONL:
            return (raw.decode("ascii", "backslashreplace") for _, raw in found)
        case Form.OCSF:
            return (canonical(row.raw["event"]) for row, _ in found)
        case Form.CSV:
            return _table(row for row, _ in found)


def cells(row: Row) -> tuple[str, ...]:
    """A line as the cells of a table, in the order of ``COLUMNS``."""
    masked = " ".join(f"{entity}:{count}" for entity, count in sorted(row.masked.items()))
    what = (row.kind, row.session, row.decision, row.issuer, row.agent, row.target, row.operation, row.method, row.path)
    how = (row.verdict, row.code, row.rule, "" if row.status is None else str(row.status), row.approval)
    return (timestamp(row.time), str(row.seq), *what, *how, masked, row.message)


def harmless(cell: str) -> str:
    """A cell that a spreadsheet shows and does not obey: agents choose what stands in it."""
    plain = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in cell)
    plain = _NEXT_CELL.sub(r"\1'", plain)
    return f"'{plain}" if plain.lstrip().startswith(_FORMULA) else plain


def joined(cells: Iterable[str]) -> str:
    """Cells as one row of RFC 4180, without its line feed."""
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="").writerow(cells)
    return text.getvalue()


def _table(rows: Iterable[Row]) -> Iterator[str]:
    yield joined(COLUMNS)
    for row in rows:
        yield joined(harmless(cell) for cell in cells(row))
