"""``gatehold recordings fetch``: flow files that are only in the bucket."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from gatehold.cli.output import FAILED, print_items
from policy.errors import GateholdError

if TYPE_CHECKING:
    from gatehold.objects.fetching import Fetching


def fetch(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    out: Annotated[Path, typer.Option("--out", help="Directory for the files.", file_okay=False)] = Path(),
    as_json: JsonOption = False,
) -> None:
    """Read the flow files of a session back from the bucket; those that are still here are only named."""
    from gatehold.config import load
    from gatehold.objects.finding import bucket_of
    from recordings.index.finding import timeline

    configuration = load(config)
    files = list(dict.fromkeys(row.file for row in timeline(configuration.data_dir, name) if row.file))
    if not files:
        _fail("nothing was recorded of that")
    try:
        bucket = None if all((configuration.data_dir / each).exists() for each in files) else bucket_of(configuration)
        out.mkdir(parents=True, exist_ok=True)
        fetched = [_one(configuration.data_dir, each, bucket, out) for each in files]
    except (GateholdError, OSError) as error:
        _fail(str(error))
    if as_json:
        print_items(fetched)
    else:
        typer.echo("\n".join(each["path"] for each in fetched))


def _one(data_dir: Path, name: str, bucket: "Fetching | None", out: Path) -> dict[str, Any]:
    from recordings.reading import flow_path

    here = flow_path(data_dir, name)
    if bucket is None or here.exists():
        return {"file": name, "path": str(here), "bytes": here.stat().st_size, "fetched": False}
    path = out / here.parent.name / here.name  # on each day the parts of a session are numbered from 1
    path.parent.mkdir(mode=0o700, exist_ok=True)
    return {"file": name, "path": str(path), "bytes": bucket.save(name, path), "fetched": True}


def _fail(words: str) -> NoReturn:
    typer.echo(f"gatehold: {words}", err=True)
    raise typer.Exit(FAILED)
