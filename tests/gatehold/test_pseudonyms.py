"""Law: pseudonyms are made under one key for each installation, which is no other key of it."""

from pathlib import Path

from gatehold.approvals.fingerprint import approval_key
from gatehold.pseudonyms import pseudonym_key


def test_the_key_lasts(tmp_path: Path) -> None:
    """The same value gets the same pseudonym after a restart, and another one in another installation."""
    key = pseudonym_key(tmp_path / "one")
    assert pseudonym_key(tmp_path / "one") == key == (tmp_path / "one" / "keys" / "pseudonym.key").read_bytes()
    assert pseudonym_key(tmp_path / "other") != key


def test_no_key_serves_two_purposes(tmp_path: Path) -> None:
    """Who may see how pseudonyms are made learns nothing of approvals."""
    assert pseudonym_key(tmp_path) != approval_key(tmp_path)
