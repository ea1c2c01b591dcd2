"""Texts with nothing in them are told at once; every doubt is left."""

import pytest

from masking.content import read_content_type
from masking.errors import Unmaskable
from masking.operators import Operators
from masking.plan import Plan
from masking.profiles import resolve
from masking.screening.look import QuickLook


@pytest.fixture(scope="module")
def look() -> QuickLook:
    """That of personal data and secrets."""
    profiles = resolve({})
    return QuickLook(Plan([profiles["pii"], profiles["secrets"]], Operators(b"k")))


@pytest.mark.parametrize("body", [b"GET /a 200\n", b"C:\\temp\\x\n", b'{"a": "x\\ny \\"z\\""}\nplain\n', b"a = b\n"])
def test_quiet(look: QuickLook, body: bytes) -> None:
    """The same object goes on."""
    quick = look.at(body, read_content_type("text/plain"))
    assert quick is not None
    assert quick.body is body


@pytest.mark.parametrize(
    "body",
    [b"bob@example.com", b"password: x", b"caf\xc3\xa9", b"a\x1bb", b'{"a": "b\\u0040c.de"}', b'{"a": "{\\"b\\": \\"\\\\n078-05-1123\\"}"}', b"<a>x</a>", b"100%25"],
)  # fmt: skip
def test_not_quiet(look: QuickLook, body: bytes) -> None:
    """Hits, names, other characters, escapes, markup, encodings."""
    assert look.at(body, read_content_type("text/plain")) is None


def test_binary_is_refused(look: QuickLook) -> None:
    """As on the full path."""
    with pytest.raises(Unmaskable):
        look.at(b"%PDF-1.7", read_content_type("text/plain"))
