"""What the commands about recorded calls share: where the recordings are, since when, and what could not be read."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli.output import counted, unusable
from policy.errors import GateholdError
from recordings.moments import moment_of

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.history.reading import History
    from policy.engine import Engine
    from policy.history.inputs import RecordedCall

RecordingsOption = Annotated[
    Path | None,
    typer.Option(
        "--recordings", help="A flow file, a directory of them, or a data directory; left out: the configuration's."
    ),
]
SinceOption = Annotated[str, typer.Option("--since", help="Only calls since then: 30m, 24h, 7d or a date.")]


@contextmanager
def history_of(
    configuration: "Configuration", recordings: Path | None, since: str, *, fetch: bool
) -> "Iterator[History]":
    """The recorded calls; ends the command where there are none."""
    if fetch and recordings is not None:
        unusable("--fetch reads what the configuration's data directory had: leave out --recordings")
    with ExitStack() as stack:
        try:
            moment = moment_of(since, now=time.time()) if since else None
            history = _read(configuration, recordings, moment, stack, fetch=fetch)
        except (GateholdError, OSError, ValueError) as error:
            unusable(str(error))
        yield history


def _read(
    configuration: "Configuration", recordings: Path | None, since: float | None, stack: ExitStack, *, fetch: bool
) -> "History":
    from gatehold.history.reading import NoRecordings, read
    from gatehold.objects.finding import all_flow_files

    if recordings is not None:
        return read(recordings, since=since)
    files = stack.enter_context(all_flow_files(configuration, since=since, fetch=fetch))
    try:
        history = read(*files.directories, since=since)
    except NoRecordings as error:
        raise NoRecordings("; ".join(words for words in (str(error), files.left) if words)) from None
    history.left = files.left
    return history


def operation_of(engine: "Engine", call: "RecordedCall") -> str:
    """The kind of call, for people."""
    from policy.history.requests import reread
    from policy.history.shapes import operation

    traits = engine.targets.get(call.target)
    try:
        return f"{call.request.method} ?" if traits is None else operation(reread(call, traits).action)
    except GateholdError:
        return f"{call.request.method} ?"


def remarks(history: "History") -> list[str]:
    """What was passed over."""
    found = []
    if history.unreadable:
        names = ", ".join(map(str, history.unreadable))
        found.append(f"{counted(len(history.unreadable), 'file')} with a part that cannot be read: {names}")
    if history.left:
        found.append(history.left)
    if history.foreign:
        found.append(f"{counted(history.foreign, 'flow')} passed over: not calls of an agent to a registered target")
    return found
