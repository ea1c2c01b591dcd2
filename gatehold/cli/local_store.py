"""For commands that work on the store of a configuration, on the gateway's own machine."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from policy.errors import ConfigurationError, GateholdError

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.store import Store

ConfigOption = Annotated[
    Path, typer.Option("--config", help="Directory of the configuration.", exists=True, file_okay=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Local:
    """An open store and the configuration that names it."""

    configuration: "Configuration"
    store: "Store"
    os_user: str


@contextmanager
def local_store(config: Path) -> Iterator[Local]:
    """Open the store of a configuration; problems end the command: 2 for the configuration, 1 for all others."""
    from gatehold.config import load
    from gatehold.store import open_store

    try:
        configuration = load(config)
        with open_store(configuration.gateway.spec.store.url, configuration.data_dir) as store:
            yield Local(configuration=configuration, store=store, os_user=os_user())
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    except GateholdError as error:
        typer.echo(f"gatehold: {error}", err=True)
        raise typer.Exit(1) from error


def os_user() -> str:
    """Name of the account that runs this process; its number when it has no name."""
    uid = os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
