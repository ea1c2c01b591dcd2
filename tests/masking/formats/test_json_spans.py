"""The scanner accepts exactly the JSON texts, and knows where every value stands."""

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from masking.errors import Unmaskable
from masking.formats.json_spans import MAX_DEPTH, Layout, scan

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=15,
)
PIECES = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"a"', '"b"', '"', "1", "-", "0.5", "01", "1e3", ".5", "1.", "null", "true", "nul", " ", "\n", "\t",
     "\u00a0", '"\\n"', '"\\u12"', '"\\ud800"', '"\\x"', '"\t"', "\\", "é"]
)  # fmt: skip


def leaves(value: Any) -> list[Any]:
    """The strings and numbers of a value, in order."""
    if isinstance(value, dict):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if isinstance(value, list):
        return [leaf for inner in value for leaf in leaves(inner)]
    return [] if value is None or isinstance(value, bool) else [value]


def read(text: str, layout: Layout) -> list[Any]:
    return [json.loads(f'"{text[a:b]}"' if quoted else text[a:b]) for a, b, _, _, quoted in layout.leaves]


@given(VALUES, st.booleans(), st.sampled_from([None, 0, 2]))
def test_every_leaf_is_where_the_scanner_says(value: Any, ascii_only: bool, indent: int | None) -> None:
    """The spans, read by themselves, are the leaves of the document, in order."""
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert read(text, scan(text)) == leaves(value)


def _strict(text: str) -> bool:
    def refuse(_: str) -> None:
        raise ValueError

    try:
        json.loads(text, parse_constant=refuse)
    except ValueError:
        return False
    return True


@settings(max_examples=500)
@given(st.lists(PIECES, max_size=9).map("".join) | st.text(max_size=6))
@example("[,]")
@example("{,}")
@example('{"a":1,}')
@example("[1]]")
@example('[1,"a":2]')
@example("[1}")
@example('"a" "b"')
@example(",")
@example("1,")
@example("")
def test_the_grammar_is_that_of_the_standard_library(text: str) -> None:
    """Accepted exactly where a strict parser accepts."""
    try:
        scan(text)
    except Unmaskable:
        assert not _strict(text)
    else:
        assert _strict(text)


@given(VALUES)
def test_names_and_ways_lead_to_the_leaves(value: Any) -> None:
    """Walking the steps through the parsed document ends at the leaf's value."""
    text = json.dumps(value)
    layout = scan(text)
    for leaf, want in zip(layout.leaves, read(text, layout), strict=True):
        found = value
        steps = layout.steps_to(leaf)
        for step in steps:
            found = found[step]
        assert found == want
        names = [step for step in steps if isinstance(step, str)]
        assert layout.name_of(leaf) == (names[-1] if names else "")


def test_duplicate_names_are_all_there() -> None:
    """A parser keeps the last; a reader may keep the first."""
    layout = scan('{"a": 1, "a": 2}')
    assert [leaf[2] for leaf in layout.leaves] == ["a", "a"]


def test_names_are_decoded() -> None:
    """An escaped name is the same name."""
    assert scan('{"p\\u0061ss": 1}').names == {"pass"}


def test_depth_is_bounded() -> None:
    """As deep as the cap, and no deeper; without recursion."""
    assert scan("[" * MAX_DEPTH + "]" * MAX_DEPTH).frames
    with pytest.raises(Unmaskable, match="deeply"):
        scan("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))
