"""``gatehold mask``: what a file would become under a mask profile, and what was found in it."""

import json
import sys
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.mask_input import advice, content_coding, media_type
from gatehold.cli.output import FAILED, UNUSABLE, print_items, print_problems, print_table, unusable

if TYPE_CHECKING:
    from masking.engine import Inspection, MaskingEngine
    from masking.profiles import Profile

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def mask(
    *,
    file: Annotated[str, typer.Argument(metavar="FILE", help="What to mask; `-` is standard input.")] = "-",
    profile: Annotated[list[str] | None, typer.Option("--profile", help="Mask profile; may be given again.")] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Directory of own mask profiles.")] = None,
    content_type: Annotated[
        str | None, typer.Option("--content-type", help="What the file holds; else its suffix tells, else its start.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the masked text and every hit as JSON.")] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help='FILE has one JSON object per line: {"text", "contentType"}.')
    ] = False,
    table: Annotated[
        bool | None,
        typer.Option("--table/--no-table", help="Print what was found to standard error; by default at a terminal."),
    ] = None,
    show: Annotated[bool, typer.Option("--show", help="Print the values found as well, in the table.")] = False,
    list_profiles: Annotated[bool, typer.Option("--list", help="Print the profiles and what they hide.")] = False,
) -> None:
    """Print FILE as an agent would see it; exit 1 where it cannot be masked. Suffixes .gz, .br and .zst are decoded."""
    from masking.encodings import Limits, decode
    from masking.errors import Unmaskable

    known, key = _profiles(config)
    if list_profiles:
        _print_profiles(known, as_json=as_json)
        return
    names = _checked(profile or [], known)
    engine = _engine({name: known[name] for name in names}, key)
    declared = content_type if content_type is not None else media_type(file)
    wants_table = show or (sys.stderr.isatty() if table is None else table)
    with _opened(file) as source:
        try:
            if batch:
                _print_rows(engine, source, content_type or "", names)
                return
            body = source.read()
            coding = content_coding(file, body)
            if as_json:
                found = engine.inspect(decode(body, coding, Limits()), content_type=declared, profiles=names)
                typer.echo(json.dumps(_shown(found)))
                return
            masked = engine.mask_body(body, content_type=declared, content_encoding=coding, profiles=names)
            sys.stdout.buffer.write(masked.body)
            sys.stdout.buffer.flush()
            if wants_table and body:
                _tell(
                    engine, decode(body, coding, Limits()), declared, {name: known[name] for name in names}, show=show
                )
        except Unmaskable as unmaskable:
            hint = advice(unmaskable.reason)
            typer.echo(f"gatehold: cannot be masked: {unmaskable}{f'; {hint}' if hint else ''}", err=True)
            raise typer.Exit(FAILED) from None


def _checked(names: list[str], known: Mapping[str, "Profile"]) -> tuple[str, ...]:
    if not names:
        unusable("say which mask profile, as in --profile pii; --list prints them")
    for name in names:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            meant = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known))}"
            unusable(f"there is no mask profile {name}{meant}")
    return tuple(dict.fromkeys(names))


def _engine(profiles: Mapping[str, "Profile"], key: bytes | None) -> "MaskingEngine":
    from masking.engine import MaskingEngine
    from masking.errors import ModelUnavailable

    engine = MaskingEngine(profiles, key=key)
    try:
        engine.load_models()
    except ModelUnavailable as unavailable:
        unusable(str(unavailable))
    return engine


def _profiles(config: Path | None) -> tuple[Mapping[str, "Profile"], bytes | None]:
    """All profiles, and the installation's pseudonym key where it has one."""
    from masking.profiles import resolve
    from policy.errors import ConfigurationError

    if config is None:
        return resolve({}), None
    from gatehold.config import load_profiles

    try:
        own, data_dir = load_profiles(config)
        profiles = resolve(own)
    except ConfigurationError as error:
        print_problems(error.problems, err=True)
        raise typer.Exit(UNUSABLE) from None
    except ValueError as error:
        unusable(str(error))
    key = data_dir / "keys" / "pseudonym.key" if data_dir else None
    return profiles, key.read_bytes() if key and key.is_file() else None


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
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        return {"error": 'the row is no JSON object; write {"text": "...", "contentType": "..."}'}
    text, declared = row.get("text"), row.get("contentType") or otherwise
    if not isinstance(text, str):
        return {"error": "`text` should be a string"}
    if not isinstance(declared, str):
        return {"error": "`contentType` should be a string"}
    try:
        return _shown(engine.inspect(text, content_type=declared, profiles=profiles))
    except Unmaskable as unmaskable:
        return {"error": str(unmaskable)}


def _tell(
    engine: "MaskingEngine", plain: bytes, declared: str, profiles: Mapping[str, "Profile"], *, show: bool
) -> None:
    """What was hidden, for people who look on: on standard error, without the values."""
    from gatehold.approvals.rendering import columns
    from gatehold.cli import mask_table
    from masking.content import Shape, read_content_type, text_of

    told = read_content_type(declared)
    text = text_of(plain, told)
    found = engine.inspect(text, content_type=declared, profiles=tuple(profiles))
    is_json = told.shape is Shape.JSON or (told.shape is None and text.lstrip("\ufeff \t\r\n")[:1] in {"{", "["})
    if sys.stdout.isatty() and not found.masked.endswith("\n"):
        typer.echo(err=True)
    header, rows = mask_table.rows(text, found.findings, profiles.values(), is_json=is_json, show=show)
    for line in columns(header, rows) if rows else ():
        typer.echo(line, err=True)
    typer.echo(mask_table.summary(found.findings, tuple(profiles)), err=True)


def _print_profiles(profiles: Mapping[str, "Profile"], *, as_json: bool) -> None:
    """What each profile hides, and how."""
    from gatehold.cli.mask_table import operators_of

    listed = {name: operators_of([profiles[name]]) for name in sorted(profiles)}
    if as_json:
        print_items({"profile": name, "entities": entities} for name, entities in listed.items())
        return
    print_table(
        ("profile", "entity", "operator"),
        [(name, entity, "/".join(ways)) for name, entities in listed.items() for entity, ways in entities.items()],
    )
