"""Commands speak one language."""

import json

import pytest

from gatehold.cli.output import print_items, print_problems, print_table, unusable
from policy.model import Problem


def test_lists_are_items(capsys: pytest.CaptureFixture[str]) -> None:
    print_items([{"a": 1}, {"a": "\u202e"}], total=2)
    out = capsys.readouterr().out
    assert json.loads(out) == {"items": [{"a": 1}, {"a": "\u202e"}], "total": 2}
    assert out.isascii()
    assert out.count("\n") == 1


def test_tables_cut_nothing_off_and_obey_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """What agents wrote may stand in a cell."""
    print_table(("NAME", "VALUE"), [("x" * 300, "\x1b[31mred"), ("short", "")])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert "x" * 300 in lines[1]
    assert "\x1b" not in lines[1]


def test_problems_are_lines(capsys: pytest.CaptureFixture[str]) -> None:
    print_problems([Problem(file="f.yaml", line=7, message="m")], err=True)
    assert capsys.readouterr() == ("", "f.yaml:7: m\n")


def test_what_cannot_be_run_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    with pytest.raises(typer.Exit) as ended:
        unusable("because")
    assert ended.value.exit_code == 2
    assert capsys.readouterr().err == "gatehold: because\n"
