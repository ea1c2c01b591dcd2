"""Law: what is copied is what a signed line says is finished, below the recordings, and nothing else of this machine."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from gatehold.objects.finished import Finished, finished_files
from gatehold.objects.uploading import FileDiffers, read_finished
from recordings.acts import file_event
from recordings.lines import GENESIS, compose
from recordings.ocsf import Kind


def journal(path: Path, files: Sequence[Any]) -> Path:
    """A journal file that seals these."""
    entry = file_event(Kind.FLOWS_SEAL, time=1.0, name="recordings", details={"files": files}).entry()
    line, _ = compose(entry, chain="c", seq=1, prev=GENESIS, time=1)
    path.write_bytes(line)
    return path


def test_names_elsewhere_are_passed_over(tmp_path: Path) -> None:
    """Whoever may write lines must not choose what leaves this machine."""
    names = ["/etc/passwd", "recordings/../keys/journal.pem", "keys/journal.pem", "recordings/a.flow", None]
    path = journal(tmp_path / "j.jsonl", [{"file": name, "length": 1} for name in names])
    assert [each.name for each in finished_files(path, 1)] == ["recordings/a.flow"]
    assert list(finished_files(path, 0)) == []


def test_what_was_never_made_is_passed_over(tmp_path: Path) -> None:
    """Its name may be that of another file now; one that is gone was there once."""
    files = [{"file": f"recordings/{length}.flow", "length": length, "missing": True} for length in (0, 1)]
    path = journal(tmp_path / "j.jsonl", files)
    assert [each.name for each in finished_files(path, 1)] == ["recordings/1.flow"]


@pytest.mark.parametrize("kind", ["link", "longer"])
def test_what_is_not_as_it_was_sealed_is_not_read(tmp_path: Path, kind: str) -> None:
    """It is told as such, and others are copied."""
    (tmp_path / "recordings").mkdir()
    path = tmp_path / "recordings" / "a.flow"
    if kind == "link":
        path.symlink_to("/etc/passwd")
    else:
        with path.open("wb") as file:
            file.truncate(1 << 40)
    with pytest.raises(FileDiffers):
        read_finished(tmp_path, Finished(name="recordings/a.flow", chain="c", length=1))
