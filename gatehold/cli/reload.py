"""``gatehold reload``: ask the gateways that run to read their files anew, and wait for what they say."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, Local, local_store
from gatehold.cli.output import FAILED, print_items

if TYPE_CHECKING:
    from gatehold.reloading.asking import Attempt
    from gatehold.reloading.reports import Report

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_LOOK: Final = 0.2
_OTHERS: Final = 3.0
"""Seconds after the first answer in which other gateways on the same store are waited for; SQLite's has one only."""

Accept = Annotated[
    bool, typer.Option("--accept-removals", help="Rules, masks and files that protected before may be gone.")
]
Timeout = Annotated[float, typer.Option("--timeout", min=1.0, help="Seconds to wait for the first answer.")]


@app.command()
def reload(
    *, config: ConfigOption, accept_removals: Accept = False, timeout: Timeout = 60.0, as_json: JsonOption = False
) -> None:
    """Bring the files into force in every gateway on their store; exit 0 where all did, with what changed."""
    with local_store(config) as local:
        attempt = _asked(local, accept_removals=accept_removals, timeout=timeout)
        revision, directory = local.configuration.revision, config
    answers = attempt.answers if attempt else {}
    if as_json:
        print_items({"gateway": name, **report.to_json()} for name, report in answers.items())
    else:
        _print(answers, revision, directory)
    good = all(report.outcome.is_good and report.revision == revision for report in answers.values())
    if not answers or not good:
        raise typer.Exit(FAILED)


def _asked(local: Local, *, accept_removals: bool, timeout: float) -> "Attempt | None":
    """What gateways answered; None where none did in time."""
    from gatehold.reloading import asking

    now, revision = time.time(), local.configuration.revision
    with local.store.writing() as connection:
        by = f"os:{local.os_user}"
        question = asking.ask(connection, by=by, accept_removals=accept_removals, revision=revision, now=now)
    ends, found = time.monotonic() + timeout, None
    others = 0.0 if local.configuration.gateway.spec.store.url.startswith("sqlite") else _OTHERS
    while time.monotonic() < ends:
        time.sleep(_LOOK)
        with local.store.reading() as connection:
            attempt = asking.find(connection, question)
        if attempt is not None and attempt.answers and found is None:
            found, ends = attempt, time.monotonic() + others
        found = attempt if found is not None else None
    return found


def _print(answers: "dict[str, Report]", revision: str, directory: Path) -> None:
    from gatehold.approvals.rendering import visible

    for name, report in answers.items():
        first, *more = report.lines()
        typer.echo(f"{name}: {visible(first)}")
        for line in more:
            typer.echo(visible(line))
        if report.revision and report.revision != revision:
            typer.echo(f"  it reads other files than {directory}: revision {report.revision[:12]}, not {revision[:12]}")
    if not answers:
        typer.echo("no gateway answered: is one running on this store? Changes of it or of dataDir take a restart.")
