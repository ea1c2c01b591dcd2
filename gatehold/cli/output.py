"""How commands speak: JSON for programs, tables for people, problems one per line, and what their exit codes mean."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NoReturn

import typer

from policy.model import Problem

FINE: Final = 0
FAILED: Final = 1
"""What was checked does not hold."""
UNUSABLE: Final = 2
"""Wrong usage, or a configuration that cannot be used."""


def print_json(value: Any) -> None:
    """One JSON value on one line."""
    typer.echo(json.dumps(value))


def print_items(items: Iterable[Mapping[str, Any]], **further: Any) -> None:
    """A list as programs read it; ``further`` members stand beside the items."""
    print_json({"items": [dict(item) for item in items], **further})


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table whose cells are never cut off, with what a terminal would obey made visible."""
    from gatehold.approvals.rendering import columns

    for line in columns(header, list(rows)):
        typer.echo(line)


def print_problems(problems: Iterable[Problem], *, err: bool) -> None:
    """Each problem on a line, as ``file:line: message``."""
    for problem in problems:
        typer.echo(str(problem), err=err)


def counted(count: int, what: str) -> str:
    """``1 rule``, ``2 rules``."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def unusable(message: str) -> NoReturn:
    """End the command: it cannot be run like this."""
    typer.echo(f"gatehold: {message}", err=True)
    raise typer.Exit(UNUSABLE)
