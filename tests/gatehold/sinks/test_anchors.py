"""Law: a data directory that was rolled back, edited or emptied does not live up to its anchor; one that grew does."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gatehold.sinks.anchors import Directory, behind, newest_checkpoint
from recordings.checkpoints import signing_key
from recordings.verify import read_anchors, verify
from tests.gatehold.sinks.conftest import JournalUnderTest


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A place outside the data directory."""
    path = tmp_path / "anchors"
    path.mkdir()
    return path


def keep(journal: JournalUnderTest, directory: Path) -> None:
    """Copy the newest checkpoint."""
    checkpoint = newest_checkpoint(journal.data_dir)
    assert checkpoint
    Directory(directory).keep(checkpoint)


def test_copies_are_made_once_and_never_changed(journal: JournalUnderTest, directory: Path) -> None:
    """By chain and event; another statement of the same name is refused."""
    store, checkpoint = Directory(directory), newest_checkpoint(journal.data_dir)
    assert checkpoint
    assert store.keep(checkpoint)
    assert not store.keep(checkpoint)
    with pytest.raises(OSError, match="vouches for something else"):
        store.keep(replace(checkpoint, sha256="ab" * 32))
    [path] = directory.iterdir()
    assert path.name == f"{checkpoint.chain}-{checkpoint.seq:012d}.checkpoint"
    assert store.newest() == {checkpoint.chain: checkpoint}


def test_one_that_is_not_there_is_not_made(journal: JournalUnderTest, tmp_path: Path) -> None:
    """It may be a disk that is not mounted."""
    checkpoint = newest_checkpoint(journal.data_dir)
    assert checkpoint
    with pytest.raises(FileNotFoundError):
        Directory(tmp_path / "missing").keep(checkpoint)
    with pytest.raises(FileNotFoundError):
        behind(journal.data_dir, Directory(tmp_path / "missing"))


def test_a_journal_that_grew_lives_up_to_it(journal: JournalUnderTest, directory: Path) -> None:
    """Also over a crash and a restart."""
    assert behind(journal.data_dir, Directory(directory)) is None
    for seal in (True, False):
        journal.write(12)
        keep(journal, directory)
        journal.restart(seal=seal)
        assert behind(journal.data_dir, Directory(directory)) is None
    (directory / "notes.txt").write_text("not a copy")
    report = verify(journal.data_dir, keys=[signing_key(journal.data_dir).public_key()], anchors=[])
    assert report.intact


def test_a_roll_back_is_found(journal: JournalUnderTest, directory: Path, tmp_path: Path) -> None:
    """With its checkpoints and its key; ``verify`` finds it against the same copies."""
    journal.write(6)
    journal.restart()
    shutil.copytree(journal.data_dir, tmp_path / "old")
    journal.write(6)
    journal.restart()
    keep(journal, directory)
    found = behind(tmp_path / "old", Directory(directory))
    assert found is not None
    assert found.reached < found.anchor.seq
    assert "rolled back" in str(found)
    report = verify(tmp_path / "old", anchors=read_anchors(directory))
    assert "it was cut off" in report.summary()


def test_another_history_is_found(journal: JournalUnderTest, directory: Path, tmp_path: Path) -> None:
    """Rolled back, and then as many events written anew."""
    journal.write(6)
    journal.restart()
    shutil.copytree(journal.data_dir, tmp_path / "old")
    journal.write(6)
    journal.restart()
    keep(journal, directory)
    other = JournalUnderTest(tmp_path / "old")
    other.write(30)
    other.restart()
    found = behind(other.data_dir, Directory(directory))
    assert found is not None
    assert "something else" in str(found)


def test_an_emptied_journal_is_found_by_its_key(journal: JournalUnderTest, directory: Path) -> None:
    """A new chain with the old key; where the key is gone too nobody can know whose copies these are."""
    journal.write(6)
    keep(journal, directory)
    journal.writer.close()
    shutil.rmtree(journal.data_dir / "journal")
    found = behind(journal.data_dir, Directory(directory))
    assert found is not None
    assert found.reached == 0
    JournalUnderTest(journal.data_dir).writer.close()
    assert behind(journal.data_dir, Directory(directory)) is not None
    shutil.rmtree(journal.data_dir / "keys")
    shutil.rmtree(journal.data_dir / "journal")
    assert behind(journal.data_dir, Directory(directory)) is None


def test_what_retention_deleted_is_not_missed(journal: JournalUnderTest, directory: Path) -> None:
    """The anchor was away for so long that its last event is gone here."""
    journal.write(3)
    keep(journal, directory)
    journal.write(40)
    for path in journal.files[:3]:
        path.with_suffix(".checkpoint").unlink()
        path.unlink()
    assert behind(journal.data_dir, Directory(directory)) is None


def test_a_copy_that_was_torn_hides_none(journal: JournalUnderTest, directory: Path) -> None:
    """A power failure came while the newest was made: the one before it counts, for the start and for ``verify``."""
    journal.write(6)
    keep(journal, directory)
    [path] = directory.iterdir()
    name = path.name.replace(path.stem.rpartition("-")[2], "999999999999")
    (directory / name).touch()
    found = Directory(directory).newest()
    assert [each.seq for each in found.values()] == [each.seq for each in read_anchors(directory)]
