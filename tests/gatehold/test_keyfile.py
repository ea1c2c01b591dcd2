"""Law: an installation's key is 32 random bytes, made once, whole or not at all, and readable by its owner only."""

from collections.abc import Callable
from pathlib import Path
from threading import Barrier, Thread

import pytest

from gatehold.keyfile import SIZE, KeyFileError, key_file


def test_a_key_is_made_once(tmp_path: Path) -> None:
    """The second time it is read; file and directory are the owner's; no draft stays behind."""
    path = tmp_path / "keys" / "some.key"
    key = key_file(path)
    assert key_file(path) == key == path.read_bytes()
    assert len(key) == SIZE
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [each.name for each in path.parent.iterdir()] == ["some.key"]


def test_keys_differ(tmp_path: Path) -> None:
    """Each file has a key of its own."""
    assert len({key_file(tmp_path / str(number)) for number in range(8)}) == 8


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _open_to_group(path: Path) -> None:
    path.chmod(0o640)


def _open_to_all(path: Path) -> None:
    path.chmod(0o604)


def _as_directory(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(_cut, "not a key of 32 bytes"), (_open_to_group, "others may read it"), (_open_to_all, "mode 0604"),
     (_as_directory, "directory")],
)  # fmt: skip
def test_a_key_that_cannot_be_trusted_is_refused(tmp_path: Path, spoil: Callable[[Path], None], message: str) -> None:
    """It is never repaired and never replaced; the message names the file and holds no byte of the key."""
    path = tmp_path / "some.key"
    key = key_file(path)
    spoil(path)
    with pytest.raises(KeyFileError, match=message) as refused:
        key_file(path)
    assert str(path) in str(refused.value)
    assert key.hex() not in str(refused.value)


def test_a_key_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """A file stands where the directory should be."""
    (tmp_path / "keys").touch()
    with pytest.raises(KeyFileError, match=r"some\.key"):
        key_file(tmp_path / "keys" / "some.key")


def test_makers_at_the_same_time_agree(tmp_path: Path) -> None:
    """Whoever comes first wins, and nobody reads half a key."""
    path, barrier, found = tmp_path / "keys" / "some.key", Barrier(8), set[bytes]()

    def make() -> None:
        barrier.wait()
        found.add(key_file(path))

    threads = [Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {path.read_bytes()}
    assert [each.name for each in path.parent.iterdir()] == ["some.key"]
