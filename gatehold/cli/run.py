"""``gatehold run``: serve."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer()


@app.command()
def run(
    config: Annotated[Path, typer.Option("--config", help="Directory of configuration documents.")],
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell more of what the proxy does.")] = False,
) -> None:
    """Serve agents until SIGINT or SIGTERM."""
    from addons import lean_imports

    lean_imports.install()
    from addons import launcher
    from gatehold.config import load

    launcher.run(load(config), verbosity="info" if verbose else "warn")
