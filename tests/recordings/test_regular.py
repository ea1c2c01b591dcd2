"""Law: nothing that somebody put among our files lets a reader hang, look elsewhere or use up its memory."""

import os
from pathlib import Path

import pytest

from recordings import regular
from recordings.regular import NotRegularError, descriptor_of, is_flow_file, lines_of, open_regular, read_whole


def test_a_file_is_read(tmp_path: Path) -> None:
    """As always."""
    path = tmp_path / "a"
    path.write_bytes(b"one\ntwo")
    with open_regular(path) as file:
        assert list(lines_of(file)) == [b"one\n", b"two"]
    assert read_whole(path, 7) == b"one\ntwo"
    with pytest.raises(FileNotFoundError):
        descriptor_of(tmp_path / "b")


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    """A pipe that nobody writes to, a directory, a link to a file and one to nothing."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for name in ("pipe", "directory", "link", "dangling"):
        with pytest.raises(NotRegularError):
            descriptor_of(tmp_path / name)


def test_lengths_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A line comes in pieces, a file not at all."""
    monkeypatch.setattr(regular, "LONGEST", 4)
    path = tmp_path / "a"
    path.write_bytes(b"123456\n7\n")
    with open_regular(path) as file:
        assert list(lines_of(file)) == [b"1234", b"56\n", b"7\n"]
    with pytest.raises(NotRegularError, match="9 bytes"):
        read_whole(path, 8)


@pytest.mark.parametrize("name", ["recordings/2026-01-31/planner-7-5d41402abc4b-1.flow", "recordings/a.flow"])
def test_names_of_ours(name: str) -> None:
    """Below the recordings."""
    assert is_flow_file(name)


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "recordings/../keys/journal.pem", "recordings/../a.flow", "../recordings/a.flow"),
        *("recordings/.a.flow", "recordings//a.flow", "recordings/a.flow\n", "recordings/a\0.flow", "recordings/.flow"),
        *(
            "journal/main/a.flow",
            "recordings/\x1b[2Ka.flow",
            "recordings/\ud800.flow",
            "recordings/a.jsonl",
            "",
            None,
            5,
        ),
    ],
)
def test_names_of_others(name: object) -> None:
    """Elsewhere, hidden, or with what a terminal obeys."""
    assert not is_flow_file(name)
