"""``gatehold recordings``: what agents did, from the journal and the flow files."""

import base64
import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gatehold.cli.local_store import ConfigOption, JsonOption
from policy.errors import ConfigurationError
from policy.model import Verdict
from recordings.moments import moment_of, timestamp

if TYPE_CHECKING:
    from recordings.flows import Spoken
    from recordings.listing import Row, SessionRow

app = typer.Typer(no_args_is_help=True, help="What agents did: sessions, timelines, replays in mitmweb.")


@app.command("list")
def list_(
    config: ConfigOption,
    *,
    agent: Annotated[str, typer.Option("--agent", help="Only calls of this subject.")] = "",
    target: Annotated[str, typer.Option("--target", help="Only calls to this target.")] = "",
    rule: Annotated[str, typer.Option("--rule", help="Only calls that this rule decided.")] = "",
    verdict: Annotated[Verdict | None, typer.Option("--verdict", help="Only calls with this verdict.")] = None,
    since: Annotated[str, typer.Option("--since", help="Only calls since then: 30m, 24h, 7d or a date.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Show the sessions, with what they asked for and how it was answered."""
    from recordings.listing import Filter, sessions

    data_dir = data_directory(config)
    only = Filter(agent=agent, target=target, rule=rule, verdict=verdict.value if verdict else "", since=_since(since))
    found = sessions(data_dir, only)
    if as_json:
        typer.echo(json.dumps({"items": [_session_json(data_dir, session) for session in found]}))
        return
    rows = [_session_cells(session) for session in found]
    _table(("SESSION", "AGENT", "TARGETS", "CALLS", "VERDICTS", "MASKED", "LAST", "FILES"), rows)


@app.command()
def show(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    as_json: JsonOption = False,
) -> None:
    """Show what happened in a session, or to one call, in order."""
    from recordings.listing import timeline

    data_dir = data_directory(config)
    found = timeline(data_dir, name)
    if not found:
        _fail(f"nothing was recorded of {_plain(name)}")
    if as_json:
        typer.echo(json.dumps({"items": [_row_json(data_dir, row) for row in found]}))
        return
    _table(
        ("TIME", "KIND", "DECISION", "OPERATION", "VERDICT", "CODE", "RULE", "STATUS", "MASKED", "REMARK"),
        [_row_cells(row) for row in found],
    )


@app.command("open")
def open_(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    port: Annotated[int, typer.Option("--port", help="Where mitmweb listens, on this machine.")] = 8091,
    print_command: Annotated[bool, typer.Option("--print-command", help="Print the command, start nothing.")] = False,
) -> None:
    """Open the recorded flows in mitmweb (a viewer: it starts no proxy)."""
    from recordings.listing import timeline

    data_dir = data_directory(config)
    files = list(dict.fromkeys(row.file for row in timeline(data_dir, name) if row.file))
    paths = [data_dir / file for file in files]
    if not paths:
        _fail(f"no flows were recorded of {_plain(name)}")
    if missing := [path for path in paths if not path.is_file()]:
        _fail(f"{missing[0]} is missing: see 'gatehold audit verify'")
    if print_command:
        typer.echo(_shell_command(paths, port))
        return
    with TemporaryDirectory(prefix="gatehold-") as directory:
        command = _mitmweb(str(_as_one_file(paths, Path(directory))), port)
        command += ["--set", f"confdir={directory}"]  # it would make a CA of its own in the auditor's home
        raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 (stock mitmweb, our own files)


@app.command()
def export(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    *,
    asciicast: Annotated[bool, typer.Option("--asciicast", help="A terminal session, as asciicast v2.")] = False,
    messages: Annotated[bool, typer.Option("--messages", help="Messages of a WebSocket, as JSON Lines.")] = False,
    call: Annotated[str, typer.Option("--call", help="Which call, by its decision, where there are several.")] = "",
    typed: Annotated[bool, typer.Option("--input", help="With what was typed.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="With what steers a terminal beyond showing text.")] = False,
) -> None:
    """Write a recorded exec session as players of terminal sessions read it, or the messages of a WebSocket."""
    from recordings.asciicast import Options, cast

    if asciicast == messages:
        _fail("say in which form: --asciicast or --messages")
    found = _conversations(data_directory(config), call or name)
    spoken = {decision: each for decision, each in found.items() if each.is_terminal is asciicast}
    if not spoken:
        other = f"; there are others: {'--messages' if asciicast else '--asciicast'}" if found else ""
        what = "terminal session" if asciicast else "WebSocket of an http target"
        _fail(f"no {what} was recorded of {_plain(call or name)}{other}")
    if len(spoken) > 1:
        several = "".join(f"\n  {decision}  {_plain(each.command)}" for decision, each in spoken.items())
        _fail(f"there are several, name one of them with --call:{several}")
    (conversation,) = spoken.values()
    if messages:
        for message in sorted(conversation.messages, key=lambda each: each.time):
            typer.echo(json.dumps(_message_json(message)))
        return
    options = Options(title=name, command=conversation.command, typed=typed, raw=raw)
    for line in cast(conversation.messages, options):
        typer.echo(line)


@dataclass(slots=True, kw_only=True)
class _Conversation:
    command: str
    is_terminal: bool = True
    """Of an exec or attach, whose messages begin with their channel; else of a WebSocket of an http target."""
    messages: "list[Spoken]" = field(default_factory=list)


def _conversations(data_dir: Path, name: str) -> dict[str, _Conversation]:
    """What was said over WebSockets, by decision, all parts together."""
    from recordings.errors import RecordUnreadable
    from recordings.flows import dialogues
    from recordings.listing import timeline
    from recordings.reading import record

    found: dict[str, _Conversation] = {}
    for row in timeline(data_dir, name):
        if not row.file or not row.length:
            continue
        try:
            said = dialogues(record(data_dir, row))
        except RecordUnreadable as error:
            _fail(str(error))
        for dialogue in said:
            if not dialogue.messages:
                continue  # a port-forward, of which bytes are counted
            facts = row.raw["event"]["unmapped"]["gatehold"].get("facts")
            command = facts.get("command") if isinstance(facts, dict) else None
            words = shlex.join(str(word) for word in command) if isinstance(command, list) else ""
            is_http = (isinstance(facts, dict) and "method" in facts) or any(each.is_text for each in dialogue.messages)
            known = found.setdefault(row.decision, _Conversation(command=words, is_terminal=not is_http))
            known.messages += dialogue.messages
    return found


def _message_json(message: "Spoken") -> dict[str, str]:
    """One message as it was recorded: masked."""
    who = {"time": timestamp(message.time), "from": "agent" if message.from_client else "target"}
    if message.is_text:
        return who | {"text": message.content.decode("utf-8", "replace")}
    return who | {"base64": base64.b64encode(message.content).decode()}


def data_directory(config: Path) -> Path:
    """Where a configuration keeps its data; problems end the command with 2."""
    from gatehold.config import load

    try:
        return load(config).data_dir
    except ConfigurationError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _mitmweb(file: str, port: int) -> list[str]:
    program = Path(sys.executable).with_name("mitmweb")
    return [str(program), "-n", "-r", file, "--set", f"web_port={port}"]


def _shell_command(paths: Sequence[Path], port: int) -> str:
    """mitmweb reads one file; several are put behind each other, which a flow file allows."""
    if len(paths) == 1:
        return shlex.join(_mitmweb(str(paths[0]), port))
    joined = shlex.join(["cat", *(str(path) for path in paths)])
    return shlex.join(_mitmweb("@", port)).replace(" @ ", f" <({joined}) ")


def _as_one_file(paths: Sequence[Path], directory: Path) -> Path:
    if len(paths) == 1:
        return paths[0]
    merged = directory / "session.flow"
    with merged.open("wb") as file:
        for path in paths:
            file.write(path.read_bytes())
    return merged


def _since(text: str) -> float | None:
    try:
        return moment_of(text, now=time.time()) if text else None
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None


def _session_json(data_dir: Path, session: "SessionRow") -> dict[str, Any]:
    files = [str(data_dir / file) for file in session.files]
    words = {key: value for key, value in asdict(session).items() if key != "streams"}
    return words | {
        "file": files[0] if files else "",
        "files": files,
        "first": timestamp(session.first),
        "last": timestamp(session.last),
        "target": ",".join(session.targets),
        "verdicts": dict(session.verdicts),
    }


def _session_cells(session: "SessionRow") -> tuple[str, ...]:
    verdicts = " ".join(f"{verdict}:{count}" for verdict, count in sorted(session.verdicts.items()))
    cells = (session.session or "-", session.agent or "-", ",".join(session.targets), str(session.calls), verdicts)
    return (*cells, str(session.masked or ""), timestamp(session.last), " ".join(session.files))


def _row_json(data_dir: Path, row: "Row") -> dict[str, Any]:
    words = {key: value for key, value in asdict(row).items() if key != "raw"}
    return words | {
        "event": row.raw["event"],
        "file": str(data_dir / row.file) if row.file else "",
        "time": timestamp(row.time),
    }


def _row_cells(row: "Row") -> tuple[str, ...]:
    masked = sum(row.masked.values())
    words = (row.kind, row.decision, row.operation, row.verdict, row.code, row.rule, str(row.status or ""))
    return (timestamp(row.time), *words, str(masked or ""), row.message)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Columns as wide as they need to be; the last one runs on."""
    lines = [head, *([_plain(cell) for cell in row] for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _plain(text: str) -> str:
    """Agents choose what stands in here: nothing of it may steer a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _fail(message: str) -> None:
    typer.echo(f"gatehold: {message}", err=True)
    raise typer.Exit(1)
