"""``gatehold policy suggest``: least privilege from what was really used."""

from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.output import print_items, print_json, print_table
from gatehold.cli.policy_history import RecordingsOption, SinceOption, history_of, remarks
from gatehold.cli.recorded_files import FetchOption

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.history.reading import History

_REFUSED = "default-deny"


def suggest(
    *,
    config: ConfigOption,
    recordings: RecordingsOption = None,
    since: SinceOption = "",
    fetch: FetchOption = False,
    approver: Annotated[
        list[str] | None, typer.Option("--approver", help="Group that approves writes; may be given again.")
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name of the policy.")] = "suggested",
    denied: Annotated[
        bool, typer.Option("--denied", help="Also for calls that were refused because no rule allows them.")
    ] = False,
    unused: Annotated[bool, typer.Option("--unused", help="List the rules that no call matched, instead.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Print a policy that lets through what passed, and no more; nothing is changed."""
    from gatehold.config import load
    from policy.history.suggesting import suggest as suggested
    from policy.history.writing import document, document_json, told

    configuration = load(config)
    with history_of(configuration, recordings, since, fetch=fetch) as history:
        if unused:
            _unused(configuration, history, as_json=as_json)
            return
        found = suggested(
            configuration.engine,
            (call for call in history.calls() if call.passed or (denied and call.recorded.code == _REFUSED)),
            approvers=tuple(approver or ("approvers",)),
            issuers={issuer.name for issuer in configuration.gateway.spec.identity.issuers},
            taken=configuration.engine.rules.keys(),
        )
    if as_json:
        counts = [
            {"rule": each.rule["name"], "calls": {what: told(seen) for what, seen in each.seen}} for each in found.rules
        ]
        print_json({"policy": document_json(found, name), "rules": counts, "left_out": dict(found.left_out)})
        return
    typer.echo(document(found, name), nl=False)
    if not found.rules:
        typer.echo("no recorded call passed: there is nothing to suggest", err=True)
    for remark in remarks(history):
        typer.echo(remark, err=True)


def _unused(configuration: "Configuration", history: "History", *, as_json: bool) -> None:
    from policy.history.using import use

    uses = use(configuration.engine, history.calls())
    rules = [configuration.engine.rules[rule] for rule in uses.unused]
    items = [
        {
            "rule": rule.name,
            "effect": rule.effect.value,
            "mode": "shadow" if rule.shadow else "enforce",
            "place": configuration.rule_places.get(rule.name, ""),
        }
        for rule in rules
    ]
    unread = sum(uses.unread.values())
    if as_json:
        print_items(items, calls=uses.calls, unread=unread, remarks=remarks(history))
        return
    if items:
        print_table(("RULE", "EFFECT", "MODE", "WHERE"), [list(item.values()) for item in items])
    typer.echo(f"{len(items)} of {len(uses.rules)} rules matched none of {uses.calls} calls")
    if unread:
        typer.echo(f"{unread} calls could not be judged again; see gatehold policy whatif")
    for remark in remarks(history):
        typer.echo(remark)
