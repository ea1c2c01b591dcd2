import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.approvals.rendering import columns, cut, fact, visible

TEXT = st.text(alphabet=st.characters(exclude_categories=())) | st.text(
    alphabet="<U+202E>\u202e\u200b\x1b[31m ab\u0301"
)


def _read(shown: str) -> str:
    """What a person who knows the notation reads."""
    return re.sub(r"<U\+([0-9A-F]{4,6})>", lambda match: chr(int(match[1], 16)), shown)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/customers/1?q=a b", "/customers/1?q=a b"),
        ("Jürgen 李", "Jürgen 李"),
        ("\x1b[2J\x1b]0;title\x07", "<U+001B>[2J<U+001B>]0;title<U+0007>"),
        ("a\r\nallowed\tyes", "a<U+000D><U+000A>allowed<U+0009>yes"),
        ("\x9b31m", "<U+009B>31m"),
        ("abc\u202ecod.exe", "abc<U+202E>cod.exe"),
        ("\u2066x\u2069\u061c\u200f", "<U+2066>x<U+2069><U+061C><U+200F>"),
        ("pro\u200bd\u2060\ufeff\u00ad", "pro<U+200B>d<U+2060><U+FEFF><U+00AD>"),
        ("a\u00a0b\u3000c", "a<U+00A0>b<U+3000>c"),
        ("\u3164\u2800\ufe0f\U000e0041", "<U+3164><U+2800><U+FE0F><U+E0041>"),
        ("\udc80", "<U+DC80>"),
        ("\u2028", "<U+2028>"),
        ("<U+202E>", "<U+003C>U+202E>"),
        ("<U+> <b>", "<U+> <b>"),
        ("a" + "\u0301" * 6, "a" + "\u0301" * 4 + "<U+0301><U+0301>"),
    ],
)
def test_unseen_characters_are_code_points(text: str, shown: str) -> None:
    """Controls, ANSI, bidi, zero width, odd spaces and blanks can be seen; ordinary text of any script is as it was."""
    assert visible(text) == shown


@given(TEXT)
def test_nothing_unseen_remains(text: str) -> None:
    """What is shown prints on one line and holds no character that a terminal or the eye would miss."""
    shown = visible(text)
    assert len(shown.splitlines()) <= 1
    assert all(character == " " or unicodedata.category(character)[0] not in "CZ" for character in shown)


@given(TEXT)
def test_nothing_is_lost(text: str) -> None:
    """The original can be read from what is shown; so no two texts look alike."""
    assert _read(visible(text)) == text


@given(TEXT)
def test_a_table_keeps_its_lines(text: str) -> None:
    """One row is one line, whatever is in its cells."""
    lines = columns(("A", "B"), [(text, "x"), ("y", text)])
    assert len(lines) == 3
    assert all(len(line.splitlines()) == 1 for line in lines)


def test_columns_are_aligned() -> None:
    """Two spaces between columns, none at the end."""
    assert columns(("ID", "B"), [("long one", "x"), ("s", "")]) == ["ID        B", "long one  x", "s"]


def test_cut_says_what_is_missing() -> None:
    """Never silently shorter."""
    assert cut("abcdef", 6) == "abcdef"
    assert cut("abcdefg", 6) == "abcdef [1 more]"


@pytest.mark.parametrize(
    ("value", "shown"),
    [("a\u202eb", "a<U+202E>b"), ({"k": "\u202e"}, '{"k": "<U+202E>"}'), (12, "12"), (True, "true"), (None, "null")],
)
def test_facts_are_json_or_text(value: object, shown: str) -> None:
    """Strings without quotes, all else as JSON, both made visible."""
    assert fact(value) == shown
