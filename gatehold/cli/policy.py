"""``gatehold policy``: ask the policy, run its tests, hold it against what was recorded."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.output import FAILED, print_items, print_json, print_table, unusable
from gatehold.cli.policy_diff import diff
from gatehold.cli.policy_suggest import suggest
from gatehold.cli.policy_uses import coverage, shadow
from gatehold.cli.policy_whatif import whatif

if TYPE_CHECKING:
    from policy.testing import Report

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Ask what the policy says of a call; run the policy's tests."
)

for command in (whatif, diff, suggest, coverage, shadow):
    app.command()(command)

Config = Annotated[Path, typer.Option("--config", help="Directory of configuration documents.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.command()
def explain(
    *,
    config: Config,
    target: Annotated[str | None, typer.Option(help="Name of the target.")] = None,
    method: Annotated[str, typer.Option(help="As on the wire.")] = "GET",
    path: Annotated[str | None, typer.Option(help="As on the wire, with its query.")] = None,
    subject: Annotated[str | None, typer.Option(help="Who calls; left out: an agent named explain.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="A group of the agent; may be given again.")] = None,
    issuer: Annotated[str | None, typer.Option(help="Who vouches for the agent; left out: the only issuer.")] = None,
    header: Annotated[list[str] | None, typer.Option(help="A header 'Name: value'; may be given again.")] = None,
    body: Annotated[Path | None, typer.Option(help="File with the body; - is standard input.")] = None,
    batch: Annotated[Path | None, typer.Option(help="File with one call as JSON on each line; - is input.")] = None,
    as_json: Json = False,
) -> None:
    """Say what the policy answers to a call, and why."""
    from gatehold.cli.explaining import FileExplainer, InvalidCallError
    from gatehold.config import load

    explainer = FileExplainer(load(config), issuer=issuer)
    try:
        if batch is not None:
            if target is not None or path is not None:
                unusable("--batch takes its calls from the file, not from --target and --path")
            explainer.explain_file(batch)
            return
        if target is None or path is None:
            unusable("give --target and --path, or --batch")
        agent = explainer.agent(subject, group or ())
        call = explainer.call_with_file(target, method, path, agent=agent, headers=header or (), body=body)
    except (InvalidCallError, OSError) as error:
        unusable(str(error))
    explanation = explainer.explain(call)
    if as_json:
        print_json(explanation)
    else:
        explainer.show(explanation)


@app.command("test")
def run_tests(*, config: Config, as_json: Json = False) -> None:
    """Run every PolicyTest; exit 1 where a case does not come out as it should."""
    from datetime import UTC, datetime

    from gatehold.cli.explaining import only_issuer
    from gatehold.config import load
    from policy.testing import run

    configuration = load(config)
    report = run(configuration.engine, configuration.tests, now=datetime.now(UTC), issuer=only_issuer(configuration))
    if as_json:
        _print_report(report)
    else:
        _show_report(report)
    if report.failed:
        raise typer.Exit(FAILED)


def _print_report(report: "Report") -> None:
    items = [
        {
            "test": result.document,
            "case": result.name,
            "ok": result.passed,
            "want": dict(result.want),
            "got": dict(result.got),
        }
        for result in report.results
    ]
    coverage = [
        {"rule": each.rule, "matched": each.matched, "true": each.true, "false": each.false, "error": each.error}
        for each in report.coverage
    ]
    passed = len(report.results) - report.failed
    print_items(items, coverage=coverage, passed=passed, failed=report.failed)


def _show_report(report: "Report") -> None:
    for result in report.results:
        typer.echo(f"{'ok    ' if result.passed else 'FAILED'}  {result.document}: {result.name}")
        if not result.passed:
            typer.echo(f"        want {_told(result.want)}\n        got  {_told(result.got)}")
    if report.coverage:
        typer.echo()
        rows = [[each.rule, *map(str, (each.matched, each.true, each.false, each.error))] for each in report.coverage]
        print_table(("RULE", "MATCHED", "TRUE", "FALSE", "ERROR"), rows)
        typer.echo()
    typer.echo(f"{len(report.results) - report.failed} passed, {report.failed} failed")


def _told(answer: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {'none' if value is None else value}" for key, value in answer.items())
