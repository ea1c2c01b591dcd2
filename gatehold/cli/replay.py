"""``gatehold replay``: a recorded session, made again against a target through the running gateway."""

import time
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption, Local, local_store
from gatehold.cli.output import FAILED, counted, print_items, print_table, unusable
from gatehold.cli.recorded_files import FetchOption, flow_files
from policy.errors import GateholdError

if TYPE_CHECKING:
    from gatehold.config import Configuration, Target
    from gatehold.objects.finding import FlowFiles
    from gatehold.replaying.running import Step, Tally, Wanted
    from gatehold.replaying.sending import Sender
    from recordings.listing import Row

app = typer.Typer(rich_markup_mode=None)

type _Told = tuple[dict[str, Any], tuple[str, ...]]
"""Of one call, for programs and for people."""
_HEADER = ("THEN", "OPERATION", "STATUS", "CODE", "NOW", "STATUS", "CODE", "BODY", "REMARK")


@app.command()
def replay(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    *,
    target: Annotated[str, typer.Option("--target", help="Where the calls go now.")],
    origin: Annotated[str, typer.Option("--from", help="The target of then, where there were several.")] = "",
    token_file: Annotated[Path | None, typer.Option("--token-file", help="An agent's token: its rules hold.")] = None,
    as_user: Annotated[str, typer.Option("--as", help="Who does it, for the record: a user of the store.")] = "",
    include_writes: Annotated[bool, typer.Option("--include-writes", help="Writes, too.")] = False,
    speed: Annotated[str, typer.Option("--speed", help="max, or a number: 1 keeps the pauses of then.")] = "max",
    proxy_host: Annotated[str | None, typer.Option("--proxy-host", help="What agents call the gateway's host.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Send nothing: say what would be sent.")] = False,
    fail_on_difference: Annotated[bool, typer.Option("--fail-on-difference", help="Exit 1 where one differs.")] = False,
    fetch: FetchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Make the calls of a session again, with an agent's token of now, and compare how they are answered."""
    from gatehold.agent_environment.places import Unreachable
    from gatehold.agent_proxy.tokens import NoToken
    from gatehold.replaying.running import Tally

    pace, tally = _pace(speed), Tally()
    with local_store(config) as local:
        rows = _rows(local.configuration, name)
        now = local.configuration.targets.get(target)
        if now is None:
            unusable(f"there is no target {target!a}")
        wanted = _wanted(rows, now, origin, include_writes=include_writes, speed=pace)
        run = _Run(local=local, session=rows[0].session, rows=rows, wanted=wanted, by=_who(as_user, local))
        try:
            way = None if dry_run else _sender(local.configuration, now, token_file, proxy_host)
        except (Unreachable, NoToken) as error:
            unusable(str(error))
        except OSError as error:
            unusable(f"{error.filename}: {error.strerror}")
        with flow_files(local.configuration, rows, fetch=fetch) as files:
            told, failure = run.make(way, tally, files)
    if as_json:
        print_items((document for document, _ in told), counts=tally.to_json(), dryRun=dry_run, failure=failure)
    else:
        _print([cells for _, cells in told], tally, dry_run=dry_run)
    if failure:
        typer.echo(f"gatehold: {failure}", err=True)
    if failure or (fail_on_difference and tally.differ):
        raise typer.Exit(FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One replay, and who does it."""

    local: Local
    session: str
    rows: "Sequence[Row]"
    wanted: "Wanted"
    by: str

    def make(self, way: "Sender | None", tally: "Tally", files: "FlowFiles") -> "tuple[list[_Told], str]":
        """Make the calls: what became of each, and why no more of them could be made.

        That it begins is on record before the first call, and how it ended whatever happens.
        """
        from gatehold.agent_proxy.tokens import NoToken
        from gatehold.replaying.past import calls_of
        from gatehold.replaying.running import replay as running

        told: list[_Told] = []
        failure = ""
        calls = calls_of(files.record, self.rows)
        self._note(way, "started", {})
        try:
            with way or nullcontext():
                for step in running(calls, self.wanted, way, sleep=time.sleep):
                    tally.add(step)
                    told.append((step.to_json(), _cells(step)))  # without the bodies
        except (GateholdError, NoToken) as error:
            failure = str(error)
        finally:
            self._note(way, "ended", {"counts": tally.to_json(), "reason": failure})
        return told, failure

    def _note(self, way: "Sender | None", state: str, more: dict[str, Any]) -> None:
        from gatehold.store.outbox import append

        if way is None:
            return
        wanted = self.wanted
        words = {
            "from": wanted.origin,
            "target": str(wanted.traits.name),
            "writes": wanted.include_writes,
            "state": state,
        }
        event = {"kind": "replay", "by": self.by, "session": self.session, **words, **more}
        with self.local.store.writing() as connection:
            append(connection, event, at=time.time())


def _rows(configuration: "Configuration", name: str) -> "Sequence[Row]":
    from gatehold.approvals.rendering import visible
    from recordings.index.finding import timeline

    rows = timeline(configuration.data_dir, name)
    if not any(row.file for row in rows):
        typer.echo(f"gatehold: no calls were recorded of {visible(name)}", err=True)
        raise typer.Exit(FAILED)
    return rows


def _wanted(
    rows: "Sequence[Row]", now: "Target", origin: str, *, include_writes: bool, speed: float | None
) -> "Wanted":
    from gatehold.replaying.running import Wanted

    targets = sorted({row.target for row in rows if row.target and row.file})
    if not origin and len(targets) != 1:
        unusable(f"say --from: the session has calls to {', '.join(targets) or 'no target'}")
    chosen = origin or targets[0]
    families = {row.raw["event"]["unmapped"]["gatehold"].get("family") for row in rows if row.target == chosen}
    if chosen not in targets or families - {now.spec.family.value, None}:
        family = now.spec.family.value
        unusable(f"{now.name} is of family {family}, and no calls to such a target {chosen!a} are recorded")
    return Wanted(origin=chosen, traits=now.traits, include_writes=include_writes, speed=speed)


def _sender(configuration: "Configuration", now: "Target", token: Path | None, host: str | None) -> "Sender":
    from gatehold.agent_environment.places import proxy_place
    from gatehold.agent_proxy.tokens import TokenFile
    from gatehold.replaying.sending import Sender

    if token is None:
        unusable("say --token-file: the calls are made with an agent's token of now, never with what was recorded")
    file = TokenFile(path=token)
    file.read()
    place = proxy_place(configuration.gateway.spec, host)
    return Sender(place, now, file, configuration.data_dir / "ca" / "ca.pem")


def _who(named: str, local: Local) -> str:
    from gatehold.store.users import find_user

    if not named:
        return f"os:{local.os_user}"
    with local.store.reading() as connection:
        if find_user(connection, named) is None:
            unusable(f"--as: no user is named {named!a}")
    return f"{named} (os:{local.os_user})"


def _pace(text: str) -> float | None:
    if text == "max":
        return None
    try:
        pace = float(text)
    except ValueError:
        pace = 0.0
    if not 0.01 <= pace <= 1000:
        unusable("--speed is max, or a number from 0.01 to 1000")
    return pace


def _print(rows: "Sequence[Sequence[str]]", tally: "Tally", *, dry_run: bool) -> None:
    print_table(_HEADER, rows)
    verb = "would be sent" if dry_run else "sent"
    typer.echo(f"{counted(tally.sent, 'call')} {verb}, {tally.differ} differ, {tally.broken} broke off")
    for skip, count in tally.skipped.most_common():
        typer.echo(f"left out, {count}: {skip.value}")


def _cells(step: "Step") -> tuple[str, ...]:
    then, answer = step.past.call.recorded, step.answer
    before = (step.past.call.decision, step.past.operation, str(step.past.status or ""), then.code)
    if answer is None:
        return (*before, "", "", "", "", f"left out: {step.skipped.value}" if step.skipped else step.error)
    return (*before, answer.decision, str(answer.status), answer.code, step.body, ", ".join(step.differences))
