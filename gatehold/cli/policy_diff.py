"""``gatehold policy diff``: what two configurations answer differently, over everything that their rules name."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.output import FAILED, counted, print_items, print_table, unusable
from gatehold.cli.policy_whatif import CandidateOption

if TYPE_CHECKING:
    from policy.history.cells import Difference


def diff(
    *,
    config: ConfigOption,
    candidate: CandidateOption,
    target: Annotated[
        str, typer.Option("--target", help="Only targets of this name; * is any run of characters.")
    ] = "*",
    fail_on_change: Annotated[bool, typer.Option("--fail-on-change", help="Exit 1 where something differs.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List what two policies answer differently: agents, targets, verbs and resources, without any call."""
    from gatehold.config import load
    from policy.history.cells import TooManyCells
    from policy.history.cells import diff as differences

    current, other = load(config), load(candidate)
    try:
        items = _items(differences(current.engine, other.engine, target=target))
    except TooManyCells as error:
        unusable(str(error))
    if as_json:
        print_items(items)
    else:
        if items:
            header = ("AGENT", "TARGET", "VERBS", "RESOURCE", "NAMESPACE", "BEFORE", "AFTER")
            print_table(header, [_row(item) for item in items])
        typer.echo(f"{counted(len(items), 'difference')}")
    if fail_on_change and items:
        raise typer.Exit(FAILED)


def _items(found: Iterable["Difference"]) -> list[dict[str, Any]]:
    """Cells that differ in nothing but their verb are one."""
    verbs: defaultdict[tuple[Any, ...], list[str]] = defaultdict(list)
    for each in found:
        cell, agent = each.cell, each.cell.agent
        who = (agent.issuer, agent.groups, agent.subject)
        verbs[who, cell.target, cell.what, cell.namespace, each.before, each.after].append(cell.verb)
    return [
        {
            "agent": {"issuer": issuer or None, "group": next(iter(groups), None), "subject": subject or None},
            "target": target,
            "verbs": of,
            "resource": what,
            "namespace": namespace,
            "before": before,
            "after": after,
        }
        for ((issuer, groups, subject), target, what, namespace, before, after), of in verbs.items()
    ]


def _row(item: dict[str, Any]) -> list[str]:
    agent = " ".join(f"{key} {value}" for key, value in item["agent"].items() if value) or "any other"
    namespace = {None: "", "": "all", "x": "any other"}.get(item["namespace"], item["namespace"])
    return [agent, item["target"], ", ".join(item["verbs"]), item["resource"], namespace, item["before"], item["after"]]
