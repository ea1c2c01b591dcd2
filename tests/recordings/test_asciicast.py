"""Law: an export is what asciicast v2 asks for, shows what was on the terminal, and steers nobody's terminal."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.asciicast import Options, Text, cast
from recordings.flows import Spoken

KINDS = frozenset({"o", "i", "m", "r"})


def spoken(*messages: tuple[float, bytes]) -> list[Spoken]:
    return [Spoken(time=time, from_client=content[:1] in b"\0\4", content=content) for time, content in messages]


def exported(*messages: tuple[float, bytes], **options: Any) -> tuple[dict[str, Any], list[list[Any]]]:
    lines = list(cast(spoken(*messages), Options(**options)))
    check(lines)
    return json.loads(lines[0]), [json.loads(line) for line in lines[1:]]


def check(lines: list[str]) -> None:
    """The rules of asciicast v2: a header with version, width and height; events of three, in order of their time."""
    header = json.loads(lines[0])
    assert header["version"] == 2
    assert all(type(header[key]) is int and header[key] > 0 for key in ("width", "height"))
    assert type(header["timestamp"]) is int
    assert all(type(header[key]) is str for key in ("title", "command") if key in header)
    before = 0.0
    for line in lines[1:]:
        assert "\n" not in line
        seconds, kind, data = json.loads(line)
        assert isinstance(seconds, int | float)
        assert seconds >= before
        assert kind in KINDS
        assert type(data) is str
        before = seconds


SESSION = (
    (100.0, b'\4{"Width":120,"Height":40}'),
    (100.5, b"\1$ "),
    (101.0, b"\0ls\r"),
    (101.25, "\1gr\u00fc".encode()[:-1]),
    (101.5, "\u00fc".encode()[-1:].join([b"\1", b"n\r\n"])),
    (102.0, b"\2oops\r\n"),
    (103.0, b'\4{"Width":80,"Height":24}'),
    (104.0, b'\3{"status":"Success"}'),
)


def test_a_session() -> None:
    """Sizes, times from the beginning, letters that were cut; not what was typed."""
    header, events = exported(*SESSION, title="ses-1", command="sh -c ls")
    assert header == {
        "version": 2, "width": 120, "height": 40, "timestamp": 100, "title": "ses-1", "command": "sh -c ls",
    }  # fmt: skip
    assert events == [
        [0.5, "o", "$ "], [1.25, "o", "gr"], [1.5, "o", "\u00fcn\r\n"], [2.0, "o", "oops\r\n"], [3.0, "r", "80x24"],
    ]  # fmt: skip


def test_what_was_typed_is_there_when_it_is_asked_for() -> None:
    """A person decides."""
    _, events = exported(*SESSION, typed=True)
    assert [1.0, "i", "ls\r"] in events


def test_without_a_size_there_is_one() -> None:
    """The header needs it; a size that cannot be one is none."""
    header, _ = exported((1.0, b"\1x"), (2.0, b"\4{}"), (3.0, b'\4{"Width":0,"Height":0}'))
    assert (header["width"], header["height"]) == (80, 24)


def test_nothing_was_said() -> None:
    """No lines."""
    assert not list(cast([], Options()))


def test_strings_for_the_terminal_are_left_out() -> None:
    """Titles, clipboards, device control; colours stay. Also where a message cuts them."""
    said = (
        (1.0, b"\1a\x1b]52;c;cm0gLXJm\x07b\x1b]0;tit"),
        (2.0, b"\1le\x1b\\c\x1bP1$r0m\x1b\\d\x1b[31me\x1b_x\x1b\\\x1b[0m"),
        (3.0, "\1f\u009d0;x\u009cg\x1b".encode()),
        (4.0, b"\1]8;;http://x\x07h"),
    )
    _, events = exported(*said)
    assert "".join(text for _, _, text in events) == "abcd\x1b[31me\x1b[0mfgh"
    _, raw = exported(*said, raw=True)
    assert "52;c;" in raw[0][2]


@given(st.text(alphabet="ab\x1b]\x07\\[0m;P_\x9d\x9c", max_size=40), st.data())
def test_no_cut_lets_a_string_through(text: str, data: st.DataObject) -> None:
    """Nothing that opens a string is ever shown."""
    cut = data.draw(st.integers(0, len(text)))
    stream = Text(raw=False)
    shown = stream.feed(text[:cut].encode()) + stream.feed(text[cut:].encode(), last=True)
    assert "\x1b]" not in shown
    assert "\x1bP" not in shown
    assert "\x9d" not in shown


@given(st.lists(st.tuples(st.floats(0, 1e6), st.binary(max_size=30)), min_size=1, max_size=20))
def test_whatever_was_said_exports_to_the_format(messages: list[tuple[float, bytes]]) -> None:
    """Records may hold anything."""
    check(list(cast(spoken(*messages), Options(typed=True))))


@pytest.mark.parametrize("escapes", [1, 2, 3])
def test_what_is_taken_out_joins_nothing(escapes: int) -> None:
    """An escape before a string, and what follows it, are no opening together."""
    text = "\x1b" * escapes + "\x9d\x07P0;1|shown\x9c"
    assert Text(raw=False).feed(text.encode(), last=True) == "P0;1|shown\x9c"


def test_runs_of_escapes_do_not_take_long() -> None:
    """They are passed over once."""
    text = Text(raw=False)
    assert text.feed(b"\x1b" * 200_000 + b"shown").endswith("shown")


def test_openings_without_an_end_do_not_take_long() -> None:
    """Each begins anew at the next; it was quadratic once."""
    text = Text(raw=False)
    assert text.feed("\x9d".encode() * 200_000 + b"\x07shown") == "shown"
