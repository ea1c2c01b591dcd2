"""``--fetch``, as all commands that read recorded calls have it."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli.output import FAILED
from policy.errors import GateholdError

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.objects.finding import FlowFiles
    from recordings.listing import Row

FetchOption = Annotated[
    bool, typer.Option("--fetch", help="Read the flow files that are only in the bucket from there.")
]


@contextmanager
def flow_files(configuration: "Configuration", rows: "Iterable[Row]", *, fetch: bool) -> "Iterator[FlowFiles]":
    """The flow files of some lines; ends the command where they cannot be had."""
    from gatehold.objects import finding

    with ExitStack() as stack:
        try:
            files = stack.enter_context(finding.flow_files(configuration, rows, fetch=fetch))
        except (GateholdError, OSError) as error:
            typer.echo(f"gatehold: {error}", err=True)
            raise typer.Exit(FAILED) from error
        yield files
