"""``gatehold demo``: how it is called, and what its exit code says; the demonstration itself is tried end to end."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gatehold.cli import demo
from gatehold.cli.main import main
from gatehold.demo import processes, session
from gatehold.demo.session import Step, play
from gatehold.demo.site import SiteInUse


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one command."""
    with pytest.raises(SystemExit) as ended:
        main(["demo", *arguments])
    out, err = capsys.readouterr()
    return int(ended.value.code or 0), out, err


@pytest.fixture
def nothing_runs(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """No upstream and no gateway; the directories that were asked for."""
    directories: list[Path] = []

    @contextmanager
    def running(directory: Path, preferred: object) -> Iterator[tuple[Any, Any]]:
        directories.append(directory)
        yield SimpleNamespace(), SimpleNamespace(output="what the gateway said")

    monkeypatch.setattr(demo, "_running", running)
    return directories


def plays(monkeypatch: pytest.MonkeyPatch, *steps: Step) -> None:
    """Let the session be these steps."""
    monkeypatch.setattr(session, "play", lambda _: iter(steps))


def test_check_needs_curl(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    code, out, err = run(["--check"], capsys)
    assert (code, out) == (2, "")
    assert "needs curl" in err


def test_all_right(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, nothing_runs: list[Path]
) -> None:
    """Steps that cannot be tried are told, and not counted; the directory is gone afterwards."""
    plays(monkeypatch, Step(name="one", command="curl x", saw=["HTTP 200"]), Step(name="two", skipped=True))
    code, out, _ = run(["--check"], capsys)
    assert code == 0
    assert out == (
        "ok     one\n         $ curl x\n         HTTP 200\nskip   two\n1 steps, all as they should be; 1 skipped\n"
    )
    assert not nothing_runs[0].exists()


def test_one_wrong(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, nothing_runs: list[Path], tmp_path: Path
) -> None:
    """One step is enough to fail; the others are played all the same."""
    plays(monkeypatch, Step(name="one", wrong=["should have been so"]), Step(name="two"))
    code, out, _ = run(["--check", "--directory", str(tmp_path)], capsys)
    assert code == 1
    assert "WRONG  one\n  WRONG  should have been so\nok     two\n1 of 2 steps went wrong" in out
    assert "what the gateway said" in out
    assert nothing_runs == [tmp_path]


@pytest.mark.parametrize(
    "error",
    [subprocess.TimeoutExpired("curl", 3), ValueError("no answer"), LookupError("no approval"), OSError("no curl")],
)
def test_a_step_that_breaks_off_is_wrong(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def act(_: object, step: Step) -> None:
        step.saw.append("something")
        raise error

    monkeypatch.setattr(session, "STEPS", [("first", act), ("second", lambda _, step: None)])
    first, second = play(SimpleNamespace())  # type: ignore[arg-type]
    assert first.wrong
    assert first.saw == ["something"]
    assert not second.wrong


@pytest.mark.parametrize(("error", "code"), [(SiteInUse("in use"), 2), (OSError("no space"), 2)])
def test_what_cannot_be_made_is_said(
    error: Exception, code: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextmanager
    def site(directory: Path, *, preferred: object) -> Iterator[Any]:
        raise error
        yield

    monkeypatch.setattr("gatehold.demo.site.site", site)
    assert run(["--directory", str(tmp_path)], capsys)[0::2] == (
        code,
        f"gatehold: the demo starts ...\ngatehold: {error}\n",
    )


def test_a_gateway_that_does_not_start_is_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    @contextmanager
    def gateway(_: object) -> Iterator[Any]:
        raise processes.NotStarted("cannot start: because")
        yield

    monkeypatch.setattr(processes, "gateway", gateway)
    code, out, err = run(["--directory", str(tmp_path / "site")], capsys)
    assert (code, out) == (1, "")
    assert "cannot start: because" in err


def test_clients_are_led_by_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies, certificates and clusters of whoever starts the demo do not matter to it."""
    for name in ("https_proxy", "NO_PROXY", "CURL_HOME", "SSL_CERT_FILE", "KUBECONFIG"):
        monkeypatch.setenv(name, "elsewhere")
    assert "elsewhere" not in processes.plain_environment().values()
    assert processes.plain_environment(KUBECONFIG="here")["KUBECONFIG"] == "here"
