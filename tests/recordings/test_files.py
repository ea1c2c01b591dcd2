"""Files that only grow."""

import os
from pathlib import Path

import pytest

from recordings.errors import FileChangedError
from recordings.files import AppendFile


@pytest.fixture
def file(tmp_path: Path) -> AppendFile:
    """A new file with one write in it."""
    file = AppendFile.create(tmp_path / "a" / "b" / "file")
    assert file.append(b"first") == 0
    return file


def test_files_and_directories_are_private(file: AppendFile) -> None:
    """Only the owner reads what was recorded; a sealed file is read-only."""
    assert file.path.stat().st_mode & 0o777 == 0o600
    assert file.path.parent.stat().st_mode & 0o777 == 0o700
    assert file.path.parent.parent.stat().st_mode & 0o777 == 0o700
    file.seal()
    assert file.path.stat().st_mode & 0o777 == 0o400


def test_appends_return_their_offsets(file: AppendFile) -> None:
    """Each write says where it stands, also after the file was opened again."""
    assert file.append(b"second") == 5
    file.close()
    again = AppendFile.reopen(file.path, 11)
    assert again.append(b"third") == 11
    assert file.path.read_bytes() == b"firstsecondthird"


def test_nothing_is_overwritten(file: AppendFile) -> None:
    """A file that is there, or a link in its place, is not taken."""
    with pytest.raises(FileExistsError):
        AppendFile.create(file.path)
    link = file.path.with_name("link")
    link.symlink_to(file.path)
    with pytest.raises(FileExistsError):
        AppendFile.create(link)
    with pytest.raises(OSError, match="symbolic links"):
        AppendFile.reopen(link, 5)


@pytest.mark.parametrize("harm", ["removed", "longer", "shorter"])
def test_a_file_that_somebody_touched_is_not_written_to(file: AppendFile, harm: str) -> None:
    """An offset that is wrong by a foreign byte would be wrong for everything after it."""
    if harm == "removed":
        file.path.unlink()
    elif harm == "longer":
        with file.path.open("ab") as other:
            other.write(b"x")
    else:
        os.truncate(file.path, 2)
    before = file.path.read_bytes() if file.path.exists() else None
    with pytest.raises(FileChangedError):
        file.append(b"more")
    file.cut(file.size)
    assert (file.path.read_bytes() if file.path.exists() else None) == before


def test_a_replaced_file_is_noticed_by_name(file: AppendFile) -> None:
    """Moving another file over it, or it away, is seen when the name is looked at."""
    file.check_name()
    file.path.rename(file.path.with_name("moved"))
    with pytest.raises(FileNotFoundError):
        file.check_name()
    file.path.write_bytes(b"first")
    with pytest.raises(FileChangedError):
        file.check_name()


def test_a_write_can_be_taken_back(file: AppendFile) -> None:
    """Cutting goes back to a place, and the next write stands there."""
    file.append(b"second")
    file.cut(5)
    assert file.append(b"2nd") == 5
    assert file.path.read_bytes() == b"first2nd"
