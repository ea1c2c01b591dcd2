"""``gatehold audit``: is the record what was written, and what does it say?"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli import audit_query
from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.recordings import data_directory
from gatehold.cli.recordings_fetch import bucket_of
from policy.errors import GateholdError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from recordings.findings import Report

app = typer.Typer(no_args_is_help=True, help="The audit journal: what it says, and proof that it was not altered.")
app.command()(audit_query.query)
app.command()(audit_query.export)

_SHOWN = 20
"""So many notes and calls are listed; the others are counted."""


@app.command()
def verify(
    config: ConfigOption,
    key: Annotated[
        list[Path] | None, typer.Option("--key", help="Public key (PEM) to check signatures with, kept elsewhere.")
    ] = None,
    anchor: Annotated[
        list[Path] | None,
        typer.Option("--anchor", help="Checkpoints copied elsewhere: a file, or a directory of them."),
    ] = None,
    fetch: Annotated[
        bool, typer.Option("--fetch", help="Read the flow files that are only in the bucket from there.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Verify journal, checkpoints and flow files. Ends with 1 and the first bad place where something was altered."""
    from recordings.verify import read_anchors
    from recordings.verify import verify as verify_record

    data_dir = data_directory(config)
    elsewhere = bucket_of(config) if fetch else None
    try:
        keys = [found for path in key or () for found in _public_keys(path)]
        anchors = [found for path in anchor or () for found in read_anchors(path)]
    except (OSError, ValueError) as error:
        typer.echo(f"gatehold: {error}", err=True)
        raise typer.Exit(2) from error
    try:
        report = verify_record(data_dir, keys=keys, anchors=anchors, elsewhere=elsewhere.open if elsewhere else None)
    except GateholdError as error:
        typer.echo(f"gatehold: {error}", err=True)
        raise typer.Exit(2) from error
    typer.echo(_as_json(report) if as_json else "\n".join(_lines(report)))
    raise typer.Exit(0 if report.intact else 1)


@app.command("key")
def key_(config: ConfigOption) -> None:
    """Print the public key that checkpoints are signed with. Keep a copy away from the gateway."""
    from recordings.checkpoints import public_pem, signing_key

    try:
        typer.echo(public_pem(signing_key(data_directory(config)).public_key()), nl=False)
    except (GateholdError, OSError) as error:
        typer.echo(f"gatehold: {error}", err=True)
        raise typer.Exit(1) from error


def _public_keys(path: Path) -> "list[Ed25519PublicKey]":
    from recordings.checkpoints import public_keys

    try:
        return public_keys(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def _lines(report: "Report") -> list[str]:
    """For people: the verdict first, then how far it reaches, then what else there is to know."""
    lines = [report.summary()]
    if report.intact:
        lines += _reach(report)
    lines += _some(report.notes)
    if report.open_intents:
        lines += [f"{len(report.open_intents)} calls were to be sent and have no end:", *_some(report.open_intents)]
    return lines


def _reach(report: "Report") -> list[str]:
    lines = []
    if report.anchored:
        lines.append(f"anchored to event {report.anchored}")
    if not report.anchored or report.anchored < report.last:
        lines.append(f"intact to event {report.last}; later truncation cannot be excluded")
    if report.signatures:
        lines.append(f"signed to event {report.vouched}")
    else:
        lines.append("signatures were not checked against a key from outside (--key)")
    return lines


def _some(lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    return [f"  {line}" for line in lines[:_SHOWN]] + ([f"  and {more} more"] if more > 0 else [])


def _as_json(report: "Report") -> str:
    bad = report.first_break
    return json.dumps(
        {
            "intact": report.intact,
            "break": asdict(bad) if bad else None,
            "events": report.events,
            "deleted": report.deleted,
            "flows": report.flows,
            "checkpoints": report.checkpoints,
            "signatures": report.signatures,
            "vouched": report.vouched,
            "anchored": report.anchored,
            "uploadedFlows": report.uploaded_flows,
            "fetchedFlows": report.fetched_flows,
            "notes": report.notes,
            "openIntents": report.open_intents,
        }
    )
