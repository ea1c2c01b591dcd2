"""Laws of shown bodies: what is shown is what was recorded; what is not shown is counted."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.console import bodies
from gatehold.console.bodies import json_lines, shown

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(JSON, st.sampled_from([None, 1, 4]), st.booleans())
def test_json_is_laid_out_and_unchanged(value: Any, indent: int | None, ascii_only: bool) -> None:
    """Only white space between its tokens differs, whatever it was before; objects and arrays alone."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    lines = json_lines(text)
    if not isinstance(value, dict | list):
        assert lines is None
        return
    assert lines is not None
    assert json.loads("\n".join(lines)) == value
    plain = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')
    assert plain.sub(r"\1", "".join(lines)) == plain.sub(r"\1", text)


def test_json_looks_like_json() -> None:
    """Numbers and repeated names stay as they were sent."""
    assert json_lines('{"a":1.50,"a":[],"b":[{"c":1e400},{}]}') == [
        "{", '  "a": 1.50,', '  "a": [],', '  "b": [', "    {", '      "c": 1e400', "    },", "    {}", "  ]", "}",
    ]  # fmt: skip


@given(st.binary(max_size=300))
def test_every_body_is_shown(body: bytes) -> None:
    """As text that is the body, or as a dump that is."""
    found = shown(body)
    assert found.size == len(body)
    if found.form == "text":
        assert "\n".join(found.lines).encode() == body.removesuffix(b"\n")
    elif found.form == "binary":
        assert b"".join(bytes.fromhex(line[10:57]) for line in found.lines) == body
    elif not body:
        assert found.form == "empty"


def test_what_is_left_out_is_counted() -> None:
    """Bytes, lines and characters of a line; a body that was not kept is told from an empty one."""
    assert shown(None).form == "absent"
    assert shown(b"a" * (bodies.MOST_BYTES + 7)).bytes_left_out == 7
    assert shown("ä".encode() * bodies.MOST_BYTES).form == "text"
    assert shown(json.dumps(list(range(5000))).encode()).lines_left_out == 5002 - bodies.MOST_LINES
    [line] = shown(b"x" * 5000).lines
    assert line.endswith("x [1000 more]")
    assert shown(b"\xff" * 5000).bytes_left_out == 5000 - bodies.MOST_DUMPED


@pytest.mark.parametrize(
    "text", ["[" * 100_000 + "]" * 100_000, "[" * 50 + "]" * 50 + "x", "[" * 45 + "1" + "]" * 45, "{", "1", "nul"]
)
def test_what_is_no_json_for_people_is_text(text: str) -> None:
    """Too deep, or none."""
    assert shown(text.encode()).form == "text"
