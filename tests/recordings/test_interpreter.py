"""A Python beside this one: what it is given, and what it is not."""

import json
import os
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from recordings.interpreter import start_python

PROBE = """
    import json, os, sys
    import recordings.errors
    told = {
        "environment": dict(os.environ),
        "path": sys.path,
        "session": os.getsid(0),
        "group": os.getpgid(0),
        "python": sys.executable,
        "ours": recordings.errors.__file__,
        "said": sys.stdin.read(),
        "handles": len(os.listdir("/proc/self/fd")),
    }
    print("not to be seen", file=sys.stderr)
    print(json.dumps(told))
"""


@pytest.fixture
def probe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module that tells what it sees."""
    modules = tmp_path / "modules"
    modules.mkdir()
    (modules / "interpreter_probe.py").write_text(textwrap.dedent(PROBE))
    monkeypatch.setenv("PYTHONPATH", str(modules))
    return "interpreter_probe"


def run(module: str, said: bytes = b"") -> dict[str, Any]:
    """Run it to its end."""
    with start_python(module) as process:
        answer, _ = process.communicate(said, timeout=60)
    assert process.returncode == 0
    told: dict[str, Any] = json.loads(answer) | {"pid": process.pid}
    return told


def test_its_environment_is_small(probe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret that the gateway was given by its environment is in no other process."""
    monkeypatch.setenv("GATEHOLD_TOKEN", "SECRET")
    monkeypatch.setenv("PYTHONSTARTUP", "/nowhere")
    seen = run(probe)["environment"]
    assert "SECRET" not in json.dumps(seen)
    assert "PYTHONSTARTUP" not in seen
    assert seen["PATH"] == os.environ["PATH"]


@pytest.mark.parametrize("more", ["", os.pathsep, f"{os.pathsep}{os.pathsep}"])
def test_nothing_is_imported_from_where_it_was_started(
    probe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    """Somebody who may write to the working directory does not run code in it; an empty path means it, so it goes."""
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"] + more)
    here = tmp_path / "here"
    (here / "recordings").mkdir(parents=True)
    for name in ("json.py", "interpreter_probe.py", "recordings/__init__.py", "recordings/errors.py"):
        (here / name).write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(here)
    told = run(probe)
    assert not {"", ".", str(here)} & set(told["path"])
    assert Path(told["ours"]) == Path(__file__).parents[2] / "recordings" / "errors.py"


def test_a_signal_of_the_terminal_is_not_for_it(probe: str) -> None:
    """It has a session and a group of processes of its own."""
    told = run(probe)
    assert told["session"] == told["group"] == told["pid"]
    assert told["session"] != os.getsid(0)


def test_it_is_this_python_with_two_pipes(probe: str) -> None:
    """The same interpreter; it reads and writes, says nothing else, and has no other file of ours open."""
    reading, writing = os.pipe()
    os.set_inheritable(reading, True)
    try:
        told = run(probe, b"hello")
    finally:
        os.close(reading)
        os.close(writing)
    assert (told["python"], told["said"]) == (sys.executable, "hello")
    assert told["handles"] == 4  # three, and the one that lists them


def test_a_python_that_cannot_be_started_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's own, with its number."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(FileNotFoundError):
        start_python("recordings.recorder")
