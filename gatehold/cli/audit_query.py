"""``gatehold audit query`` and ``export``: what the journal says about something, for people and for programs."""

import time
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.output import print_items, print_table
from gatehold.cli.recordings import data_directory
from policy.model import Verdict
from recordings.exporting import Form, exported
from recordings.moments import moment_of, timestamp
from recordings.ocsf import Kind

if TYPE_CHECKING:
    from recordings.listing import Row
    from recordings.querying import Query

_SHOWN = ("TIME", "SEQ", "KIND", "AGENT", "TARGET", "OPERATION", "VERDICT", "CODE", "RULE", "STATUS", "MESSAGE")

Agent = Annotated[str, typer.Option("--agent", help="Subject of the agent.")]
Target = Annotated[str, typer.Option("--target", help="Name of the target.")]
Rule = Annotated[str, typer.Option("--rule", help="The rule that decided.")]
WhichVerdict = Annotated[Verdict | None, typer.Option("--verdict", help="What policy said.")]
Code = Annotated[str, typer.Option("--code", help="Code of a refusal, or state of an approval.")]
Kinds = Annotated[list[Kind] | None, typer.Option("--kind", help="What a line is about; several times: any of them.")]
Session = Annotated[str, typer.Option("--session", help="Id of a session.")]
Decision = Annotated[str, typer.Option("--decision", help="Id of a decision.")]
Approval = Annotated[str, typer.Option("--approval", help="Id of an approval.")]
OfResource = Annotated[
    str, typer.Option("--resource", help="TYPE, TYPE/NAME or NAMESPACE/TYPE/NAME; * is any.", metavar="RESOURCE")
]
Since = Annotated[str, typer.Option("--since", help="Not older than this: 30m, 24h, 7d or a date.")]
Until = Annotated[str, typer.Option("--until", help="Older than this: 30m, 24h, 7d or a date.")]
Text = Annotated[str, typer.Option("--text", help="Part of operation, path, message, code or rule.")]


def query(
    config: ConfigOption,
    *,
    agent: Agent = "",
    target: Target = "",
    rule: Rule = "",
    verdict: WhichVerdict = None,
    code: Code = "",
    kind: Kinds = None,
    session: Session = "",
    decision: Decision = "",
    approval: Approval = "",
    resource: OfResource = "",
    since: Since = "",
    until: Until = "",
    text: Text = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many lines, the newest.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """Show lines of the journal that fit all that is asked for, the newest last."""
    from recordings.index.finding import newest

    filters = {"agent": agent, "target": target, "rule": rule, "session": session, "decision": decision}
    more = {"code": code, "approval": approval, "resource": resource, "text": text}
    asked = _query(filters, more, verdict, kind, since, until)
    found = newest(data_directory(config), asked, limit)[::-1]
    if as_json:
        print_items(map(_item, found))
    else:
        print_table(_SHOWN, [_shown(row) for row in found])


def export(
    config: ConfigOption,
    *,
    form: Annotated[Form, typer.Option("--format", help="Lines of the journal, OCSF events, or a table.")],
    agent: Agent = "",
    target: Target = "",
    rule: Rule = "",
    verdict: WhichVerdict = None,
    code: Code = "",
    kind: Kinds = None,
    session: Session = "",
    decision: Decision = "",
    approval: Approval = "",
    resource: OfResource = "",
    since: Since = "",
    until: Until = "",
    text: Text = "",
) -> None:
    """Write lines of the journal that fit all that is asked for, the oldest first."""
    from recordings.querying import in_order

    filters = {"agent": agent, "target": target, "rule": rule, "session": session, "decision": decision}
    more = {"code": code, "approval": approval, "resource": resource, "text": text}
    asked = _query(filters, more, verdict, kind, since, until)
    for line in exported(in_order(data_directory(config), asked), form):
        typer.echo(line)


def _query(  # noqa: PLR0917 (what can be asked)
    filters: dict[str, str],
    more: dict[str, str],
    verdict: Verdict | None,
    kinds: list[Kind] | None,
    since: str,
    until: str,
) -> "Query":
    from recordings.listing import Filter
    from recordings.querying import Query, Resource

    only = Filter(
        **filters,
        verdict=verdict.value if verdict else "",
        kinds=frozenset(kind.value for kind in kinds or ()),
        since=_read(since, partial(moment_of, now=time.time())),
        until=_read(until, partial(moment_of, now=time.time())),
    )
    resource = _read(more.pop("resource"), Resource.parse)
    return Query(only=only, resource=resource, **more)


def _read[T](text: str, reading: Callable[[str], T]) -> T | None:
    try:
        return reading(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _shown(row: "Row") -> tuple[str, ...]:
    status = "" if row.status is None else str(row.status)
    words = (row.agent, row.target, row.operation, row.verdict, row.code, row.rule, status, row.message)
    return (timestamp(row.time), str(row.seq), row.kind, *words)


def _item(row: "Row") -> dict[str, Any]:
    from recordings.querying import resources_of

    words = {key: value for key, value in asdict(row).items() if key != "raw"}
    return words | {"resources": resources_of(row), "event": row.raw["event"], "time": timestamp(row.time)}
