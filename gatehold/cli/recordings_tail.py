"""``gatehold recordings tail``: what is being recorded, as it is written; ``index``: how things are found again."""

import contextlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.output import FAILED, print_json
from gatehold.cli.recordings_words import row_json, row_line
from policy.model import Verdict

if TYPE_CHECKING:
    from gatehold.sinks.position import Position
    from recordings.listing import Row
    from recordings.querying import Query

_PAUSE: Final = 0.2
"""Seconds between two looks at a journal that had nothing new."""


def tail(
    config: ConfigOption,
    *,
    agent: Annotated[str, typer.Option("--agent", help="Only calls of this subject.")] = "",
    target: Annotated[str, typer.Option("--target", help="Only calls to this target.")] = "",
    rule: Annotated[str, typer.Option("--rule", help="Only calls that this rule decided.")] = "",
    verdict: Annotated[Verdict | None, typer.Option("--verdict", help="Only calls with this verdict.")] = None,
    session: Annotated[str, typer.Option("--session", help="Only this session.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All lines, not only how calls ended.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="So many that were written before.")] = 10,
    follow: Annotated[bool, typer.Option("--follow/--no-follow", help="Go on with what is written.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Show calls as they are recorded, until it is stopped. With --json one object per line."""
    from gatehold.config import load
    from recordings.listing import CALLS, Filter
    from recordings.querying import Query

    only = Filter(
        agent=agent,
        target=target,
        rule=rule,
        verdict=verdict.value if verdict else "",
        session=session,
        kinds=frozenset() if everything else CALLS,
    )
    data_dir = load(config).data_dir
    with contextlib.suppress(KeyboardInterrupt):
        for row in _rows(data_dir, Query(only=only), lines, follow=follow):
            typer.echo(json.dumps(row_json(data_dir, row)) if as_json else row_line(row))
            sys.stdout.flush()


def _rows(data_dir: Path, query: "Query", before: int, *, follow: bool) -> Iterator["Row"]:
    from gatehold.sinks.following import follow as read_on
    from recordings.listing import row_of

    position = _end(data_dir)  # what is written from now on is not among the last ones
    last = position.seq if position else 0
    yield from _last_ones(data_dir, query, before, last)
    while follow:
        if position is None:
            position = _end(data_dir, from_beginning=True)
        batch = read_on(data_dir, position) if position else None
        for line in batch.lines if batch else ():
            row = row_of(line.raw) if line.seq > last else None
            if row is not None and query.takes(row):
                yield row
        if batch is None or not batch.lines:
            time.sleep(_PAUSE)
        if batch is not None:
            position = batch.position
            last = max([last, *(line.seq for line in batch.lines)]) if not batch.again else last


def _last_ones(data_dir: Path, query: "Query", count: int, last: int) -> list["Row"]:
    from recordings.index.finding import newest

    if not count or not last:
        return []
    return [row for row in newest(data_dir, query, count) if row.seq <= last][::-1]


def _end(data_dir: Path, *, from_beginning: bool = False) -> "Position | None":
    """Behind the last whole line; None: there is no journal yet."""
    from gatehold.sinks.position import Position
    from recordings.journal import JOURNAL, WRITER, journal_files
    from recordings.lines import parse
    from recordings.scanning import backwards

    files = journal_files(data_dir / JOURNAL / WRITER)
    if not files:
        return None
    if from_beginning:
        return Position(file=files[-1].name)
    with files[-1].open("rb") as file:
        for begin, raw in backwards(file, file.seek(0, 2)):
            if line := parse(raw):
                end = begin + len(raw) + 1
                return Position(file=files[-1].name, offset=end, seq=line.seq, sha256=line.digest)
    return Position(file=files[-1].name)


def index(
    config: ConfigOption,
    *,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Throw it away first.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Bring the index up to the end of the journal. It is only a help: everything it says is read from the journal."""
    from gatehold.config import load
    from recordings.index.asking import Index
    from recordings.index.schema import Unusable, remove

    data_dir = load(config).data_dir
    began = time.monotonic()
    try:
        if rebuild:
            remove(data_dir)
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with Index(data_dir) as made:
            made.update()
            found = made.size()
    except (Unusable, OSError) as error:
        typer.echo(f"gatehold: {error}", err=True)
        raise typer.Exit(FAILED) from error
    if as_json:
        print_json({**found, "seconds": round(time.monotonic() - began, 3)})
    else:
        typer.echo(f"{found['lines']} lines of the journal, {found['bytes']} bytes")
