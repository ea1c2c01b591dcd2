"""``gatehold ca``: the certificate that agents must trust."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)


@app.callback(invoke_without_command=True)
def ca(
    config: Annotated[Path, typer.Option(help="Directory of the configuration.", exists=True, file_okay=False)],
) -> None:
    """Print the gateway's CA certificate (PEM); it is made if there is none yet."""
    from gatehold.authority import load_or_create
    from gatehold.config import load
    from policy.errors import ConfigurationError

    try:
        authority = load_or_create(load(config).data_dir)
    except (ConfigurationError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from None
    typer.echo(authority.pem.decode("ascii"), nl=False)
