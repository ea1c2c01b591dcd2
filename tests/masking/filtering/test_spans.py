"""Law: what is found is what a JSON parser finds, and every span holds exactly the text of its value."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.errors import Unmaskable
from masking.filtering.spans import Element, mapping, whole
from masking.formats.json_screen import parse

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def _keep(element: Element) -> Element:
    return element


@given(
    value=st.dictionaries(st.text(max_size=4), VALUES, max_size=5),
    indent=st.sampled_from([None, 1]),
    ascii_=st.booleans(),
)
def test_members_are_found_with_their_spans(value: dict[str, Any], indent: int | None, ascii_: bool) -> None:
    """However the text is written."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_)
    found = whole(text)
    assert list(found) == list(value)
    for name, member in found.items():
        assert json.loads(text[member.start : member.end]) == value[name]
        assert json.loads(f"{{{text[member.begin : member.end]}}}") == {name: value[name]}


@given(value=st.lists(VALUES, max_size=5), indent=st.sampled_from([None, 2]))
def test_elements_are_found_with_their_spans(value: list[Any], indent: int | None) -> None:
    """Each is given to the reader once, in order."""
    text = json.dumps({"a": value}, indent=indent)
    found = whole(text, {"a": _keep})["a"]
    assert [json.loads(text[each.start : each.end]) for each in found.value] == value
    assert json.loads(text[found.start : found.end]) == value


@given(text=st.text(alphabet='{}[]",:01ae \\u-.', max_size=24))
def test_what_is_no_object_is_refused(text: str) -> None:
    """Exactly where a parser refuses it, or finds something else than an object."""
    try:
        value = parse(text)
    except Unmaskable:
        value = None
    is_object = isinstance(value, tuple) and mapping(value) is not None
    if is_object:
        assert {name: member.value for name, member in whole(text).items()} == mapping(value)
    else:
        with pytest.raises(Unmaskable):
            whole(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "1",
        '{"a":1}x',
        '{"a":1,"a":2}',
        '{"a":NaN}',
        '{"a":1,}',
        "{,}",
        '{"a" 1}',
        "{1:1}",
        '{"a":[1,]}',
        '{"a":[1 2]}',
        '{"a":[',
        "\ufeff{}",
    ],
)
@pytest.mark.parametrize("readers", [{}, {"a": _keep}], ids=["plain", "read"])
def test_malformed_texts_are_refused(text: str, readers: Any) -> None:
    """Whoever reads the elements."""
    with pytest.raises(Unmaskable):
        whole(text, readers)


def test_deep_nesting_is_refused() -> None:
    """Not with a RecursionError."""
    with pytest.raises(Unmaskable, match="deeply"):
        whole('{"a":' + "[" * 200_000)
