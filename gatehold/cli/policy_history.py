"""What the commands about recorded calls share: where the recordings are, since when, and what could not be read."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli.output import counted, unusable
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


def history_of(configuration: "Configuration", recordings: Path | None, since: str) -> "History":
    """The recorded calls; ends the command where there are none."""
    from gatehold.history.reading import NoRecordings, read

    try:
        moment = moment_of(since, now=time.time()) if since else None
        return read(configuration.data_dir if recordings is None else recordings, since=moment)
    except (NoRecordings, OSError, ValueError) as error:
        unusable(str(error))


def operation_of(engine: "Engine", call: "RecordedCall") -> str:
    """The kind of call, for people."""
    from policy.errors import GateholdError
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
    if history.foreign:
        found.append(f"{counted(history.foreign, 'flow')} passed over: not calls of an agent to a registered target")
    return found
