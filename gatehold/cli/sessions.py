"""``gatehold sessions``: what sessions agents have, and how to end one."""

import time
from collections.abc import Mapping
from math import inf
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, local_store
from gatehold.cli.output import print_items, print_table, unusable

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.sessions.killing import Killed
    from gatehold.sessions.rows import AgentSession

app = typer.Typer(no_args_is_help=True, help="Sessions of agents.")

HEADER = ("SESSION", "STATE", "AGENT", "GROUPS", "STARTED", "IDLE", "LEFT", "CALLS", "DENIED", "HELD")


@app.command("list")
def list_(
    config: ConfigOption,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    subject: Annotated[str, typer.Option("--subject", help="Only those of this subject.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show sessions, the last one that called first."""
    from gatehold.sessions import rows
    from gatehold.sessions.presenting import state_of
    from gatehold.store.revocations import in_force

    now = time.time()
    with local_store(config) as local, local.store.reading() as connection:
        found = rows.listing(connection, now=now, everything=everything)
        revoked = in_force(connection, now=now)
    shown = [(each, state_of(each, revoked, now=now)) for each in found if subject in ("", each.subject)]
    if as_json:
        print_items(_json(session, state) for session, state in shown)
    else:
        print_table(HEADER, [_cells(session, state, now) for session, state in shown])


@app.command()
def kill(
    session: Annotated[str, typer.Argument(help="The session, as `sessions list` names it.")],
    config: ConfigOption,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")] = "",
    margin: Annotated[
        str, typer.Option("--for", help="Refuse tokens of its agent that are issued in this time, too.")
    ] = "1m",
    as_json: JsonOption = False,
) -> None:
    """End a session; its held calls and open streams end within a second, and older tokens of its agent do not count.

    Tokens that the agent's subject was given before, for this session or another, are refused from now on; those that
    are issued after the time of --for count.
    """
    from gatehold.sessions.killing import kill as end

    seconds, now = _seconds(margin), time.time()
    with local_store(config) as local, local.store.writing() as connection:
        lasting = _longest_life(local.configuration)
        by = f"os:{local.os_user}"
        killed = end(connection, session, by=by, now=now, reason=reason, margin=seconds, lasting=lasting)
    if as_json:
        print_items(map(_killed_json, killed))
        return
    for each in killed:
        typer.echo(_killed_words(each))


def _seconds(duration: str) -> float:
    from policy.rules.quantities import parse_duration

    try:
        return parse_duration(duration)
    except ValueError as problem:
        unusable(f"--for: {problem}")


def _longest_life(configuration: "Configuration") -> Mapping[str, float]:
    """How long tokens of an issuer count, where that is bound."""
    issuers = configuration.gateway.spec.identity.issuers
    return {each.name: each.max_age for each in issuers if each.max_age is not None}


def _cells(session: "AgentSession", state: str, now: float) -> tuple[str, ...]:
    from gatehold.approvals.presenting import timestamp
    from gatehold.sessions.presenting import span

    left = "-" if state != "active" else span(session.ends - now)
    agent = f"{session.subject} of {session.issuer}"
    times = (timestamp(session.started), span(now - session.seen), left)
    numbers = (session.calls, session.denied, session.held)
    return (session.session, state, agent, ",".join(session.groups) or "-", *times, *map(str, numbers))


def _json(session: "AgentSession", state: str) -> dict[str, Any]:
    from gatehold.approvals.presenting import timestamp

    return {
        "session": session.session,
        "state": state,
        "agent": {"issuer": session.issuer, "subject": session.subject, "groups": list(session.groups)},
        "started": timestamp(session.started),
        "seen": timestamp(session.seen),
        "calls": session.calls,
        "denied": session.denied,
        "held": session.held,
        "tokenExpires": timestamp(session.token_expires),
        "max": _bound(session.bounds.longest),
        "idle": _bound(session.bounds.idle),
        "ends": timestamp(session.ends),
        "ended": None if session.ended is None else timestamp(session.ended),
        "why": session.why,
    }


def _bound(seconds: float) -> str | None:
    from policy.rules.quantities import format_duration

    return None if seconds == inf else format_duration(seconds)


def _killed_json(killed: "Killed") -> dict[str, Any]:
    from gatehold.approvals.presenting import timestamp

    session, revocation = killed.session, killed.revocation
    return {
        "session": session.session,
        "agent": {"issuer": session.issuer, "subject": session.subject, "groups": list(session.groups)},
        "revocation": revocation.id,
        "issuedBefore": timestamp(killed.issued_before),
        "until": None if revocation.until is None else timestamp(revocation.until),
    }


def _killed_words(killed: "Killed") -> str:
    from gatehold.approvals.presenting import timestamp
    from gatehold.approvals.rendering import visible

    agent = f"{killed.session.subject} of {killed.session.issuer}"
    told = f"ended; tokens of {agent} that were issued before {timestamp(killed.issued_before)} do not count"
    return f"{killed.session.session}: {visible(told)}"
