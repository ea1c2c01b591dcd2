"""Law: elements are read as mitmproxy reads them; whatever is not whole is refused and nothing else is raised."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.io import tnetstring

from gatehold.history.netstrings import TornError, element, picked, value_of

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)


def read(data: bytes) -> Any:
    return value_of(data, element(data, 0, len(data)))


@given(VALUES)
def test_as_mitmproxy_reads(value: Any) -> None:
    """Every value that mitmproxy writes."""
    data = tnetstring.dumps(value)
    assert read(data) == tnetstring.loads(data)


@given(st.binary(max_size=40) | VALUES.map(tnetstring.dumps).map(lambda data: data[:-1]))
def test_everything_else_is_torn(data: bytes) -> None:
    """Never another exception, however the bytes are."""
    try:
        read(data)
    except TornError:
        return
    assert data


@given(VALUES.map(tnetstring.dumps), st.integers(0, 60), st.integers(0, 255))
def test_changed_bytes(data: bytes, at: int, byte: int) -> None:
    """One byte changed anywhere."""
    at %= len(data)
    try:
        read(data[:at] + bytes([byte]) + data[at + 1 :])
    except TornError:
        return


@given(st.dictionaries(st.sampled_from(["a", "b", "c", "d"]), VALUES))
def test_picked(value: dict[str, Any]) -> None:
    """Only what was asked for."""
    data = tnetstring.dumps(value)
    found = picked(data, element(data, 0, len(data)), {b"a", b"c"})
    assert {key.decode(): value_of(data, part) for key, part in found.items()} == {
        key: held for key, held in value.items() if key in {"a", "c"}
    }


def test_deep_values() -> None:
    """Nested beyond what can be read: refused."""
    data = b"0:~"
    for _ in range(3000):
        data = b"%d:%b]" % (len(data), data)
    with pytest.raises(TornError):
        read(data)
