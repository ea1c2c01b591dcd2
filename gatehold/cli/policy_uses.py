"""``gatehold policy coverage`` and ``policy shadow``: what rules did, and what rules in shadow would have done."""

from typing import TYPE_CHECKING, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.output import print_items, print_table
from gatehold.cli.policy_history import RecordingsOption, SinceOption, history_of, remarks
from gatehold.cli.recorded_files import FetchOption
from recordings.moments import timestamp

if TYPE_CHECKING:
    from policy.history.suggesting import Seen
    from policy.history.using import ShadowUse


def coverage(
    *,
    config: ConfigOption,
    recordings: RecordingsOption = None,
    since: SinceOption = "",
    fetch: FetchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what each rule did in the calls that were recorded."""
    from gatehold.config import load
    from policy.history.using import use

    configuration = load(config)
    with history_of(configuration, recordings, since, fetch=fetch) as history:
        uses = use(configuration.engine, history.calls())
    items = [
        {
            "rule": name,
            "matched": each.coverage.matched,
            "true": each.coverage.true,
            "false": each.coverage.false,
            "error": each.coverage.error,
            "unclear": each.unclear,
            "decided": each.decided,
            **_times(each.matched),
        }
        for name, each in uses.rules.items()
    ]
    unread = dict(uses.unread.most_common())
    if as_json:
        print_items(items, calls=uses.calls, unjudged=uses.unjudged, unread=unread, remarks=remarks(history))
        return
    print_table(
        ("RULE", "MATCHED", "TRUE", "FALSE", "ERROR", "UNCLEAR", "DECIDED", "FIRST", "LAST"),
        [["" if cell is None else str(cell) for cell in item.values()] for item in items],
    )
    typer.echo()
    typer.echo(f"{uses.calls} calls, {uses.unjudged} refused before policy was asked")
    for line in [f"not judged again, {count}: {reason}" for reason, count in unread.items()] + remarks(history):
        typer.echo(line)


def shadow(
    *,
    config: ConfigOption,
    recordings: RecordingsOption = None,
    since: SinceOption = "",
    fetch: FetchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Say what each rule in shadow would have changed, were it in force."""
    from gatehold.config import load
    from policy.history.using import shadows

    configuration = load(config)
    with history_of(configuration, recordings, since, fetch=fetch) as history:
        found = shadows(configuration.engine, history.calls())
    if as_json:
        print_items([_shadow(each) for each in found], calls=len(history.places), remarks=remarks(history))
        return
    if found:
        rows = [
            [each.rule, str(each.matched.calls), _changes(each), _obligations(each), str(each.unclear)]
            for each in found
        ]
        print_table(("RULE", "MATCHED", "WOULD CHANGE", "OTHER OBLIGATIONS", "UNCLEAR"), rows)
    else:
        typer.echo("no rule is in shadow")
    for remark in remarks(history):
        typer.echo(remark)


def _times(seen: "Seen") -> dict[str, Any]:
    """First and last, null where there is none."""
    return {key: timestamp(getattr(seen, key)) if seen.calls else None for key in ("first", "last")}


def _shadow(each: "ShadowUse") -> dict[str, Any]:
    changes = [
        {"before": before, "after": after, "calls": count, "example": each.examples[before, after]}
        for (before, after), count in each.changes.most_common()
    ]
    return {
        "rule": each.rule,
        "matched": each.matched.calls,
        "changes": changes,
        "obligations": dict(each.obligations),
        "unclear": each.unclear,
        **_times(each.matched),
    }


def _changes(each: "ShadowUse") -> str:
    told = [
        f"{count} {before} -> {after} (as {each.examples[before, after]})"
        for (before, after), count in each.changes.most_common()
    ]
    return ", ".join(told) or "nothing"


def _obligations(each: "ShadowUse") -> str:
    return ", ".join(f"{count} {name}" for name, count in each.obligations.most_common())
