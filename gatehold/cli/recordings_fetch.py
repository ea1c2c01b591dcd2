"""``gatehold recordings fetch``: flow files that are only in the bucket."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.output import FAILED, print_items
from policy.errors import ConfigurationError, GateholdError

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.objects.fetching import Fetching

_USAGE = 2


def fetch(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", help="Directory for the files.", file_okay=False)] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Read the flow files of a session back from the bucket; those that are still here are only named."""
    from recordings.listing import timeline

    configuration = _load(config)
    files = list(dict.fromkeys(row.file for row in timeline(configuration.data_dir, name) if row.file))
    if not files:
        _fail("nothing was recorded of that")
    try:
        bucket = None if all((configuration.data_dir / each).exists() for each in files) else _bucket(configuration)
        out.mkdir(parents=True, exist_ok=True)
        fetched = [_one(configuration.data_dir / each, each, bucket, out) for each in files]
    except (GateholdError, OSError) as error:
        _fail(str(error))
    if as_json:
        print_items(fetched)
    else:
        typer.echo("\n".join(each["path"] for each in fetched))


def bucket_of(config: Path) -> "Fetching":
    """The bucket of a configuration; ends the command where it has none."""
    try:
        return _bucket(_load(config))
    except (GateholdError, OSError) as error:
        typer.echo(f"gatehold: {error}", err=True)
        raise typer.Exit(_USAGE) from error


def _one(here: Path, name: str, bucket: "Fetching | None", out: Path) -> dict[str, Any]:
    if bucket is None or here.exists():
        return {"file": name, "path": str(here), "bytes": here.stat().st_size, "fetched": False}
    path = out / here.name
    return {"file": name, "path": str(path), "bytes": bucket.save(name, path), "fetched": True}


def _bucket(configuration: "Configuration") -> "Fetching":
    from gatehold.objects.fetching import Fetching

    spec = configuration.gateway.spec.recordings
    if spec.url == "file":
        raise GateholdError("the configuration names no bucket under `recordings`")
    return Fetching(spec, configuration.data_dir)


def _load(config: Path) -> "Configuration":
    from gatehold.config import load

    try:
        return load(config)
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_USAGE) from error


def _fail(words: str) -> NoReturn:
    typer.echo(f"gatehold: {words}", err=True)
    raise typer.Exit(FAILED)
