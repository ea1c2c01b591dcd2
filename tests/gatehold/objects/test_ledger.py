"""Law: what was noted is known to the next start; what cannot be read, or is of another bucket, counts as not noted."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st

from gatehold.objects.ledger import LEDGER, Ledger, Uploaded

URL = "s3://recordings/gateway-1"


def entry(name: str, *, differs: bool = False) -> Uploaded:
    return Uploaded(name=name, chain="c1", size=3, sha256="ab" * 32, differs=differs)


def test_what_was_noted_is_known(tmp_path: Path) -> None:
    """For its bucket only; a file that differs there has not arrived."""
    made = Ledger(tmp_path, URL)
    made.add(entry("recordings/a.flow"))
    made.add(entry("recordings/b.flow", differs=True))
    known = Ledger(tmp_path, URL)
    assert known.entries == made.entries
    assert "recordings/a.flow" in known
    assert "recordings/b.flow" not in known
    assert not Ledger(tmp_path, "s3://other").entries
    assert (tmp_path / LEDGER).stat().st_mode & 0o777 == 0o600


def test_a_journal_file_arrived_with_its_checkpoints(tmp_path: Path) -> None:
    """One without the other has not."""
    made = Ledger(tmp_path, URL)
    made.add(entry("journal/main/000001-20260131.jsonl"))
    assert not made.has_journal("000001-20260131.jsonl")
    made.add(entry("journal/main/000001-20260131.checkpoint"))
    assert made.has_journal("000001-20260131.jsonl")


@given(st.binary(max_size=200))
def test_whatever_stands_there(rubbish: bytes) -> None:
    """Torn or foreign bytes neither break it nor hide what is noted after them."""
    with TemporaryDirectory() as made:
        path = Path(made) / LEDGER
        path.parent.mkdir()
        path.write_bytes(rubbish)
        Ledger(Path(made), URL).add(entry("recordings/a.flow"))
        assert "recordings/a.flow" in Ledger(Path(made), URL)
