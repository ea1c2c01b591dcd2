"""``gatehold approvals``: see what waits for people, and answer, on the gateway's own machine."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.approvals.states import ApprovalState
from gatehold.cli.local_store import ConfigOption, JsonOption, local_store

if TYPE_CHECKING:
    from gatehold.approvals.desk import ApprovalDesk
    from gatehold.approvals.model import Approval

app = typer.Typer(no_args_is_help=True, help="Calls that wait for a person, and their answers.")

Id = Annotated[str, typer.Argument(help="Id of the approval.")]
AsUser = Annotated[str, typer.Option("--as", help="Who answers: a user known to the store.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail, a denial's is told to the agent.")]

Shown = Annotated[
    str, typer.Option("--shown", help="Digest from `show --json`: the answer counts only for what was shown then.")
]

WATCH_INTERVAL = 0.5
"""Seconds between two looks."""


@app.command("list")
def list_(
    config: ConfigOption,
    state: Annotated[ApprovalState | None, typer.Option("--state", help="Only those in this state.")] = None,
    as_json: JsonOption = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on, and print each approval that appears or moves.")
    ] = False,
) -> None:
    """Show approvals, the newest first."""
    with _desk(config) as (desk, _):
        found = desk.listing(state=state)
        _print_list(found, as_json=as_json, lines=watch)
        if watch:
            _watch(desk, {approval.id: approval.state for approval in found}, state, as_json=as_json)


@app.command()
def show(approval_id: Id, config: ConfigOption, as_json: JsonOption = False) -> None:
    """Show one approval: who asks, for what, why, and what a yes leaves behind."""
    from gatehold.approvals.presenting import page, to_json

    with _desk(config) as (desk, _):
        approval = desk.get(approval_id)
    typer.echo(json.dumps(to_json(approval)) if as_json else "\n".join(page(approval, now=time.time())))


@app.command()
def approve(approval_id: Id, config: ConfigOption, user: AsUser, reason: Reason = "", shown: Shown = "") -> None:
    """Say yes."""
    from gatehold.approvals.model import Channel
    from gatehold.approvals.presenting import progress

    with _desk(config) as (desk, os_user):
        approval = desk.approve(
            approval_id, user, channel=Channel.LOCAL, os_user=os_user, reason=reason, shown=shown or None
        )
    typer.echo(progress(approval))


@app.command()
def deny(approval_id: Id, config: ConfigOption, user: AsUser, reason: Reason = "") -> None:
    """Say no, which ends the question. Needs a reason."""
    from gatehold.approvals.model import Channel
    from gatehold.approvals.presenting import progress

    with _desk(config) as (desk, os_user):
        approval = desk.deny(approval_id, user, channel=Channel.LOCAL, os_user=os_user, reason=reason)
    typer.echo(progress(approval))


@app.command()
def force(approval_id: Id, config: ConfigOption, user: AsUser, reason: Reason = "", shown: Shown = "") -> None:
    """Say yes alone, in an emergency: for members of a `breakGlass` group. Needs a reason, and is told loudly."""
    from gatehold.approvals.model import Channel
    from gatehold.approvals.presenting import progress

    with _desk(config) as (desk, os_user):
        approval = desk.force(
            approval_id, user, channel=Channel.LOCAL, os_user=os_user, reason=reason, shown=shown or None
        )
    typer.echo(progress(approval))


@contextmanager
def _desk(config: Path) -> "Iterator[tuple[ApprovalDesk, str]]":
    """The desk, with what is past its deadline ended, and the account that runs this."""
    from gatehold.approvals.desk import ApprovalDesk

    with local_store(config) as local:
        desk = ApprovalDesk(local.store, local.configuration.gateway.spec.approvals)
        desk.expire_due()
        yield desk, local.os_user


def _bell(state: ApprovalState) -> str:
    """What a terminal rings by, for what waits for people."""
    return "\a" if state is ApprovalState.PENDING else ""


def _print_list(approvals: "list[Approval]", *, as_json: bool, lines: bool) -> None:
    from gatehold.approvals.presenting import table, to_json

    if not as_json:
        output = table(approvals, now=time.time())
    elif lines:
        output = [json.dumps(to_json(approval)) for approval in approvals]
    else:
        output = [json.dumps({"items": [to_json(approval) for approval in approvals]})]
    for line in output:
        typer.echo(line)


def _watch(
    desk: "ApprovalDesk", known: dict[str, ApprovalState], state: ApprovalState | None, *, as_json: bool
) -> None:
    """Print approvals that appear or move, until interrupted. At a terminal with the time, and a bell for new ones."""
    from gatehold.approvals.presenting import line, to_json

    at_terminal = sys.stdout.isatty() and not as_json
    if at_terminal:
        typer.echo("-- watching; to read one: gatehold approvals show ID; to stop: Ctrl-C")
    try:
        while True:
            time.sleep(WATCH_INTERVAL)
            desk.expire_due()
            for approval in reversed(desk.listing(state=state)):
                if known.get(approval.id) is not approval.state:
                    known[approval.id] = approval.state
                    now = time.time()
                    text = json.dumps(to_json(approval)) if as_json else line(approval, now=now)
                    typer.echo(f"{_bell(approval.state)}{time.strftime('%H:%M:%S')}  {text}" if at_terminal else text)
    except KeyboardInterrupt:
        raise typer.Exit from None
