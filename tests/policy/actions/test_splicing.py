"""JSON texts in which one thing changes."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.jsontext import read_json
from policy.actions.readings import Unreadable
from policy.actions.splicing import with_first_item, with_member

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
KEYS = st.sampled_from(["a", "b", "metadata", "resourceVersion", "}", '"', "é", "\n"])
VALUES = st.recursive(LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3))
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
LAYOUTS = st.sampled_from([{}, {"indent": 2}, {"separators": (" ,\t", "\r\n: ")}, {"ensure_ascii": False}])
PATH = ("metadata", "resourceVersion")


def set_in(text: str) -> str:
    return with_member(text, PATH, "7", stated=lambda value: isinstance(value, str))


@given(OBJECTS, LAYOUTS, st.sampled_from(["", " ", "\n"]))
def test_the_rest_stays_as_it_is(value: dict[str, Any], layout: dict[str, Any], space: str) -> None:
    """The new text says what the old one says, and the member; of everything else not a byte is touched."""
    text = space + json.dumps(value, **layout) + space
    metadata = value.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        with pytest.raises(Unreadable):
            set_in(text)
        return
    stated = (metadata or {}).get("resourceVersion")
    version = stated if isinstance(stated, str) else "7"
    assert json.loads(set_in(text)) == {**value, "metadata": {**(metadata or {}), "resourceVersion": version}}
    assert set_in(set_in(text)) == set_in(text)
    if isinstance(stated, str):
        assert set_in(text) == text


@given(st.lists(VALUES, max_size=3), LAYOUTS)
def test_one_more_item(value: list[Any], layout: dict[str, Any]) -> None:
    """It stands first, and the others follow as they were."""
    text = json.dumps(value, **layout)
    longer = with_first_item(text, '{"x": 1}')
    assert json.loads(longer) == [{"x": 1}, *value]
    assert longer.endswith(text[1:])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("{}", '{"metadata":{"resourceVersion":"7"}}'),
        (' { } ', ' {"metadata":{"resourceVersion":"7"} } '),
        ('{"n":1.00, "b":12345678901234567890123, "c":"\\u0041\\/"}',
         '{"metadata":{"resourceVersion":"7"},"n":1.00, "b":12345678901234567890123, "c":"\\u0041\\/"}'),
        ('{"metadata" : null}', '{"metadata" : {"resourceVersion":"7"}}'),
        ('{"metadata":{"resourceVersion":null,"z":1}}', '{"metadata":{"resourceVersion":"7","z":1}}'),
        ('{"metadata":{"resourceVersion" :0}}', '{"metadata":{"resourceVersion" :"7"}}'),
        ('{"x":{"metadata":{"resourceVersion":"1"}}, "metadata":{}}',
         '{"x":{"metadata":{"resourceVersion":"1"}}, "metadata":{"resourceVersion":"7"}}'),
        ('{"m\\u0065tadata":{}}', '{"m\\u0065tadata":{"resourceVersion":"7"}}'),
    ],
)  # fmt: skip
def test_byte_for_byte(before: str, after: str) -> None:
    """Numbers, escapes and white space keep their spelling; a key counts however it is spelled."""
    read_json(before.encode())
    assert set_in(before) == after


@pytest.mark.parametrize("text", ["[]", "5", '"{}"', "null"])
def test_no_object(text: str) -> None:
    """Into what is no object nothing can be set, and into no array nothing put."""
    with pytest.raises(Unreadable):
        set_in(text)
    if text != "[]":
        with pytest.raises(Unreadable):
            with_first_item(text, "1")
