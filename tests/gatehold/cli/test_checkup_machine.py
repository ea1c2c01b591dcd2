"""What is said of a machine: each check fine, and each way in which it is not."""

import os
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gatehold.authority import CA_LIFETIME, load_or_create
from gatehold.cli import checkup_machine as machine
from gatehold.cli.checkup import Item
from masking import encodings, screening

NOW = datetime.now(UTC)


def told(items: object) -> list[tuple[str, str]]:
    """Status and message of each item."""
    assert not isinstance(items, Item)
    return [(item.status, item.message) for item in items]  # type: ignore[attr-defined]


def status_of(items: object) -> list[str]:
    """The status of each item."""
    return [status for status, _ in told(items)]


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """As a gateway makes it."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    return directory


def test_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older ones cannot even read the code."""
    assert status_of(machine.python()) == ["ok"]
    monkeypatch.setattr(sys, "version_info", (3, 12, 9))
    assert status_of(machine.python()) == ["failed"]


def test_libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """With their versions; one that is not there is named."""
    [(status, message)] = told(machine.libraries())
    assert status == "ok"
    assert "presidio-analyzer 2." in message
    monkeypatch.setattr(machine, "_LIBRARIES", ("no-such-library",))
    assert told(machine.libraries()) == [("failed", "no-such-library is not installed")]


def test_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slow one is a warning: it hides as much."""
    for backend, status in (("hyperscan", "ok"), ("re2", "ok"), ("re", "warning")):
        monkeypatch.setattr(screening, "backend", lambda backend=backend: backend)
        [(found, message)] = told(machine.screen())
        assert (found, message.partition(":")[0]) == (status, backend)


def test_codings(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be decoded is blocked, and that is told."""
    assert told(machine.codings()) == [("ok", "gzip, deflate, br, zstd")]
    decoder = encodings.Decoder

    def without_br(name: str, limits: encodings.Limits) -> object:
        if name == "br":
            raise ModuleNotFoundError
        return decoder(name, limits)

    monkeypatch.setattr(encodings, "Decoder", without_br)
    assert status_of(machine.codings()) == ["warning", "ok"]


def test_data_directory(data_dir: Path) -> None:
    """Private, or not yet there."""
    assert told(machine.data_directory(data_dir)) == [("ok", str(data_dir))]
    assert status_of(machine.data_directory(data_dir / "not" / "yet")) == ["ok"]
    data_dir.chmod(0o750)
    assert "others can look" in told(machine.data_directory(data_dir))[0][1]
    file = data_dir / "file"
    file.touch()
    assert "is no directory" in told(machine.data_directory(file))[0][1]


def test_keys_that_others_can_read(data_dir: Path) -> None:
    """They are no secrets any more."""
    (data_dir / "keys").mkdir()
    for name, mode in (("open.key", 0o644), ("fine.key", 0o600)):
        (data_dir / "keys" / name).touch()
        (data_dir / "keys" / name).chmod(mode)
    [_, (status, message)] = told(machine.data_directory(data_dir))
    assert status == "failed"
    assert "open.key" in message


def test_a_directory_of_somebody_else(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or one that cannot be written."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert "belongs to another user" in told(machine.data_directory(data_dir))[0][1]
    monkeypatch.undo()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert "cannot be written" in told(machine.data_directory(data_dir))[0][1]
    assert "cannot be made" in told(machine.data_directory(data_dir / "a" / "b"))[0][1]


@pytest.mark.parametrize(("free", "status"), [(3 << 30, "ok"), (1 << 30, "warning"), (1 << 20, "failed")])
def test_disk_space(data_dir: Path, free: int, status: str) -> None:
    """Of the place where the directory is or will be."""
    assert status_of(machine.disk_space(data_dir / "not" / "yet", lambda _: (0, 0, free))) == [status]


def test_authority(data_dir: Path) -> None:
    """Nothing is made; its end is told in time."""
    assert told(machine.authority(data_dir, NOW)) == [("ok", "is made at the first start, or by gatehold ca")]
    assert not (data_dir / "ca").exists()
    load_or_create(data_dir, clock=lambda: NOW)
    assert status_of(machine.authority(data_dir, NOW)) == ["ok"]
    assert status_of(machine.authority(data_dir, NOW + CA_LIFETIME - timedelta(days=20))) == ["warning"]
    assert status_of(machine.authority(data_dir, NOW + CA_LIFETIME + timedelta(days=1))) == ["failed"]
    assert status_of(machine.authority(data_dir, NOW - timedelta(days=3))) == ["failed"]
    (data_dir / "ca" / "ca-key.pem").unlink()
    assert status_of(machine.authority(data_dir, NOW)) == ["failed"]


def test_clock(data_dir: Path) -> None:
    """Set back, it would let what was over count again."""
    (data_dir / "file").touch()
    assert status_of(machine.clock(data_dir, datetime.now(UTC))) == ["ok"]
    assert status_of(machine.clock(data_dir, NOW - timedelta(hours=1))) == ["failed"]
    assert status_of(machine.clock(data_dir / "not yet", NOW)) == ["ok"]
