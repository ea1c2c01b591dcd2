"""Law: what is read back is what mitmproxy's own writer would have written, however often the same is written."""

from pprint import pformat
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.io import tnetstring

from recordings.netstrings import dump, fields, members, same_members

TEXT = st.text(max_size=8) | st.text(min_size=90, max_size=110)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT | st.binary(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8) | st.binary(min_size=90, max_size=110)))


def read(data: bytes) -> str:
    """A value with the kinds of its parts; the order of keys does not matter."""
    return pformat(tnetstring.loads(data))


@given(VALUES)
def test_values(value: Any) -> None:
    """Of every kind that flows are made of."""
    for _ in range(2):
        assert read(dump(value)) == read(tnetstring.dumps(value))


@given(FIELDS)
def test_header_fields(pairs: list[tuple[bytes, bytes]]) -> None:
    """Short and long."""
    assert fields(pairs) == tnetstring.dumps(pairs)


@given(st.dictionaries(TEXT, SCALARS, max_size=3))
def test_members(value: dict[str, Any]) -> None:
    """Keys and values in their order; 1, 1.0 and true are not the same."""
    assert read(members(same_members(tuple(value), *value.values()))) == read(tnetstring.dumps(value))
    for one in (1, 1.0, True):
        assert members(same_members(("x",), one)) == tnetstring.dumps({"x": one})


def test_anything_else_is_refused() -> None:
    """By the name of its kind alone."""
    with pytest.raises(TypeError, match="a flow cannot hold a set"):
        dump({"x": {"SECRET"}})
