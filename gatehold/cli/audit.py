"""``gatehold audit``: is the record what was written, and what does it say?"""

import typer

from gatehold.cli import audit_query
from gatehold.cli.audit_verify import verify
from gatehold.cli.local_store import ConfigOption
from gatehold.cli.recordings import data_directory
from policy.errors import GateholdError

app = typer.Typer(no_args_is_help=True, help="The audit journal: what it says, and proof that it was not altered.")
app.command()(audit_query.query)
app.command()(audit_query.export)
app.command()(verify)


@app.command("key")
def key_(config: ConfigOption) -> None:
    """Print the public key that checkpoints are signed with. Keep a copy away from the gateway."""
    from recordings.checkpoints import public_pem, signing_key

    try:
        typer.echo(public_pem(signing_key(data_directory(config)).public_key()), nl=False)
    except (GateholdError, OSError) as error:
        typer.echo(f"gatehold: {error}", err=True)
        raise typer.Exit(1) from error
