"""``gatehold audit verify``: a data directory, or a copy of one in a bucket."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gatehold.cli.audit_words import report_json, report_lines
from gatehold.cli.local_store import JsonOption
from gatehold.cli.output import FAILED, FINE, print_json, unusable
from gatehold.cli.recorded_files import FetchOption
from policy.errors import GateholdError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    from gatehold.config import Configuration
    from gatehold.objects.copied import Copied
    from recordings.checkpoints import Checkpoint


def verify(
    *,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Directory of the configuration.", exists=True, file_okay=False),
    ] = None,
    key: Annotated[
        list[Path] | None, typer.Option("--key", help="Public key (PEM) to check signatures with, kept elsewhere.")
    ] = None,
    anchor: Annotated[
        list[Path] | None,
        typer.Option("--anchor", help="Checkpoints copied elsewhere: a file, or a directory of them."),
    ] = None,
    fetch: FetchOption = False,
    url: Annotated[str, typer.Option("--url", help="Verify the copy in this bucket (s3://BUCKET/PREFIX) alone.")] = "",
    chain: Annotated[str, typer.Option("--chain", help="With --url: only this chain.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Verify journal, checkpoints and flow files. Ends with 1 and the first bad place where something was altered."""
    if config is None and not url:
        unusable("say --config, or --url with --key")
    if url and not key:
        unusable("--url: say --key: the public key is never taken from what is verified")
    if chain and not url:
        unusable("--chain belongs to --url")
    from gatehold.config import load

    configuration = None if config is None else load(config)
    if configuration is not None:
        _check_outside(configuration.data_dir, (*(key or ()), *(anchor or ())))
    outside = _outside(key or (), anchor or ())
    try:
        if url:
            intact = _copies(url, chain, configuration, outside, as_json=as_json)
        elif configuration is not None:
            intact = _directory(configuration, outside, fetch=fetch, as_json=as_json)
    except (GateholdError, OSError) as error:
        unusable(str(error))
    raise typer.Exit(FINE if intact else FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outside:
    """What was kept away from what is verified."""

    keys: "Sequence[Ed25519PublicKey]" = field(repr=False)
    anchors: "Sequence[Checkpoint]" = field(repr=False)


def _outside(keys: "Sequence[Path]", anchors: "Sequence[Path]") -> _Outside:
    from recordings.verify import read_anchors

    try:
        return _Outside(
            keys=[found for path in keys for found in _public_keys(path)],
            anchors=[found for path in anchors for found in read_anchors(path)],
        )
    except (OSError, ValueError) as error:
        unusable(str(error))


def _check_outside(data_dir: Path, paths: "Sequence[Path]") -> None:
    """Whoever may change what is verified must not be able to change what it is verified with."""
    for path in paths:
        if path.resolve().is_relative_to(data_dir.resolve()):
            unusable(
                f"{path} lies in the data directory that is verified, and so proves nothing: keep a copy elsewhere"
            )


def _directory(configuration: "Configuration", outside: _Outside, *, fetch: bool, as_json: bool) -> bool:
    from gatehold.objects.finding import bucket_of
    from recordings.verify import verify as verify_record

    elsewhere = bucket_of(configuration).open if fetch else None
    report = verify_record(configuration.data_dir, keys=outside.keys, anchors=outside.anchors, elsewhere=elsewhere)
    if as_json:
        print_json(report_json(report))
    else:
        typer.echo("\n".join(report_lines(report)))
    return report.intact


def _copies(url: str, chain: str, configuration: "Configuration | None", outside: _Outside, *, as_json: bool) -> bool:
    from gatehold.config.recordings import RecordingsSpec, bucket_url
    from gatehold.objects.copied import Copies
    from gatehold.objects.place import ObjectPlace

    spec = RecordingsSpec() if configuration is None else configuration.gateway.spec.recordings
    try:
        place = ObjectPlace(spec.model_copy(update={"url": bucket_url(url)}))
    except ValueError as error:
        unusable(f"--url: {error}")
    intact, items = True, []
    for found in Copies(place, keys=outside.keys, anchors=outside.anchors).verified(chain):
        intact = intact and found.report.intact
        items.append({"chain": found.chain, "copied": found.report.last, **report_json(found.report)})
        if not as_json:
            typer.echo("\n".join(_copy_lines(found)))
    if as_json:
        print_json({"intact": intact, "chains": items})
    return intact


def _copy_lines(found: "Copied") -> list[str]:
    from gatehold.approvals.rendering import visible

    first, *more = report_lines(found.report)
    copied = [f"copied to event {found.report.last}"] if found.report.intact else []
    return [f"chain {visible(found.chain)}: {first}", *copied, *more]


def _public_keys(path: Path) -> "list[Ed25519PublicKey]":
    from recordings.checkpoints import public_keys

    try:
        return public_keys(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
