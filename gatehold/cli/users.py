"""``gatehold users``: the people who may answer approvals."""

import json
import time
from typing import Annotated

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, local_store

app = typer.Typer(no_args_is_help=True, help="People known to the store, and their groups.")

Name = Annotated[str, typer.Argument(help="Name of the user.")]


@app.command()
def add(
    name: Name,
    config: ConfigOption,
    group: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="A group; may be given several times.")
    ] = None,
) -> None:
    """Add a user, or add groups to one who exists."""
    from gatehold.approvals.rendering import visible
    from gatehold.store.users import add_user

    with local_store(config) as local, local.store.writing() as connection:
        user = add_user(connection, name, group or (), by=f"os:{local.os_user}", now=time.time())
    typer.echo(f"{visible(user.name)}: {visible(', '.join(user.groups)) or 'no groups'}")


@app.command("list")
def list_(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Show all users."""
    from gatehold.approvals.rendering import columns
    from gatehold.store.users import all_users

    with local_store(config) as local, local.store.reading() as connection:
        users = all_users(connection)
    if as_json:
        typer.echo(json.dumps({"items": [{"name": user.name, "groups": list(user.groups)} for user in users]}))
        return
    for line in columns(("NAME", "GROUPS"), [(user.name, ", ".join(user.groups)) for user in users]):
        typer.echo(line)


@app.command()
def remove(name: Name, config: ConfigOption) -> None:
    """Remove a user. A yes of theirs that was not used yet no longer counts."""
    from gatehold.approvals.rendering import visible
    from gatehold.store.users import remove_user

    with local_store(config) as local, local.store.writing() as connection:
        remove_user(connection, name, by=f"os:{local.os_user}", now=time.time())
    typer.echo(f"{visible(name)} removed")
