"""``gatehold``: commands are found by name, imported when they are called, and end with the right code."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from gatehold.cli import main as module
from gatehold.cli.main import COMMANDS, Entry, build, main
from policy.errors import ConfigurationError, GateholdError
from policy.model import Problem

CASES = Path(__file__).parents[2] / "cases" / "config"
HEAVY = ("mitmproxy", "presidio_analyzer", "spacy", "kubernetes", "sqlalchemy", "starlette", "uvicorn", "httpx2")


def ended_with(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def imported_by(arguments: list[str]) -> set[str]:
    """Top-level packages that a fresh process has imported when the command ends."""
    program = (
        "import sys\nfrom gatehold.cli.main import main\n"
        "try: main(sys.argv[1:])\nexcept SystemExit as ended: assert not ended.code\n"
        "print('IMPORTED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.splitlines()[-1].split()[1:])


def test_help_names_every_command_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended_with(["--help"]) == 0
    out = capsys.readouterr().out
    present = [name for name, entry in COMMANDS.items() if importlib.util.find_spec(entry.module)]
    assert {"check", "schema", "policy"} <= set(present)
    assert all(f"\n  {name} " in out for name in present)
    assert not imported_by(["--help"]) & {*HEAVY, "yaml", "pydantic", "cel_expr_python", "masking", "rich"}


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "--config", str(CASES / "good" / "example")],
        ["policy", "explain", "--config", str(CASES / "good" / "example"), "--target", "crm", "--path", "/"],
        ["schema"],
    ],
)
def test_commands_import_nothing_heavy(arguments: list[str]) -> None:
    """They have to answer within half a second."""
    assert not imported_by(arguments) & set(HEAVY)


@pytest.mark.parametrize("name", [name for name, entry in COMMANDS.items() if importlib.util.find_spec(entry.module)])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended_with([name, "--help"]) == 0
    assert f"gatehold {name}" in capsys.readouterr().out


def test_a_command_whose_module_is_not_there_is_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(COMMANDS, "ghost", Entry("Is not there.", "gatehold.cli.ghost"))
    assert "ghost" not in build().commands


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["chekc"], "No such command 'chekc'"),
        (["check"], "--config"),
        (["check", "--config"], "--config"),
        (["policy", "explian"], "No such command"),
        (["check", "--nonsense"], "--nonsense"),
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ended_with(arguments) == 2
    assert said in capsys.readouterr().err


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert ended_with(["--version"]) == 0
    assert capsys.readouterr().out.startswith("gatehold ")


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (
            ConfigurationError(
                [Problem(file="a.yaml", line=3, message="x"), Problem(file="b.yaml", line=1, message="y")]
            ),
            2,
            "a.yaml:3: x\nb.yaml:1: y\n",
        ),
        (GateholdError("it does not hold"), 1, "gatehold: it does not hold\n"),
    ],
)
def test_errors_of_any_command_are_told_on_standard_error(
    error: GateholdError, code: int, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing:
        def main(self, **_: object) -> None:
            raise error

    monkeypatch.setattr(module, "build", Failing)
    assert ended_with([]) == code
    assert capsys.readouterr() == ("", told)
