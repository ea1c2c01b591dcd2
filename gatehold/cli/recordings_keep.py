"""``gatehold recordings hold``, ``release``, ``holds``, ``prune``: what is deleted, and what is not."""

import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, Local, local_store
from gatehold.cli.output import FAILED, counted, print_items, print_json, print_table
from policy.errors import GateholdError

if TYPE_CHECKING:
    from gatehold.store.legal_holds import LegalHold
    from recordings.retention import Doomed, Plan

Session = Annotated[str, typer.Argument(metavar="SESSION", help="Id of a session.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")]


def hold(session: Session, config: ConfigOption, reason: Reason, as_json: JsonOption = False) -> None:
    """Keep the recordings of a session, however old they become."""
    from gatehold.store import legal_holds
    from recordings.index.finding import timeline

    with local_store(config) as local:
        with local.store.writing() as connection:
            by, now = f"os:{local.os_user}", time.time()
            made = legal_holds.hold(connection, session, reason=reason, by=by, now=now)
        lines = timeline(local.configuration.data_dir, session)
    if as_json:
        print_json(_hold_json(made))
        return
    typer.echo(f"{_visible(session)}: on hold")
    if not lines:
        typer.echo("nothing is recorded of it yet, or not any more", err=True)


def release(
    session: Session,
    config: ConfigOption,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the audit trail.")] = "",
) -> None:
    """Let the recordings of a session be deleted like all others."""
    from gatehold.store import legal_holds

    with local_store(config) as local, local.store.writing() as connection:
        legal_holds.release(connection, session, reason=reason, by=f"os:{local.os_user}", now=time.time())
    typer.echo(f"{_visible(session)}: not on hold any more")


def holds(config: ConfigOption, as_json: JsonOption = False) -> None:
    """Show the sessions that are on hold."""
    from gatehold.approvals.presenting import timestamp
    from gatehold.store import legal_holds

    with local_store(config) as local, local.store.reading() as connection:
        found = legal_holds.holds(connection)
    if as_json:
        print_items(map(_hold_json, found))
    else:
        rows = [(each.session, timestamp(each.created), each.by, each.reason) for each in found]
        print_table(("SESSION", "SINCE", "BY", "REASON"), rows)


def prune(
    config: ConfigOption,
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be deleted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Delete recordings that are older or more than the configuration wants. A running gateway does so by itself."""
    from gatehold.keeping.deleting import kept, wanted
    from recordings.retention import Retention

    with local_store(config) as local:
        spec, data_dir = local.configuration.gateway.spec, local.configuration.data_dir
        retention, now = Retention(data_dir), time.time()
        try:
            if dry_run:
                keeping = kept(local.store, data_dir, spec.audit, spec.recordings)
                plan = retention.plan(wanted(spec.recordings), keeping, now=now)
                retention.sift(plan)
            else:
                plan = _delete(local, retention, now)
        except OSError as error:
            typer.echo(f"gatehold: {error}", err=True)
            raise typer.Exit(FAILED) from error
    if as_json:
        totals = {"bytes": plan.bytes, "total": plan.total, "stuck": plan.stuck, "deleted": not dry_run}
        print_items(map(_doomed_json, plan.doomed), **totals)
        return
    _show(plan, is_wanted=bool(wanted(spec.recordings)), dry_run=dry_run)


def _delete(local: Local, retention: Any, now: float) -> "Plan":
    """With the journal in our hands; a gateway that is running has it in its own."""
    from gatehold.keeping.deleting import kept, wanted
    from gatehold.keeping.recorder import writer_limits
    from recordings.errors import RecorderBusyError
    from recordings.writer import Record, Writer

    spec, data_dir = local.configuration.gateway.spec, local.configuration.data_dir
    try:
        writer = Writer.open(data_dir, limits=writer_limits(spec.recordings))
    except RecorderBusyError as error:
        raise GateholdError("a gateway is running: it deletes by itself; see --dry-run") from error
    try:
        plan: Plan = retention.plan(
            wanted(spec.recordings), kept(local.store, data_dir, spec.audit, spec.recordings), now=now
        )
        retention.sift(plan)
        if plan.doomed:
            entries = tuple(event.entry() for event in retention.events(plan, now=now))
            records = [Record(entries=entries, signed=True)]
            writer.write(records)
            writer.sync(records)
            if plan.touches(kept(local.store, data_dir, spec.audit, spec.recordings).sessions):
                raise GateholdError("nothing was deleted: a session came on hold in the meantime; do it once more")
            retention.carry_out(plan, now=now)
    finally:
        writer.close()
    return plan


def _show(plan: "Plan", *, is_wanted: bool, dry_run: bool) -> None:
    from gatehold.approvals.presenting import timestamp

    if not is_wanted:
        typer.echo("nothing: the configuration has neither `retain` nor `keep` under `recordings`")
        return
    rows = [(each.name, str(each.size), each.reason, timestamp(_sealed(each)), _about(each)) for each in plan.doomed]
    print_table(("FILE", "BYTES", "BY", "FINISHED", "SESSION"), rows)
    for words in plan.stuck:
        typer.echo(f"stays: {_visible(words)}")
    deleted = "would be deleted" if dry_run else "deleted"
    typer.echo(f"{counted(len(plan.doomed), 'file')}, {plan.bytes} of {plan.total} bytes {deleted}")


def _doomed_json(doomed: "Doomed") -> dict[str, Any]:
    from gatehold.approvals.presenting import timestamp

    words = {"file": doomed.name, "bytes": doomed.size, "reason": doomed.reason}
    words |= {"finished": timestamp(_sealed(doomed)), "session": _about(doomed)}
    return words


def _sealed(doomed: "Doomed") -> float:
    return doomed.flow.sealed if doomed.flow else doomed.segment.sealed if doomed.segment else 0.0


def _about(doomed: "Doomed") -> str:
    return doomed.flow.session if doomed.flow else ""


def _hold_json(held: "LegalHold") -> dict[str, Any]:
    from gatehold.approvals.presenting import timestamp

    return asdict(held) | {"created": timestamp(held.created)}


def _visible(text: str) -> str:
    from gatehold.approvals.rendering import visible

    return visible(text)
