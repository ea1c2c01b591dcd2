"""``gatehold keys``: API keys of agents without an identity provider."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, Local, local_store
from gatehold.cli.output import print_items, print_json, print_table, unusable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gatehold.identity.api_key_rows import ApiKey, NewKey

app = typer.Typer(no_args_is_help=True, help="API keys of agents without an identity provider.")

KeyId = Annotated[str, typer.Argument(help="Its id, as `gatehold keys list` shows it.")]
As = Annotated[str, typer.Option("--as", help="Who does it, for the record: a user known to the store.")]


@app.command()
def create(
    config: ConfigOption,
    *,
    subject: Annotated[str, typer.Option("--subject", help="Who the agent is.")],
    group: Annotated[
        list[str] | None, typer.Option("--group", "-g", help="Group of the agent; may be given again.")
    ] = None,
    ttl: Annotated[str, typer.Option("--ttl", help="How long it is good: 12h, 30d; 366d at most.")] = "90d",
    label: Annotated[str, typer.Option("--label", "-l", help="Where it is kept, for those who read the list.")] = "",
    purpose: Annotated[str, typer.Option("--purpose", help="What the agent is for, for those who approve.")] = "",
    as_user: As = "",
    as_json: JsonOption = False,
) -> None:
    """Make a key. It is printed once, and kept as a digest only."""
    from gatehold.identity.api_key_rows import Wanted
    from gatehold.identity.api_key_rows import create as make

    wanted = Wanted(subject=subject, groups=group or (), purpose=purpose, label=label, ttl=_seconds(ttl))
    with local_store(config) as local, local.store.writing() as connection:
        if wanted.groups:
            _check_groups_are_apart(local)
        made = make(connection, wanted, by=_who(as_user, local.os_user, connection), now=time.time())
    _show(made, as_json=as_json)


@app.command("list")
def list_(
    config: ConfigOption,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over or revoked.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show the keys: not what they are, but whose and what for."""
    from gatehold.identity.api_key_rows import listing

    with local_store(config) as local, local.store.reading() as connection:
        found = listing(connection, now=time.time(), everything=everything)
    if as_json:
        print_items(_document(each) for each in found)
        return
    rows = [
        (each.id, each.subject, ", ".join(each.groups), each.label, _moment(each.expires), _used(each))
        for each in found
    ]
    print_table(("ID", "SUBJECT", "GROUPS", "LABEL", "EXPIRES", "LAST USED"), rows)


@app.command()
def revoke(key: KeyId, config: ConfigOption, *, as_user: As = "") -> None:
    """End a key for good. Its calls, held ones and open streams too, end within a second."""
    from gatehold.approvals.rendering import visible
    from gatehold.identity.api_key_rows import revoke as end

    with local_store(config) as local, local.store.writing() as connection:
        ended = end(connection, key, by=_who(as_user, local.os_user, connection), now=time.time())
    typer.echo(f"{visible(ended.id)} of {visible(ended.subject)} revoked")


@app.command()
def rotate(
    key: KeyId,
    config: ConfigOption,
    *,
    ttl: Annotated[str, typer.Option("--ttl", help="How long the new one is good; else as long as the old one.")] = "",
    as_user: As = "",
    as_json: JsonOption = False,
) -> None:
    """Make a new key for the same agent. The old one stays good until it is revoked, so that both work meanwhile."""
    from gatehold.identity.api_key_rows import rotate as make

    with local_store(config) as local, local.store.writing() as connection:
        lasts = _seconds(ttl) if ttl else None
        made = make(connection, key, ttl=lasts, by=_who(as_user, local.os_user, connection), now=time.time())
    _show(made, as_json=as_json)
    typer.echo(f"once it is in use: gatehold keys revoke {key}", err=True)


def _check_groups_are_apart(local: Local) -> None:
    """A group of a key must not be anybody's who makes tokens, unless it is said that it may be."""
    spec = local.configuration.gateway.spec.identity
    if len(spec.issuers) == 1 and not spec.saml and spec.issuers[0].groups.allow is None:
        name = spec.issuers[0].name
        unusable(
            f"--group: issuer {name} may assert any group, so this one, too: list in groups.allow of the issuer which "
            'groups are its own (["*"]: all of them), and restart the gateway'
        )


def _show(made: "NewKey", *, as_json: bool) -> None:
    if as_json:
        print_json({"key": made.text, **_document(made.key)})
        return
    typer.echo(made.text)
    typer.echo(f"{made.key.id}, good until {_moment(made.key.expires)}; it is not shown again", err=True)


def _document(key: "ApiKey") -> dict[str, object]:
    return {
        "id": key.id,
        "subject": key.subject,
        "groups": list(key.groups),
        "purpose": key.purpose,
        "label": key.label,
        "created": _moment(key.created),
        "createdBy": key.created_by,
        "expires": _moment(key.expires),
        "revoked": None if key.revoked is None else _moment(key.revoked),
        "lastUsed": None if key.last_used is None else _moment(key.last_used),
    }


def _used(key: "ApiKey") -> str:
    if key.revoked is not None:
        return "revoked"
    return "never" if key.last_used is None else _moment(key.last_used)


def _moment(at: float) -> str:
    from gatehold.approvals.presenting import timestamp

    return timestamp(at)


def _who(named: str, os_user: str, connection: "Connection") -> str:
    """The account that runs this, and whom it names: a user known to the store."""
    from gatehold.store.users import find_user

    if not named:
        return f"os:{os_user}"
    if find_user(connection, named) is None:
        unusable(f"--as: no user is named {named!a}")
    return f"{named} (os:{os_user})"


def _seconds(text: str) -> float:
    from policy.rules.quantities import parse_duration

    try:
        return parse_duration(text)
    except ValueError as problem:
        unusable(f"--ttl: {problem}")
