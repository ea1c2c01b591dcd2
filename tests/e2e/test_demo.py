"""Law: the demonstration works as it is told: played by itself, and typed by a person from what it prints."""

import os
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from gatehold.demo.browsing import read
from tests.e2e.harness import BIN, clean_environment, require


def test_check_plays_the_whole_session() -> None:
    """Every step is right, and nothing is left behind."""
    require("curl")
    done = subprocess.run(
        [BIN / "gatehold", "demo", "--check"],
        capture_output=True, text=True, timeout=110, check=False, env=clean_environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    for step in (
        "allowed",
        "masked",
        "denied",
        "signed in to the console",
        "held and approved",
        "recorded and read back",
        "verified",
    ):
        assert f"\nok     {step}\n" in f"\n{done.stdout}", done.stdout
    for words in (
        "HTTP 403",
        "HTTP 204",
        "waits for approval: delete customer 7",
        "approved in the console by you",
        "<EMAIL_ADDRESS>",
        ": intact",
    ):
        assert words in done.stdout
    if shutil.which("kubectl"):
        for words in ("waits for approval: scale prod/web to 5", "+  replicas: 5", "deployment.apps/web scaled"):
            assert words in done.stdout
    assert "WRONG" not in done.stdout
    assert "all as they should be" in done.stdout


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A demonstration that serves, and the lines it printed."""
    require("curl")
    command = [BIN / "gatehold", "demo", "--directory", tmp_path / "site"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=clean_environment(PYTHONUNBUFFERED="1"))
    watchdog = threading.Timer(60, process.kill)
    watchdog.daemon = True
    watchdog.start()
    lines = []
    for line in process.stdout or ():
        lines.append(line.strip())
        if line.startswith("Ctrl-C"):
            break
    else:
        pytest.fail(f"the demo did not start: {lines}")
    yield process, lines
    watchdog.cancel()
    if process.poll() is None:
        process.terminate()
    process.communicate(timeout=30)


def test_what_it_prints_can_be_typed(demo: tuple[subprocess.Popen[str], list[str]]) -> None:
    """The exports make a shell the agent's; the first two calls answer as the remarks say; Ctrl-C ends all of it."""
    process, lines = demo
    exports = [line for line in lines if line.startswith(("unset ", "export "))]
    allowed, denied, *_ = (line for line in lines if line.startswith("curl "))
    typed = "\n".join([*exports, allowed, denied])
    done = subprocess.run(["bash", "-c", typed], capture_output=True, text=True, timeout=60, check=True)
    assert "<EMAIL_ADDRESS>" in done.stdout
    assert "The report is not for agents." in done.stdout
    port = int(next(line for line in exports if "HTTPS_PROXY" in line).rstrip('"').rpartition(":")[2])
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(timeout=30) == 0
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port), timeout=5):
        pass


def test_its_console_is_where_the_guide_says(demo: tuple[subprocess.Popen[str], list[str]]) -> None:
    """With the name and the password that it prints, a call that waits can be answered there."""
    _, lines = demo
    url = next(line for line in lines if line.startswith("http://127.0.0.1:"))
    name, password = (line.split()[1] for line in lines if line.startswith(("name:", "password:")))
    with httpx2.Client(base_url=url, trust_env=False, timeout=30, headers={"Origin": url}) as client:
        form = read(client.get("/login").text).hidden
        answer = client.post("/login", data={**form, "name": name, "password": f"{password}!"})
        assert answer.status_code == 401
        form = read(answer.text).hidden
        assert client.post("/login", data={**form, "name": name, "password": password}).status_code == 303
        assert "Nothing waits for you." in client.get("/").text


def test_its_verify_command_holds_afterwards(demo: tuple[subprocess.Popen[str], list[str]]) -> None:
    """What it recorded stays, and is intact, when it was ended by SIGTERM."""
    process, lines = demo
    process.terminate()
    assert process.wait(timeout=30) == 0
    verify = next(line for line in lines if line.startswith("gatehold audit verify"))
    done = subprocess.run(
        [BIN / "gatehold", *verify.split()[1:]], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "intact" in done.stdout
