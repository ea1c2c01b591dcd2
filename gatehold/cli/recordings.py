"""``gatehold recordings``: what agents did, from the journal and the flow files."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli import recordings_fetch, recordings_keep, recordings_tail
from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.recordings_export import export
from gatehold.cli.recordings_open import open_
from gatehold.cli.recordings_words import plain, row_cells, row_json, session_cells, session_json, table
from policy.errors import ConfigurationError
from policy.model import Verdict
from recordings.moments import moment_of

if TYPE_CHECKING:
    from recordings.querying import Resource

app = typer.Typer(no_args_is_help=True, help="What agents did: sessions, timelines, replays in mitmweb.")
for keeping in (recordings_keep.hold, recordings_keep.release, recordings_keep.holds, recordings_keep.prune):
    app.command()(keeping)
app.command()(recordings_fetch.fetch)
app.command()(recordings_tail.tail)
app.command()(recordings_tail.index)


@app.command("list")
def list_(
    config: ConfigOption,
    *,
    agent: Annotated[str, typer.Option("--agent", help="Only calls of this subject.")] = "",
    target: Annotated[str, typer.Option("--target", help="Only calls to this target.")] = "",
    rule: Annotated[str, typer.Option("--rule", help="Only calls that this rule decided.")] = "",
    verdict: Annotated[Verdict | None, typer.Option("--verdict", help="Only calls with this verdict.")] = None,
    code: Annotated[str, typer.Option("--code", help="Only calls with this code of a refusal.")] = "",
    resource: Annotated[
        str,
        typer.Option("--resource", help="TYPE, TYPE/NAME or NAMESPACE/TYPE/NAME; * is any.", metavar="RESOURCE"),
    ] = "",
    approval: Annotated[str, typer.Option("--approval", help="Only calls that needed this approval.")] = "",
    since: Annotated[str, typer.Option("--since", help="Only calls since then: 30m, 24h, 7d or a date.")] = "",
    until: Annotated[str, typer.Option("--until", help="Only calls before then.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show the sessions, with what they asked for and how it was answered."""
    from recordings.index.finding import sessions
    from recordings.listing import Filter
    from recordings.querying import Query

    data_dir = data_directory(config)
    only = Filter(
        agent=agent,
        target=target,
        rule=rule,
        verdict=verdict.value if verdict else "",
        since=_moment(since),
        until=_moment(until),
    )
    found = sessions(data_dir, Query(only=only, code=code, approval=approval, resource=_resource(resource)))
    if as_json:
        typer.echo(json.dumps({"items": [session_json(data_dir, session) for session in found]}))
        return
    rows = [session_cells(session) for session in found]
    table(("SESSION", "AGENT", "TARGETS", "CALLS", "VERDICTS", "MASKED", "LAST", "FILES"), rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    as_json: JsonOption = False,
) -> None:
    """Show what happened in a session, or to one call, in order."""
    from recordings.index.finding import timeline

    data_dir = data_directory(config)
    found = timeline(data_dir, name)
    if not found:
        _fail(f"nothing was recorded of {plain(name)}")
    if as_json:
        typer.echo(json.dumps({"items": [row_json(data_dir, row) for row in found]}))
        return
    table(
        ("TIME", "KIND", "DECISION", "OPERATION", "VERDICT", "CODE", "RULE", "STATUS", "MASKED", "REMARK"),
        [row_cells(row) for row in found],
    )


app.command("open")(open_)
app.command()(export)


def data_directory(config: Path) -> Path:
    """Where a configuration keeps its data; problems end the command with 2."""
    from gatehold.config import load

    try:
        return load(config).data_dir
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _moment(text: str) -> float | None:
    try:
        return moment_of(text, now=time.time()) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _resource(text: str) -> "Resource | None":
    from recordings.querying import Resource

    try:
        return Resource.parse(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _fail(message: str) -> None:
    typer.echo(f"gatehold: {message}", err=True)
    raise typer.Exit(1)
