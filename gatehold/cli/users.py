"""``gatehold users``: the people who may answer approvals, and how they prove who they are."""

import json
import sys
import time
from typing import Annotated

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, local_store

app = typer.Typer(no_args_is_help=True, help="People known to the store, their groups, passwords and tokens.")

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
    from gatehold.store.users import User, all_users

    def login(user: User) -> str | None:
        return "oidc" if user.issuer else "password" if user.has_password else None

    with local_store(config) as local, local.store.reading() as connection:
        users = all_users(connection)
    if as_json:
        items = [{"name": user.name, "groups": list(user.groups), "login": login(user)} for user in users]
        typer.echo(json.dumps({"items": items}))
        return
    rows = [(user.name, ", ".join(user.groups), login(user) or "none") for user in users]
    for line in columns(("NAME", "GROUPS", "LOGIN"), rows):
        typer.echo(line)


@app.command()
def remove(name: Name, config: ConfigOption) -> None:
    """Remove a user, with sessions and tokens. A yes of theirs that was not used yet no longer counts."""
    from gatehold.approvals.rendering import visible
    from gatehold.store.users import remove_user

    with local_store(config) as local, local.store.writing() as connection:
        remove_user(connection, name, by=f"os:{local.os_user}", now=time.time())
    typer.echo(f"{visible(name)} removed")


@app.command()
def password(
    name: Name,
    config: ConfigOption,
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the password from standard input, one line.")] = False,
) -> None:
    """Give a local user a password for the console. Their sessions end."""
    from gatehold.approvals.rendering import visible
    from gatehold.people.passwords import Passwords

    with local_store(config) as local:
        typed = sys.stdin.readline().rstrip("\r\n") if stdin else _prompt()
        tokens = Passwords(local.store, time.time).set(name, typed, by=f"os:{local.os_user}")
    typer.echo(f"{visible(name)} has a new password; their sessions ended")
    if tokens:
        typer.echo(f"{tokens} API tokens of theirs stay good: gatehold users tokens", err=True)


@app.command()
def token(
    name: Name,
    config: ConfigOption,
    label: Annotated[str, typer.Option("--label", "-l", help="What it is for.")],
    ttl: Annotated[str, typer.Option("--ttl", help="How long it lives, as in 90d.")] = "90d",
) -> None:
    """Make an API token for a user's programs. It is printed once, and kept as a digest only."""
    from gatehold.people.tokens import Tokens
    from policy.rules.quantities import parse_duration

    try:
        seconds = parse_duration(ttl)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--ttl") from error
    with local_store(config) as local:
        made = Tokens(local.store, time.time).make(name, label=label, ttl=seconds, by=f"os:{local.os_user}")
    typer.echo(made.text)


@app.command()
def tokens(
    config: ConfigOption,
    name: Annotated[str | None, typer.Argument(help="Of this user only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Show API tokens: not what they are, but whose and what for."""
    from gatehold.approvals.presenting import timestamp
    from gatehold.approvals.rendering import columns
    from gatehold.people.tokens import Tokens

    def moment(at: float | None) -> str | None:
        return None if at is None else timestamp(at)

    with local_store(config) as local:
        found = Tokens(local.store, time.time).of(name)
    items = [
        {
            "id": each.id,
            "user": each.user,
            "label": each.label,
            "created": moment(each.created),
            "expires": moment(each.expires),
            "lastUsed": moment(each.last_used),
        }
        for each in found
    ]
    if as_json:
        typer.echo(json.dumps({"items": items}))
        return
    rows = [tuple(value or "never" for value in item.values()) for item in items]
    for line in columns(("ID", "USER", "LABEL", "CREATED", "EXPIRES", "LAST USED"), rows):
        typer.echo(line)


@app.command("revoke-token")
def revoke_token(
    token_id: Annotated[str, typer.Argument(help="Its id, as `gatehold users tokens` shows it.")], config: ConfigOption
) -> None:
    """End an API token."""
    from gatehold.approvals.rendering import visible
    from gatehold.people.tokens import Tokens

    with local_store(config) as local:
        ended = Tokens(local.store, time.time).revoke(token_id, by=f"os:{local.os_user}")
    typer.echo(f"{visible(ended.id)} of {visible(ended.user)} revoked")


@app.command("sign-out")
def sign_out(name: Name, config: ConfigOption) -> None:
    """End all console sessions of a user."""
    from gatehold.approvals.rendering import visible
    from gatehold.people.web_sessions import WebSessions

    with local_store(config) as local:
        settings = local.configuration.gateway.spec.console.session
        ended = WebSessions(local.store, settings, time.time).close_all(name)
    typer.echo(f"{visible(name)}: {ended} sessions ended")


def _prompt() -> str:
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
