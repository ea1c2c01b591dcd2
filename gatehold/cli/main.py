"""``gatehold``: finds the command and imports nothing else.

The table below is all that ``gatehold --help`` reads; a command's module, and through it mitmproxy, the store or the
masking engine, is imported when the command is called.
"""

import importlib
import importlib.util
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from gatehold.cli.output import FAILED, UNUSABLE, print_problems
from policy.errors import ConfigurationError, GateholdError


@dataclass(frozen=True, slots=True)
class Entry:
    """One command, or one noun with commands of its own."""

    help: str
    module: str
    is_group: bool = False


COMMANDS = {
    "run": Entry("Serve agents.", "gatehold.cli.run"),
    "demo": Entry("Serve a demonstration, with everything that belongs to it.", "gatehold.cli.demo"),
    "check": Entry("Say what is wrong with a configuration.", "gatehold.cli.check"),
    "doctor": Entry("Say whether everything that the gateway needs is there.", "gatehold.cli.doctor"),
    "schema": Entry("Print the JSON Schema of configuration documents.", "gatehold.cli.schema"),
    "policy": Entry("Explain decisions; run policy tests.", "gatehold.cli.policy", is_group=True),
    "token": Entry("Make keys and agent tokens.", "gatehold.cli.token", is_group=True),
    "keys": Entry("API keys of agents without an identity provider.", "gatehold.cli.keys", is_group=True),
    "reload": Entry("Bring a changed configuration into force.", "gatehold.cli.reload"),
    "ca": Entry("Print the certificate that agents must trust.", "gatehold.cli.ca"),
    "env": Entry("Print what agents need in their environment.", "gatehold.cli.env"),
    "agent-proxy": Entry("Forward an agent's clients with its token.", "gatehold.cli.agent_proxy"),
    "mask": Entry("Show what a file looks like when it is masked.", "gatehold.cli.mask"),
    "users": Entry("People who may answer approvals.", "gatehold.cli.users", is_group=True),
    "approvals": Entry("Calls that wait for a person.", "gatehold.cli.approvals", is_group=True),
    "grants": Entry("Calls that need not be asked about again.", "gatehold.cli.grants", is_group=True),
    "sessions": Entry("Sessions of agents.", "gatehold.cli.sessions", is_group=True),
    "revoke": Entry("Take access away from agents, or give it back.", "gatehold.cli.revoke"),
    "recordings": Entry("What was recorded.", "gatehold.cli.recordings", is_group=True),
    "replay": Entry("Make the calls of a recorded session again.", "gatehold.cli.replay"),
    "audit": Entry("The audit journal.", "gatehold.cli.audit", is_group=True),
}

_root = typer.Typer(
    name="gatehold", help="A governance gateway for AI agents.", no_args_is_help=True, rich_markup_mode=None
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"gatehold {version('gatehold')}")
        raise typer.Exit


@_root.callback()
def _gatehold(
    *,
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit.")
    ] = False,
) -> None:
    """Read by typer for the options that stand before a command."""


class _Lazy(TyperCommand):
    """Stands for a command until it is called."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=entry.help)
        self._entry = entry

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """The context of the real command, which from then on goes on alone."""
        app = importlib.import_module(self._entry.module).app
        command = typer.main.get_group(app) if self._entry.is_group else typer.main.get_command(app)
        return command.make_context(*args, **extra)


def build() -> TyperGroup:
    """The whole command line, with nothing imported yet."""
    group = typer.main.get_group(_root)
    for name, entry in COMMANDS.items():
        if importlib.util.find_spec(entry.module):
            group.add_command(_Lazy(name, entry))
    return group


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and end the process with its exit code."""
    try:
        build().main(args=arguments, prog_name="gatehold")
    except ConfigurationError as error:
        print_problems(error.problems, err=True)
        sys.exit(UNUSABLE)
    except GateholdError as error:
        typer.echo(f"gatehold: {error}", err=True)
        sys.exit(FAILED)
    sys.exit()
