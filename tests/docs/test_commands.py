"""Law: every command and option that the documentation names exists."""

import importlib
import re
import shlex
from typing import Any

import pytest
import typer

from gatehold.cli.main import COMMANDS
from tests.docs.pages import PAGES, blocks, prose

_INLINE = re.compile(r"`(gatehold [^`]+)`")


def command_lines() -> list[str]:
    """Every ``gatehold ...`` in a block of shell or in a line of text."""
    shell = [line.strip().removeprefix("$ ") for block in blocks("sh", "console") for line in block.text.splitlines()]
    inline = [line.replace("\n", " ") for page in PAGES for line in _INLINE.findall(prose(page))]
    return sorted({line for line in (*shell, *inline) if re.match(r"gatehold [a-z]", line)} - {"gatehold: ready"})


def find(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words name, and the rest of the words. Raises ``KeyError``."""
    entry = COMMANDS[words[0]]
    app = importlib.import_module(entry.module).app
    if not entry.is_group:
        return typer.main.get_command(app), words[1:]
    group: Any = typer.main.get_group(app)
    return (group.commands[words[1]], words[2:]) if len(words) > 1 else (group, [])


def test_there_are_some() -> None:
    """The documentation shows how it is used."""
    assert len(command_lines()) > 20


@pytest.mark.parametrize("line", command_lines())
def test_command_exists(line: str) -> None:
    """Commands and their options are found in the command line itself."""
    words = shlex.split(line.partition("#")[0].partition(" > ")[0])[1:]
    command, rest = find([word.rstrip(",") for word in words])
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert {word for word in rest if word.startswith("--")} <= known


def test_every_command_is_told_of() -> None:
    """No command is left for people to find."""
    assert {line.split()[1] for line in command_lines()} >= set(COMMANDS) - {"demo"}
