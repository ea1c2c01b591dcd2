"""Credentials that stand in the environment and in files."""

import base64
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import origins
from gatehold.credentials.sources import MAX_FILE, Files, basic_header, template_source, token_file_source

BOUND = origins("https", [("crm.corp.example", 443)])


@pytest.mark.parametrize(
    ("credential", "name", "value", "secret"),
    [
        ({"header": "X-Api-Key", "value": "${env:CRM_TOKEN}"}, "X-Api-Key", "planted-1", "planted-1"),
        ({"header": "X-Key", "prefix": "Key ", "value": "${env:CRM_TOKEN}"}, "X-Key", "Key planted-1", "planted-1"),
        ({"bearer": "a.${env:CRM_TOKEN}"}, "Authorization", "Bearer a.planted-1", "a.planted-1"),
        ({"bearer": "${file:token.txt}"}, "Authorization", "Bearer from-file", "from-file"),
        (
            {"basic": {"username": "gate", "password": "${env:CRM_TOKEN}"}},
            "Authorization",
            "Basic " + base64.b64encode(b"gate:planted-1").decode(),
            "planted-1",
        ),
    ],
)
async def test_forms(  # noqa: PLR0917
    target: Callable[..., Any], credential: dict[str, Any], name: str, value: str, secret: str, planted: None
) -> None:
    """Header, bearer and basic, from environment, file and literal; the bare value is known for masking."""
    injection = await template_source(target(credential).spec.credential, BOUND).obtain()
    assert [(header, text.reveal()) for header, text in injection.headers] == [(name, value)]
    assert [text.reveal() for text in injection.secrets] == [secret]
    assert injection.bound == BOUND
    assert injection.expires_at is None


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_TOKEN", "planted-1")
    (tmp_path / "token.txt").write_text("from-file\n")


async def test_files_are_read_again_when_they_change(target: Callable[..., Any], tmp_path: Path) -> None:
    """Written anew, replaced, or reached by a link that was swapped, as Secret mounts do it."""
    for version in ("v1", "v2"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "token").write_text(f"{version}-value")
    (tmp_path / "mount").symlink_to("v1")
    source = template_source(target({"bearer": "${file:mount/token}"}).spec.credential, BOUND)

    async def current() -> str:
        return (await source.obtain()).secrets[0].reveal()

    assert await current() == "v1-value"
    assert not source.changed()
    (tmp_path / "new").symlink_to("v2")
    (tmp_path / "new").rename(tmp_path / "mount")
    assert source.changed()
    assert await current() == "v2-value"
    (tmp_path / "v2/token").unlink()
    assert source.changed()
    with pytest.raises(CredentialUnavailable, match="No such file"):
        await source.obtain()
    (tmp_path / "v2/token").write_text("v3-value")
    assert source.changed()
    assert await current() == "v3-value"


async def test_what_is_missing_is_named_without_values(
    target: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variable or file; not what else the template holds."""
    monkeypatch.delenv("CRM_TOKEN", raising=False)
    source = template_source(target({"bearer": "planted-${env:CRM_TOKEN}"}).spec.credential, BOUND)
    with pytest.raises(CredentialUnavailable, match="CRM_TOKEN") as error:
        await source.obtain()
    assert "planted" not in str(error.value)


@pytest.mark.parametrize("content", ["", "\n", "a\nb", "a\r\nX-Evil: 1", "a\x00b", "tökén-value", "trail "])
async def test_values_that_would_break_the_header(tmp_path: Path, content: str) -> None:
    """A token file with more than a token in it is not put into a header."""
    (tmp_path / "token").write_text(content, newline="")
    with pytest.raises(CredentialUnavailable) as error:
        await token_file_source(tmp_path / "token", BOUND).obtain()
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
