"""Lines of the journal and sessions, for people and for programs."""

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from recordings.moments import timestamp

if TYPE_CHECKING:
    from recordings.listing import Row, SessionRow


def session_json(data_dir: Path, session: "SessionRow") -> dict[str, Any]:
    """One session."""
    files = [str(data_dir / file) for file in session.files]
    words = {key: value for key, value in asdict(session).items() if key != "streams"}
    return words | {
        "file": files[0] if files else "",
        "files": files,
        "first": timestamp(session.first),
        "last": timestamp(session.last),
        "target": ",".join(session.targets),
        "verdicts": dict(session.verdicts),
    }


def session_cells(session: "SessionRow") -> tuple[str, ...]:
    """The same for a table."""
    verdicts = " ".join(f"{verdict}:{count}" for verdict, count in sorted(session.verdicts.items()))
    cells = (session.session or "-", session.agent or "-", ",".join(session.targets), str(session.calls), verdicts)
    return (*cells, str(session.masked or ""), timestamp(session.last), " ".join(session.files))


def row_json(data_dir: Path, row: "Row") -> dict[str, Any]:
    """One line of the journal."""
    words = {key: value for key, value in asdict(row).items() if key != "raw"}
    return words | {
        "event": row.raw["event"],
        "file": str(data_dir / row.file) if row.file else "",
        "time": timestamp(row.time),
    }


def row_cells(row: "Row") -> tuple[str, ...]:
    """The same for a table."""
    masked = sum(row.masked.values())
    words = (row.kind, row.decision, row.operation, row.verdict, row.code, row.rule, str(row.status or ""))
    return (timestamp(row.time), *words, str(masked or ""), row.message)


def row_line(row: "Row") -> str:
    """The same on one line, without columns: nobody knows how wide the next one will be."""
    status = "" if row.status is None else str(row.status)
    words = (
        timestamp(row.time),
        row.agent or "-",
        row.target,
        row.operation or row.kind,
        row.verdict,
        row.code,
        status,
    )
    return "  ".join(plain(word) for word in (*words, row.rule, row.message) if word)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Columns as wide as they need to be; the last one runs on."""
    lines = [head, *([plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def plain(text: str) -> str:
    """Agents choose what stands in here: nothing of it may steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
