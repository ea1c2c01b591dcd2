"""``gatehold revoke``: take access away, at once, from a session, a subject, an API key, an issuer, or everybody."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, local_store
from gatehold.cli.output import unusable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gatehold.store.revocations import Reach, Revocation

app = typer.Typer(help="Take access away from agents, or give it back.")

Subject = Annotated[str, typer.Option("--subject", help="The subject of an agent's tokens.")]
Session = Annotated[str, typer.Option("--session", help="A session.")]
Key = Annotated[str, typer.Option("--key", help="The id of an API key; to end it for good: gatehold keys revoke.")]
Issuer = Annotated[str, typer.Option("--issuer", help="An issuer; with --subject, the one it belongs to.")]
Everybody = Annotated[bool, typer.Option("--all", help="Every agent.")]
Duration = Annotated[str, typer.Option("--for", help="How long: 30m, 1h, 7d; else until it is lifted, a session 30d.")]
Lift = Annotated[bool, typer.Option("--lift", help="Give back what was taken away in these words.")]


@app.command()
def revoke(
    config: ConfigOption,
    *,
    subject: Subject = "",
    session: Session = "",
    key: Key = "",
    issuer: Issuer = "",
    everybody: Everybody = False,
    duration: Duration = "",
    lift: Lift = False,
    as_json: JsonOption = False,
) -> None:
    """Refuse agents from now on; held calls and open streams end within a second."""
    from gatehold.approvals.rendering import visible

    reach, value = _reach(subject=subject, session=session, key=key, issuer=issuer, everybody=everybody)
    owner = issuer if subject else ""
    until = _until(duration)
    with local_store(config) as local, local.store.writing() as connection:
        by = f"os:{local.os_user}"
        if lift:
            changed = _lifted(connection, reach, value, owner, by)
        else:
            from gatehold.store.revocations import revoke as make

            changed = [make(connection, reach, value, issuer=owner, until=until, by=by, now=time.time())]
    if as_json:
        typer.echo(json.dumps({"items": [_json(each) for each in changed]}))
        return
    for each in changed:
        typer.echo(f"{each.id}: {'lifted' if lift else 'revoked'} {visible(_words(each))}")
    if not changed:
        typer.echo("nothing was revoked in these words")


def _reach(*, subject: str, session: str, key: str, issuer: str, everybody: bool) -> "tuple[Reach, str]":
    from gatehold.store.revocations import Reach

    given = [bool(subject), bool(session), bool(key), everybody, bool(issuer and not subject)]
    if sum(given) != 1:
        unusable("name exactly one of --subject (with or without --issuer), --session, --key, --issuer and --all")
    if subject:
        return Reach.SUBJECT, subject
    if session:
        return Reach.SESSION, session
    if key:
        return Reach.KEY, key
    return (Reach.ALL, "") if everybody else (Reach.ISSUER, issuer)


def _until(duration: str) -> float | None:
    from policy.rules.quantities import parse_duration

    if not duration:
        return None
    try:
        return time.time() + parse_duration(duration)
    except ValueError as problem:
        unusable(f"--for: {problem}")


def _lifted(connection: "Connection", reach: "Reach", value: str, issuer: str, by: str) -> "list[Revocation]":
    from gatehold.store.revocations import in_force, lift

    now = time.time()
    same = [
        each.id
        for each in in_force(connection, now=now)
        if (each.reach, each.value) == (reach, value) and issuer in ("", each.issuer)
    ]
    return lift(connection, same, by=by, now=now)


def _words(revocation: "Revocation") -> str:
    from gatehold.approvals.presenting import timestamp

    what = f"{revocation.reach} {revocation.value}".strip()
    owner = f" of issuer {revocation.issuer}" if revocation.issuer else ""
    old = f" with tokens from before {timestamp(revocation.issued_before)}" if revocation.issued_before else ""
    return what + owner + old + (f" until {timestamp(revocation.until)}" if revocation.until else "")


def _json(revocation: "Revocation") -> dict[str, Any]:
    return {
        "id": revocation.id,
        "reach": revocation.reach.value,
        "value": revocation.value,
        "issuer": revocation.issuer,
        "until": revocation.until,
        "issuedBefore": revocation.issued_before,
    }
