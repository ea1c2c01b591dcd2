"""Tables of HTML: what the head of a column, or the cell that a row begins with, calls a cell."""

from dataclasses import dataclass, field

_CELLS = frozenset({"td", "th"})
_LONGEST = 64
"""Characters of a cell that are kept: a longer text is no name."""


@dataclass(slots=True)
class Cell:
    """What a cell says, as far as it could be a name."""

    heads: bool
    """Whether it may name other cells."""
    text: str = ""
    row: "Row | None" = None

    def say(self, text: str) -> None:
        """Takes more text of the cell."""
        if self.heads and len(self.text) <= _LONGEST:
            self.text = f"{self.text} {text[: 2 * _LONGEST].strip()}".strip()[: _LONGEST + 1]

    @property
    def names(self) -> tuple[str, ...]:
        """What it calls others."""
        return (self.text,) if self.text and len(self.text) <= _LONGEST else ()


@dataclass(slots=True)
class Table:
    """The heads of its columns so far."""

    heads: dict[int, Cell] = field(default_factory=dict)
    rows: int = 0


@dataclass(slots=True)
class Row:
    """The cells of it so far."""

    table: Table
    first: bool
    cells: int = 0
    head: Cell | None = None
    """The cell that it begins with, or the last one that says that it is a head."""


type Place = Table | Row | Cell
"""Where in a table something stands."""


def placed(name: str, above: Place | None) -> tuple[Place | None, tuple[str, ...]]:
    """Where an element stands that is opened at a place, and what it is called there; ``name`` is in lower case."""
    row = above.row if isinstance(above, Cell) else above
    if name == "table":
        return Table(), ()
    if name == "tr" and row is not None:
        table = row.table if isinstance(row, Row) else row
        table.rows += 1
        return Row(table, first=table.rows == 1), ()
    if name in _CELLS and isinstance(row, Row):
        return _cell(name, row)
    return above, ()


def _cell(name: str, row: Row) -> tuple[Cell, tuple[str, ...]]:
    index, row.cells = row.cells, row.cells + 1
    cell = Cell(heads=name == "th" or row.first or index == 0, row=row)
    above = row.table.heads.get(index)
    names = [each for head in (above, row.head) if head for each in head.names] if name == "td" else []
    if name == "th" or row.first:
        row.table.heads[index] = cell
    if name == "th" or index == 0:
        row.head = cell
    return cell, tuple(names)
