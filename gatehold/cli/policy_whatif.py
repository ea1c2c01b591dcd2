"""``gatehold policy whatif``: what another policy would have said of the calls that were made."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.output import FAILED, print_items, print_table
from gatehold.cli.policy_history import RecordingsOption, SinceOption, history_of, operation_of, remarks
from gatehold.cli.recorded_files import FetchOption
from recordings.moments import timestamp

if TYPE_CHECKING:
    from gatehold.history.reading import History
    from policy.engine import Engine
    from policy.history.comparing import Change, Comparison, Incomparable
    from policy.model import Decision

CandidateOption = Annotated[
    Path,
    typer.Option("--candidate", help="Directory of the configuration that may come.", exists=True, file_okay=False),
]


def whatif(
    *,
    config: ConfigOption,
    candidate: CandidateOption,
    recordings: RecordingsOption = None,
    since: SinceOption = "",
    fetch: FetchOption = False,
    fail_on_change: Annotated[
        bool, typer.Option("--fail-on-change", help="Exit 1 where a call changes, or cannot be compared.")
    ] = False,
    ignore_incomparable: Annotated[
        bool, typer.Option("--ignore-incomparable", help="With --fail-on-change: calls that change count alone.")
    ] = False,
    limits: Annotated[bool, typer.Option(help="Count the calls against limits and budgets.")] = True,
    as_json: JsonOption = False,
) -> None:
    """Judge every recorded call by the policy that is and by one that may come, and list what changes."""
    from gatehold.config import load
    from policy.history.comparing import Change, Comparison, compare

    current, other = load(config), load(candidate)
    changes, incomparable, comparison = list[dict[str, Any]](), list[dict[str, Any]](), Comparison()
    with history_of(current, recordings, since, fetch=fetch) as history:
        for found in compare(current.engine, other.engine, history.calls(), comparison, limits=limits):
            if isinstance(found, Change):
                changes.append(_change(found, other.engine))
            else:
                incomparable.append(_incomparable(found, current.engine))
    if as_json:
        _print(changes, incomparable, comparison, history)
    else:
        _show(changes, comparison, history)
    if fail_on_change and (changes or (incomparable and not ignore_incomparable)):
        raise typer.Exit(FAILED)


def _change(found: "Change", engine: "Engine") -> dict[str, Any]:
    return _call(found, engine) | {
        "before": _decision(found.before),
        "after": _decision(found.after),
        "obligations": list(found.obligations),
    }


def _incomparable(found: "Incomparable", engine: "Engine") -> dict[str, Any]:
    return _call(found, engine) | {"because": found.because}


def _call(found: "Change | Incomparable", engine: "Engine") -> dict[str, Any]:
    call = found.call
    return {
        "decision": call.decision,
        "time": timestamp(call.time),
        "session": call.agent.session,
        "agent": call.agent.subject,
        "target": call.target,
        "method": call.request.method,
        "path": call.request.path.partition("?")[0],
        "operation": operation_of(engine, call),
    }


def _decision(decision: "Decision") -> dict[str, Any]:
    from policy.explain import obligations_to_json

    return {
        "verdict": decision.verdict.value,
        "code": decision.code.value,
        "rule": decision.rule,
        "obligations": obligations_to_json(decision.obligations),
    }


def _print(
    changes: list[dict[str, Any]], incomparable: list[dict[str, Any]], comparison: "Comparison", history: "History"
) -> None:
    print_items(
        changes,
        incomparable=incomparable,
        counts={
            "calls": comparison.calls,
            "compared": comparison.compared,
            "changed": comparison.changed,
            "incomparable": comparison.incomparable,
            "unjudged": comparison.unjudged,
        },
        reasons=dict(comparison.reasons.most_common()),
        remarks=remarks(history),
    )


def _show(changes: list[dict[str, Any]], comparison: "Comparison", history: "History") -> None:
    counts = Counter(map(_alike, changes))
    examples = {_alike(change): change["decision"] for change in reversed(changes)}
    if counts:
        rows = [[str(count), *key, examples[key]] for key, count in counts.most_common()]
        print_table(("CALLS", "TARGET", "OPERATION", "BEFORE", "AFTER", "OBLIGATIONS", "FOR EXAMPLE"), rows)
        typer.echo()
    typer.echo(
        f"{comparison.calls} calls: {comparison.compared} compared, {comparison.changed} of them change; "
        f"{comparison.incomparable} not comparable; {comparison.unjudged} refused before policy was asked"
    )
    for reason, count in comparison.reasons.most_common():
        typer.echo(f"not comparable, {count}: {reason}")
    for remark in remarks(history):
        typer.echo(remark)


def _alike(change: dict[str, Any]) -> tuple[str, ...]:
    """What changes of many calls have in common."""
    return (
        change["target"],
        change["operation"],
        _told(change["before"]),
        _told(change["after"]),
        ", ".join(change["obligations"]),
    )


def _told(decision: dict[str, Any]) -> str:
    return f"{decision['verdict']} ({decision['rule'] or decision['code']})"
