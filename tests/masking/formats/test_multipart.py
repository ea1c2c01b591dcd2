"""Parts of bodies: exactly those that every reader sees, or none."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.content import read_content_type
from masking.errors import Unmaskable
from masking.formats.multipart import content_type, field_texts, name_of, parts

HEAD = 'Content-Disposition: form-data; name="a"\r\n\r\n'


@pytest.mark.parametrize(
    ("text", "contents"),
    [
        (f"--X\r\n{HEAD}one\r\n--X--\r\n", ["one"]),
        (f"\r\n--X\r\n{HEAD}one\r\n--X\r\n\r\n\r\n--X--", ["one", ""]),
        (f"--X\r\n{HEAD}a\r\n--Y\nb\n--\r\n\r\n--X--", ["a\r\n--Y\nb\n--\r\n"]),
    ],
)
def test_parts(text: str, contents: list[str]) -> None:
    """As the RFC writes them."""
    assert [text[part.start : part.end] for part in parts(text, "X")] == contents


@pytest.mark.parametrize(
    "text",
    ["", "--X", "--X--", "--X--\r\n", "x", f"preamble\r\n--X\r\n{HEAD}a\r\n--X--", f"--X\r\n{HEAD}a\r\n--X--\r\nepilogue", f"--X\r\n{HEAD}a\r\n--X",
     f"--X\n{HEAD}a\n--X--", f"--X \r\n{HEAD}a\r\n--X--", f"--X\r\n{HEAD}a--X--", f"--X\r\n{HEAD}a\n--X\r\nb\r\n--X--", f"--X\r\n{HEAD}a\r\n--XY\r\n--X--",
     "--X\r\nno header\r\n\r\na\r\n--X--", "--X\r\nA: b\r\n c\r\n\r\na\r\n--X--", "--X\r\nA: b\nC: d\r\n\r\na\r\n--X--", "--X\r\nA: b\r\na: c\r\n\r\na\r\n--X--",
     "--X\r\nA: =?utf-8?b?eA==?=\r\n\r\na\r\n--X--", '--X\r\nContent-Disposition: form-data; name="a"; name="b"\r\n\r\na\r\n--X--',
     '--X\r\nContent-Disposition: form-data; filename="a"; filename*=b\r\n\r\na\r\n--X--', '--X\r\nContent-Disposition: form-data; name="a\\"b"\r\n\r\na\r\n--X--',
     '--X\r\nContent-Disposition: form-data; filename*0="a"; filename*1="b"\r\n\r\na\r\n--X--',
     "--X\r\nContent-Disposition: form-data; name\r\n\r\na\r\n--X--", "--X\r\nA: b\r\n--X--"],
)  # fmt: skip
def test_what_two_readers_could_see_differently_is_refused(text: str) -> None:
    """Line feeds alone, padding, text before and after, folded and repeated headers, a missing end."""
    with pytest.raises(Unmaskable):
        parts(text, "X")


@pytest.mark.parametrize("boundary", ["", "a" * 71, "a\r\n", "a ", "é", '"'])
def test_malformed_boundaries_are_refused(boundary: str) -> None:
    """RFC 2046, 5.1.1."""
    with pytest.raises(Unmaskable, match="boundary"):
        parts(f"--{boundary}\r\n{HEAD}a\r\n--{boundary}--", boundary)


def test_names_and_types_of_parts() -> None:
    """Names are UTF-8 where they are; a part without a type is a text."""
    text = '--X\r\nContent-Type: application/json\r\nContent-Disposition: form-data; name="é"\r\n\r\n1\r\n--X\r\n\r\n2\r\n--X--'
    octets = text.encode().decode("latin-1")
    first, second = parts(octets, "X")
    assert (name_of(first, octets), content_type(first).essence) == ("é", "application/json")
    assert (name_of(second, octets), content_type(second).essence) == ("", "text/plain")
    assert list(field_texts(text.encode(), read_content_type("multipart/form-data; boundary=X"))) == [
        ("é", "1"),
        ("", "2"),
    ]


def test_very_many_parts_are_refused() -> None:
    """Each of them costs."""
    with pytest.raises(Unmaskable, match="many"):
        parts("--X\r\n\r\n\r\n" * 5000 + "--X--", "X")


PIECES = st.sampled_from(["--X", "--", "\r\n", "\n", "\r", HEAD, "a", " ", "A: b", ":", "X", "Y", '"', ";"])


@given(st.lists(PIECES, max_size=12).map("".join))
def test_any_text_is_parted_or_refused(text: str) -> None:
    """No other exception; and no part holds a delimiter."""
    with contextlib.suppress(Unmaskable):
        assert not any("--X" in text[part.start : part.end] for part in parts(text, "X"))
