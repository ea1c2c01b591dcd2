"""Laws of bodies before people: what is hidden, cut or not text is said, and nothing of it is shown."""

from typing import Any

import pytest

from addons.shown_bodies import MOST_CHARACTERS, shown_body
from masking.engine import Masked
from masking.errors import Unmaskable
from policy.model import WireRequest


class Scrubber:
    """Hides ``planted``, and fails for ``broken``."""

    def shown_body(self, wire: WireRequest, _target: Any) -> Masked:
        body = wire.body or b""
        if b"broken" in body:
            raise Unmaskable("planted reason")
        return Masked(body=body.replace(b"planted", b"***"), counts={"X": body.count(b"planted")})


def shown(body: bytes | None) -> Any:
    """What people see of a body."""
    wire = WireRequest(method="POST", path="/x", headers=(("Content-Type", "text/plain"),), body=body)
    return shown_body(wire, Scrubber(), None)  # type: ignore[arg-type]


def test_a_plain_body_is_whole() -> None:
    """In clear, with its type and size; none is none."""
    body = shown(b"hello")
    assert (body.text, body.content_type, body.size, body.is_whole) == ("hello", "text/plain", 5, True)
    assert shown(b"") is None


@pytest.mark.parametrize("body", [b"a planted value", b"broken planted", b"\xff planted", b"x" * (MOST_CHARACTERS + 1)])
def test_what_is_missing_is_said(body: bytes) -> None:
    """It is not whole, and what is hidden is not in it."""
    seen = shown(body)
    assert not seen.is_whole
    assert "planted" not in seen.text
    assert len(seen.text) <= MOST_CHARACTERS
    assert seen.size == len(body)
