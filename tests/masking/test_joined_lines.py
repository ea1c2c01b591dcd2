"""Law: lines that belong together are one record, and every byte is in one record, once, in order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.joined_lines import JoinedLines


def records(text: str) -> list[str]:
    """Those that are complete, then the rest."""
    framer = JoinedLines()
    return [each.decode() for each in framer.feed(text.encode())] + ([framer.rest().decode()] if framer.held else [])


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a\nb\n", ["a\n", "b\n"]),
        ('x {\n "a":\n "b"\n}\ny\n', ['x {\n "a":\n "b"\n}\n', "y\n"]),
        ("} else {\n a\n}\nb\n", ["} else {\n a\n}\n", "b\n"]),
        ('[\n {"a":\n "b"},\n {}\n]\nb\n', ['[\n {"a":\n "b"},\n {}\n]\n', "b\n"]),
        ('{"a": [1,\n2], "b":\n"c"}\nd\n', ['{"a": [1,\n2], "b":\n"c"}\n', "d\n"]),
        ("key: |\n  a\n\n  b\nc: d\n", ["key: |\n  a\n\n  b\n", "c: d\n"]),
        ("- key: >-\n    a\n  c: d\n", ["- key: >-\n    a\n", "  c: d\n"]),
        (
            "[INFO] a\n[0, 1)\n\x1b[31mred\x1b[0m\n:[ sad\n",
            ["[INFO] a\n", "[0, 1)\n", "\x1b[31mred\x1b[0m\n", ":[ sad\n"],
        ),
        ("\n\n<a>\nb\n</a>\nc\n", ["\n", "\n", "<a>\nb\n</a>\nc\n"]),
        ("a\n<b>\nc\n", ["a\n", "<b>\n", "c\n"]),
        ("< 5 ms\na\n", ["< 5 ms\n", "a\n"]),
        ("x {\nnever closed\n", ["x {\nnever closed\n"]),
        ("no end", ["no end"]),
    ],
)
def test_what_belongs_together(text: str, want: list[str]) -> None:
    """Braces, brackets of what can hide something, blocks of YAML, markup; nothing else."""
    assert records(text) == want


@given(st.text(alphabet='a{}[]|:<\n "', max_size=60), st.data())
def test_however_it_is_cut(text: str, data: st.DataObject) -> None:
    """The same records, of the same bytes."""
    body, framer = text.encode(), JoinedLines()
    cut = data.draw(st.integers(0, len(body)))
    found = [*framer.feed(body[:cut]), *framer.feed(body[cut:])]
    assert b"".join(found) + framer.rest() == body
    assert framer.held == len(framer.rest())
    whole = JoinedLines()
    assert list(whole.feed(body)) == found


def test_what_is_open_is_not_given_on_in_pieces() -> None:
    """Also where somebody else went on with the line that opened it."""
    framer = JoinedLines()
    assert not framer.is_open
    framer.goes_on(b"list: [\n")
    assert framer.is_open
    assert list(framer.feed(b' "a"\n')) == []
    assert list(framer.feed(b"]\nb\n")) == [b' "a"\n]\n', b"b\n"]
    assert not framer.is_open
