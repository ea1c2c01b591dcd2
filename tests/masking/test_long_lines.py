"""Law: a long line in bytes is masked as its text is, whatever its charset, from its first byte on."""

import pytest

from masking.content import read_content_type
from masking.errors import Unmaskable
from masking.long_lines import LongLine


def line(content_type: str = "text/plain", *, is_first: bool = True) -> LongLine:
    return LongLine(lambda _: [], read_content_type(content_type), limit=1000, is_first=is_first)


@pytest.mark.parametrize(
    ("content_type", "charset"), [("text/plain", "utf-8"), ("text/plain; charset=latin-1", "latin-1")]
)
def test_letters_may_come_in_two(content_type: str, charset: str) -> None:
    """Byte by byte."""
    one = line(content_type)
    data = "caf\u00e9 gr\u00fc\u00dfe".encode(charset)
    assert "".join(one.feed(bytes([byte])) for byte in data) + one.end() == data.decode(charset)


@pytest.mark.parametrize("data", [b"%PDF-1.7 x", b"a\0b", b"\xff\xfe"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    """As in whole bodies."""
    with pytest.raises(Unmaskable):
        line().feed(data)
