"""``gatehold mask``: what a file would become under a mask profile, and what was found in it."""

import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.output import FAILED, UNUSABLE, print_problems, unusable

if TYPE_CHECKING:
    from masking.engine import Inspection, MaskingEngine
    from masking.profiles import Profile

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_MEDIA_TYPES = {
    ".csv": "text/csv",
    ".htm": "text/html",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/x-ndjson",
    ".log": "text/plain",
    ".md": "text/plain",
    ".ndjson": "application/x-ndjson",
    ".sse": "text/event-stream",
    ".txt": "text/plain",
    ".xml": "application/xml",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
}


@app.command()
def mask(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What to mask; `-` is standard input.")] = "-",
    profile: Annotated[list[str], typer.Option("--profile", help="Mask profile; may be given several times.")],
    config: Annotated[Path | None, typer.Option("--config", help="Directory of own mask profiles.")] = None,
    content_type: Annotated[
        str | None, typer.Option("--content-type", help="What the file holds; else its suffix tells, else its start.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the masked text and every hit as JSON.")] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help='FILE has one JSON object per line: {"text", "contentType"}.')
    ] = False,
) -> None:
    """Print FILE as an agent would see it; exit 1 where it cannot be masked."""
    from masking.errors import Unmaskable

    profiles = tuple(profile)
    engine = _engine(config, profiles)
    declared = content_type if content_type is not None else _MEDIA_TYPES.get(Path(file).suffix.lower(), "")
    with _opened(file) as source:
        try:
            if batch:
                _print_rows(engine, source, content_type or "", profiles)
            elif as_json:
                found = engine.inspect(source.read(), content_type=declared, profiles=profiles)
                typer.echo(json.dumps(_shown(found)))
            else:
                masked = engine.mask_body(source.read(), content_type=declared, profiles=profiles)
                sys.stdout.buffer.write(masked.body)
                sys.stdout.buffer.flush()
                _tell(masked.counts)
        except Unmaskable as unmaskable:
            typer.echo(f"gatehold: cannot be masked: {unmaskable}", err=True)
            raise typer.Exit(FAILED) from None


def _engine(config: Path | None, names: tuple[str, ...]) -> "MaskingEngine":
    from masking.engine import MaskingEngine

    profiles, key = _profiles(config)
    for name in names:
        if name not in profiles:
            unusable(f"there is no mask profile {name}; there are {', '.join(sorted(profiles))}")
    return MaskingEngine({name: profiles[name] for name in names}, key=key)


def _profiles(config: Path | None) -> tuple[Mapping[str, "Profile"], bytes | None]:
    """All profiles, and the installation's pseudonym key where it has one."""
    from masking.profiles import resolve
    from policy.errors import ConfigurationError

    if config is None:
        return resolve({}), None
    from gatehold.config import load

    try:
        configuration = load(config)
        profiles = resolve(configuration.profiles)
    except ConfigurationError as error:
        print_problems(error.problems, err=True)
        raise typer.Exit(UNUSABLE) from None
    except ValueError as error:
        unusable(str(error))
    key = configuration.data_dir / "keys" / "pseudonym.key"
    return profiles, key.read_bytes() if key.is_file() else None


def _opened(file: str) -> IO[bytes]:
    if file == "-":
        return sys.stdin.buffer
    try:
        return Path(file).open("rb")
    except OSError as error:
        unusable(f"{file}: {error.strerror}")


def _shown(found: "Inspection") -> dict[str, Any]:
    hits = ({"entity": hit.entity, "start": hit.start, "end": hit.end, "score": hit.score} for hit in found.findings)
    return {"masked": found.masked, "hits": list(hits)}


def _print_rows(engine: "MaskingEngine", source: Iterable[bytes], otherwise: str, profiles: tuple[str, ...]) -> None:
    """One answer per row, in order; a row that cannot be masked says so and makes the command fail."""
    failed = False
    for line in source:
        if line.strip():
            answer = _answer(engine, line, otherwise, profiles)
            failed = failed or "error" in answer
            typer.echo(json.dumps(answer))
    if failed:
        raise typer.Exit(FAILED)


def _answer(engine: "MaskingEngine", line: bytes, otherwise: str, profiles: tuple[str, ...]) -> dict[str, Any]:
    from masking.errors import Unmaskable

    try:
        row = json.loads(line)
    except ValueError:
        return {"error": "not a JSON object"}
    text = row.get("text") if isinstance(row, dict) else None
    declared = row.get("contentType") or otherwise if isinstance(row, dict) else ""
    if not isinstance(text, str) or not isinstance(declared, str):
        return {"error": "`text` or `contentType` is no string"}
    try:
        return _shown(engine.inspect(text, content_type=declared, profiles=profiles))
    except Unmaskable as unmaskable:
        return {"error": str(unmaskable)}


def _tell(counts: Mapping[str, int]) -> None:
    """What was hidden, for people who look on."""
    if counts and sys.stderr.isatty():
        typer.echo(", ".join(f"{entity} {count}" for entity, count in counts.items()), err=True)
