"""``gatehold recordings open``: recorded flows in stock mitmweb, with their decisions."""

import shlex
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, NoReturn

import typer

from gatehold.cli.local_store import ConfigOption
from gatehold.cli.output import FAILED, unusable
from gatehold.cli.recorded_files import FetchOption, flow_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gatehold.objects.finding import FlowFiles
    from recordings.listing import Row

_COLUMNS: Final = ("icon", "path", "method", "status", "size", "time", "comment")


def open_(
    name: Annotated[str, typer.Argument(metavar="SESSION|DECISION", help="Id of a session or of a decision.")],
    config: ConfigOption,
    *,
    port: Annotated[int, typer.Option("--port", help="Where mitmweb listens, on this machine.")] = 8091,
    only: Annotated[str, typer.Option("--filter", help="What is shown at first, as '~comment deny'.")] = "",
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    print_command: Annotated[bool, typer.Option("--print-command", help="Print the command, start nothing.")] = False,
    fetch: FetchOption = False,
) -> None:
    """Open the recorded flows in mitmweb (a viewer: it starts no proxy)."""
    from gatehold.config import load
    from gatehold.temporary import private_directory
    from recordings.index.finding import timeline

    if print_command and fetch:
        unusable("what --fetch reads is removed at the end: see 'gatehold recordings fetch'")
    configuration = load(config)
    found = timeline(configuration.data_dir, name)
    rows = [row for row in found if row.file and row.length]
    if not rows:
        _fail(f"no flows were recorded of {_visible(name)}")
    options = ["--set", f"web_port={port}", *([] if browser else ["--set", "web_open_browser=false"])]
    options += ["--set", f"view_filter={only}"] if only else []
    with private_directory() as directory:  # mitmweb's confdir, too: it would make a CA in the auditor's home
        flows, lines = directory / "session.flow", directory / "journal.jsonl"
        with flow_files(configuration, rows, fetch=fetch) as files:
            if print_command:
                here = [str(configuration.data_dir / file) for file in dict.fromkeys(row.file for row in rows)]
                typer.echo(_shell_command(here, options))
                return
            _write_flows(flows, files, rows)
        _write_lines(lines, found)
        command = _mitmweb(str(flows), [*options, "--set", f"confdir={directory}", "--set", f"audit_journal={lines}"])
        raise typer.Exit(subprocess.run(command, check=False).returncode)  # noqa: S603 (stock mitmweb, our own files)


def audit_view() -> Path:
    """The file of the addon that shows decisions."""
    spec = find_spec("addons.audit_view")
    if spec is None or spec.origin is None:
        raise RuntimeError("addons.audit_view is missing from this installation")
    return Path(spec.origin)


def _mitmweb(file: str, options: "Sequence[str]") -> list[str]:
    program = Path(sys.executable).with_name("mitmweb")
    columns = [part for column in _COLUMNS for part in ("--set", f"web_columns={column}")]
    return [str(program), "-n", "-r", file, "-s", str(audit_view()), *columns, *options]


def _shell_command(files: "Sequence[str]", options: "Sequence[str]") -> str:
    """mitmweb reads one file; several are put behind each other, which a flow file allows."""
    if len(files) == 1:
        return shlex.join(_mitmweb(files[0], options))
    return shlex.join(_mitmweb("@", options)).replace(" @ ", f" <({shlex.join(['cat', *files])}) ", 1)


def _write_flows(path: Path, files: "FlowFiles", rows: "Sequence[Row]") -> None:
    from recordings.errors import RecordUnreadable

    with path.open("wb") as file:
        for row in rows:
            try:
                file.write(files.record(row))
            except RecordUnreadable as error:
                _fail(str(error))


def _write_lines(path: Path, rows: "Sequence[Row]") -> None:
    from recordings.lines import canonical

    with path.open("w", encoding="ascii") as file:
        file.writelines(f"{canonical(row.raw)}\n" for row in rows)


def _visible(text: str) -> str:
    from gatehold.approvals.rendering import visible

    return visible(text)


def _fail(message: str) -> NoReturn:
    typer.echo(f"gatehold: {message}", err=True)
    raise typer.Exit(FAILED)
