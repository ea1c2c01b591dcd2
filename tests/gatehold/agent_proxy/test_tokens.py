"""Law: the token that stands in the file now is shown; what is no token is never shown, and nothing of it is told."""

import base64
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.agent_proxy.tokens import MAX_TOKEN, NoToken, TokenFile, expires_at
from gatehold.identity.extraction import token_from


def test_a_rotated_token_counts_at_once(tmp_path: Path) -> None:
    """Also where the file is a link that somebody points elsewhere, as Kubernetes does."""
    (tmp_path / "one").write_text("first\n")
    (tmp_path / "two").write_text("second")
    (tmp_path / "token").symlink_to("one")
    tokens = TokenFile(path=tmp_path / "token")
    assert tokens.read() == "first"
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(tmp_path / "token")
    assert tokens.read() == "second"


@pytest.mark.parametrize("content", [b"", b" \n", b"two tokens", b"a\r\nProxy-Authorization: b", b"\xff\xfe", b"a\x00", b"hunter2 " + b"a" * MAX_TOKEN, b"a" * (MAX_TOKEN + 1)])  # fmt: skip
def test_what_is_no_token(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(NoToken) as raised:
        TokenFile(path=tmp_path / "token").read()
    assert str(tmp_path / "token") in str(raised.value)
    assert "hunter2" not in str(raised.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(NoToken, match="No such file"):
        TokenFile(path=tmp_path / "token").read()
    with pytest.raises(NoToken, match="Is a directory"):
        TokenFile(path=tmp_path).read()


@pytest.mark.parametrize("scheme", ["bearer", "basic"])
def test_the_gateway_reads_what_is_shown(tmp_path: Path, scheme: Any) -> None:
    """The longest token as well."""
    (tmp_path / "token").write_text("a" * MAX_TOKEN)
    tokens = TokenFile(path=tmp_path / "token", scheme=scheme)
    assert token_from(tokens.authorization(tokens.read())) == "a" * MAX_TOKEN


def jwt(claims: Any) -> str:
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.sig"


@pytest.mark.parametrize(
    ("token", "end"),
    [
        (jwt({"exp": 1_800_000_000}), 1.8e9),
        (jwt({"exp": 1_800_000_000.5}), 1_800_000_000.5),
        (jwt({"exp": True}), None),
        (jwt({"exp": "1800000000"}), None),
        (jwt({"exp": 10**400}), None),
        (jwt({"exp": float("inf")}), None),
        (jwt({"exp": float("nan")}), None),
        (jwt({}), None),
        (jwt([]), None),
        ("ghk_abcdef", None),
        ("a.!!.c", None),
        ("a.b.c", None),
        (f"e30.{base64.urlsafe_b64encode(b'[' * 6000).decode()}.s", None),
    ],
)
def test_when_a_token_ends(token: str, end: float | None) -> None:
    """As far as it says; whatever else stands there is the gateway's to judge."""
    assert expires_at(token) == end


@given(st.text(max_size=60))
def test_any_text_ends_some_time_or_never(token: str) -> None:
    end = expires_at(token)
    assert end is None or math.isfinite(end)
