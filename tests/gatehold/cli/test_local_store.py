import os
import pwd
from pathlib import Path

import pytest
import typer

from gatehold.cli.local_store import local_store, os_user
from tests.gatehold.cli.conftest import GATEWAY


def _enter(config: Path) -> None:
    with local_store(config):
        pass


def test_it_opens_what_the_configuration_names(tmp_path: Path) -> None:
    """The store under the data directory, and the account that runs the command."""
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    with local_store(tmp_path) as local:
        assert local.store.dialect == "sqlite"
        assert local.configuration.data_dir == tmp_path / "data"
        assert local.os_user == pwd.getpwuid(os.getuid()).pw_name
    assert (tmp_path / "data" / "gatehold.db").exists()


def test_a_broken_configuration_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2, every problem on standard error, no store made."""
    (tmp_path / "gateway.yaml").write_text(GATEWAY + "  colour: blue\n  flavour: sweet\n")
    with pytest.raises(typer.Exit) as caught:
        _enter(tmp_path)
    assert caught.value.exit_code == 2
    output = capsys.readouterr()
    assert "colour" in output.err
    assert "flavour" in output.err
    assert output.out == ""
    assert not (tmp_path / "data").exists()


def test_a_broken_store_is_a_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 1, what is wrong on standard error."""
    (tmp_path / "gateway.yaml").write_text(GATEWAY)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "gatehold.db").write_text("no database at all " * 100)
    with pytest.raises(typer.Exit) as caught:
        _enter(tmp_path)
    assert caught.value.exit_code == 1
    assert "not a database" in capsys.readouterr().err


def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container with an arbitrary user id."""

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert os_user() == str(os.getuid())


def test_environment_does_not_change_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables that anybody can set are not believed."""
    before = os_user()
    for name in ("USER", "LOGNAME", "SUDO_USER"):
        monkeypatch.setenv(name, "somebody-else")
    assert os_user() == before
