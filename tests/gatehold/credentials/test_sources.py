"""Credentials that stand in files."""

import base64
import os
from pathlib import Path

import pytest

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import basic_header, origins
from gatehold.credentials.sources import MAX_FILE, Files, TokenFileSource

BOUND = origins("https", [("crm.corp.example", 443)])


@pytest.mark.parametrize("content", ["", "\n", "a\nb", "a\r\nX-Evil: 1", "a\x00b", "tökén-value", "trail "])
async def test_values_that_would_break_the_header(tmp_path: Path, content: str) -> None:
    """A token file with more than a token in it is not put into a header."""
    (tmp_path / "token").write_text(content, newline="")
    with pytest.raises(CredentialUnavailable) as error:
        await TokenFileSource(tmp_path / "token", BOUND).obtain()
    assert not content.strip() or content.strip() not in str(error.value)


def test_basic_user_names_have_no_colon() -> None:
    """RFC 7617: it would move into the password."""
    with pytest.raises(CredentialUnavailable, match="colon"):
        basic_header("a:b", Secret("planted-1"))


def test_basic_takes_any_text() -> None:
    """UTF-8 inside of base64."""
    assert base64.b64decode(basic_header("jörg", Secret("pässwort"))[1].reveal()[6:]).decode() == "jörg:pässwort"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, huge, no text: told with the path."""
    files = Files()
    (tmp_path / "huge").write_bytes(b" " * (MAX_FILE + 1))
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name, problem in (("gone", "No such file"), ("huge", "larger"), ("binary", "UTF-8")):
        with pytest.raises(CredentialUnavailable, match=problem):
            files.text(tmp_path / name)


def test_a_change_within_the_same_size_is_seen(tmp_path: Path) -> None:
    """By inode and time, not by size alone."""
    files = Files()
    (tmp_path / "a").write_text("one")
    assert files.text(tmp_path / "a") == "one"
    (tmp_path / "b").write_text("two")
    os.replace(tmp_path / "b", tmp_path / "a")  # noqa: PTH105
    assert files.changed()
