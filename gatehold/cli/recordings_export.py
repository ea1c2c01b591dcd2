"""``gatehold recordings export``: recorded calls in the forms that other tools read."""

import base64
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gatehold.cli.local_store import ConfigOption
from gatehold.cli.output import FAILED, unusable
from gatehold.cli.recorded_files import FetchOption, flow_files
from recordings.moments import timestamp

if TYPE_CHECKING:
    from mitmproxy.http import HTTPFlow

    from gatehold.objects.finding import FlowFiles
    from recordings.flows import Spoken
    from recordings.listing import Row


class Form(StrEnum):
    """Of an export; each is an option."""

    HAR = "har"
    JSONL = "jsonl"
    CSV = "csv"
    ASCIICAST = "asciicast"
    MESSAGES = "messages"


_FORMS = ", ".join(f"--{form}" for form in Form)


def export(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    *,
    har: Annotated[bool, typer.Option("--har", help="All calls, as HAR 1.2.")] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="All calls, as JSON Lines.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="All calls without headers and bodies, as a table.")] = False,
    asciicast: Annotated[bool, typer.Option("--asciicast", help="A terminal session, as asciicast v2.")] = False,
    messages: Annotated[bool, typer.Option("--messages", help="Messages of a WebSocket, as JSON Lines.")] = False,
    call: Annotated[str, typer.Option("--call", help="Which call, by its decision, where there are several.")] = "",
    typed: Annotated[bool, typer.Option("--input", help="A terminal session with what was typed.")] = False,
    raw: Annotated[bool, typer.Option("--raw", help="With what steers a terminal beyond showing text.")] = False,
    fetch: FetchOption = False,
) -> None:
    """Write recorded calls as other tools read them; a terminal session or a WebSocket as what was said in it."""
    from gatehold.config import load
    from recordings.index.finding import timeline

    asked = zip(Form, (har, jsonl, csv, asciicast, messages), strict=True)
    forms = [form for form, wanted in asked if wanted]
    if len(forms) != 1:
        unusable(f"say in which form, one of {_FORMS}")
    [form] = forms
    configuration = load(config)
    lines = timeline(configuration.data_dir, call or name)
    with flow_files(configuration, lines, fetch=fetch) as files:
        rows = _Rows(files=files, rows=lines)
        if form in (Form.ASCIICAST, Form.MESSAGES):
            for line in _conversation(rows, form, call or name, title=name, typed=typed, raw=raw):
                typer.echo(line)
            return
        _write(form, _flows(rows))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    files: "FlowFiles"
    rows: "list[Row]" = field(repr=False)

    def records(self) -> "Iterator[tuple[Row, bytes]]":
        """Those with a record, each with its bytes; ends the command where one is not as it was written."""
        from recordings.errors import RecordUnreadable

        for row in self.rows:
            if row.file and row.length:
                try:
                    found = self.files.record(row)
                except RecordUnreadable as error:
                    _fail(str(error))
                yield row, found


def _flows(rows: _Rows) -> "Iterator[HTTPFlow]":
    """One flow at a time, in the order of the journal."""
    from recordings.errors import RecordUnreadable
    from recordings.exchanges import http_flows

    found = 0
    for _, record in rows.records():
        try:
            flows = http_flows(record)
        except RecordUnreadable as error:
            _fail(str(error))
        yield from flows
        found += len(flows)
    if not found:
        _fail("no flow was recorded of that")


def _write(form: Form, flows: "Iterator[HTTPFlow]") -> None:
    from recordings.flow_tables import json_lines, table
    from recordings.har import har

    if form is Form.HAR:
        for piece in har(flows):
            sys.stdout.write(piece)
        return
    for line in json_lines(flows) if form is Form.JSONL else table(flows):
        typer.echo(line)


@dataclass(slots=True, kw_only=True)
class _Conversation:
    command: str
    is_terminal: bool = True
    """Of an exec or attach, whose messages begin with their channel; else of a WebSocket of an http target."""
    messages: "list[Spoken]" = field(default_factory=list)


def _conversation(rows: _Rows, form: Form, name: str, *, title: str, typed: bool, raw: bool) -> Iterator[str]:
    """The one conversation of a form that there is; ends the command where there are none or several."""
    from recordings.asciicast import Options, cast

    found = _conversations(rows)
    spoken = {decision: each for decision, each in found.items() if each.is_terminal is (form is Form.ASCIICAST)}
    if not spoken:
        other = f"; there are others: --{Form.MESSAGES if form is Form.ASCIICAST else Form.ASCIICAST}" if found else ""
        what = "terminal session" if form is Form.ASCIICAST else "WebSocket of an http target"
        _fail(f"no {what} was recorded of {_plain(name)}{other}")
    if len(spoken) > 1:
        several = "".join(f"\n  {decision}  {_plain(each.command)}" for decision, each in spoken.items())
        _fail(f"there are several, name one of them with --call:{several}")
    [conversation] = spoken.values()
    if form is Form.ASCIICAST:
        options = Options(title=title, command=conversation.command, typed=typed, raw=raw)
        return cast(conversation.messages, options)
    ordered = sorted(conversation.messages, key=lambda each: each.time)
    return (json.dumps(_message_json(message)) for message in ordered)


def _conversations(rows: _Rows) -> dict[str, _Conversation]:
    """What was said over WebSockets, by decision, all parts together."""
    from recordings.flows import dialogues

    found: dict[str, _Conversation] = {}
    for row, record in rows.records():
        for dialogue in dialogues(record):
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


def _plain(text: str) -> str:
    from gatehold.approvals.rendering import visible

    return visible(text)


def _fail(message: str) -> NoReturn:
    typer.echo(f"gatehold: {message}", err=True)
    raise typer.Exit(FAILED)
