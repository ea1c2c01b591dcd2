"""Files are read as they stood at one moment, or not at all."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config import files
from gatehold.config.files import read_directory, revision
from policy.errors import ConfigurationError


def test_a_change_while_reading_makes_it_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of an old configuration and half of a new one could lack a wall."""
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("old")
    read, reads = files._read, list[str]()

    def read_and_replace(path: Path) -> bytes:
        content = read(path)
        reads.append(path.name)
        if len(reads) == 1:
            for name in ("a.yaml", "b.yaml"):
                (tmp_path / name).write_text("newer")
        return content

    monkeypatch.setattr(files, "_read", read_and_replace)
    assert read_directory(tmp_path) == {"a.yaml": b"newer", "b.yaml": b"newer"}
    assert reads == ["a.yaml", "b.yaml", "a.yaml", "b.yaml"]


def test_a_change_is_seen_whatever_time_the_writer_gives_it(tmp_path: Path) -> None:
    """An archive is unpacked with the times in it, maybe to a file with the number of the one that was there."""
    file = tmp_path / "a.yaml"
    file.write_text("deny")
    before, status = files.stamp(tmp_path), file.stat()
    with file.open("r+") as stream:
        stream.write("pass")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    now = file.stat()
    assert (now.st_ino, now.st_size, now.st_mtime_ns) == (status.st_ino, status.st_size, status.st_mtime_ns)
    while now.st_ctime_ns == status.st_ctime_ns:  # the clock of the file system ticks in milliseconds
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        now = file.stat()
    assert files.stamp(tmp_path) != before


def test_a_file_that_vanishes_while_reading_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text("x")
    read = files._read

    def read_and_remove(path: Path) -> bytes:
        (tmp_path / "b.yaml").unlink(missing_ok=True)
        return read(path)

    monkeypatch.setattr(files, "_read", read_and_remove)
    assert read_directory(tmp_path) == {"a.yaml": b"x"}


def test_what_never_stands_still_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text("")
    read = files._read

    def read_and_grow(path: Path) -> bytes:
        path.write_bytes(path.read_bytes() + b"x")
        return read(path)

    monkeypatch.setattr(files, "_read", read_and_grow)
    with pytest.raises(ConfigurationError, match="keep changing"):
        read_directory(tmp_path)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(ConfigurationError, match=r"a\.yaml: cannot be read"):
        read_directory(tmp_path)


def test_a_file_has_a_largest_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_FILE", 10)
    (tmp_path / "a.yaml").write_text("x" * 11)
    with pytest.raises(ConfigurationError, match="larger than 10 bytes"):
        read_directory(tmp_path)


def test_a_link_is_followed(tmp_path: Path) -> None:
    """Mounted ConfigMaps are links to links."""
    (tmp_path / "..data").mkdir()
    (tmp_path / "..data" / "a.yaml").write_text("x")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert read_directory(tmp_path) == {"a.yaml": b"x"}


contents = st.dictionaries(st.text(st.sampled_from("ab."), max_size=4), st.binary(max_size=6), max_size=4)


@given(contents, contents)
def test_revisions_are_equal_only_for_equal_files(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    """No name can be taken for content, no file for two."""
    assert (revision(one) == revision(other)) is (one == other)
