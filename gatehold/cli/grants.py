"""``gatehold grants``: what approvals left behind, and an end to it."""

import json
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, local_store

if TYPE_CHECKING:
    from gatehold.approvals.grants import Grant

app = typer.Typer(no_args_is_help=True, help="Calls that need not be asked about again, for a while.")

HEADER = ("ID", "LEFT", "AGENT", "SESSION", "TARGET", "COVERS", "APPROVAL")


@app.command("list")
def list_(
    config: ConfigOption,
    ended: Annotated[bool, typer.Option("--all", help="Those that ended too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show grants in force, the newest first."""
    from gatehold.approvals.desk import ApprovalDesk
    from gatehold.approvals.presenting import grant_json
    from gatehold.approvals.rendering import columns

    with local_store(config) as local:
        desk = ApprovalDesk(local.store, local.configuration.gateway.spec.approvals)
        desk.expire_due()
        found = desk.grants(ended=ended)
    now = time.time()
    if as_json:
        typer.echo(json.dumps({"items": [grant_json(grant, now=now) for grant in found]}))
        return
    for line in columns(HEADER, [_cells(grant, now) for grant in found]):
        typer.echo(line)


@app.command()
def revoke(
    grant_id: Annotated[str, typer.Argument(help="Id of the grant.")],
    config: ConfigOption,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")] = "",
) -> None:
    """End a grant: the next call is asked about, and open streams that it let in are cut."""
    from gatehold.approvals.desk import ApprovalDesk
    from gatehold.approvals.moves import Actor

    with local_store(config) as local:
        desk = ApprovalDesk(local.store, local.configuration.gateway.spec.approvals)
        by = Actor(name=f"os:{local.os_user}", os_user=local.os_user)
        if not desk.revoke_grant(grant_id, by=by, reason=reason):
            typer.echo(f"gatehold: no grant in force has the id {grant_id!a}", err=True)
            raise typer.Exit(1)
    typer.echo(f"{grant_id} is revoked")


def _cells(grant: "Grant", now: float) -> tuple[Any, ...]:
    from gatehold.approvals.presenting import covers, grant_left
    from gatehold.approvals.rendering import cut

    agent = f"{grant.issuer}/{grant.subject}"
    shown = (cut(each, 60) for each in (agent, grant.session, grant.target, covers(grant.terms)))
    return grant.id, grant_left(grant, now=now), *shown, grant.approval
