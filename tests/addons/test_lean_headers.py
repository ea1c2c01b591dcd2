"""Law: header look-ups answer as mitmproxy's own do, whatever the headers and however a name is written."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.coretypes import multidict

from addons import lean_headers

_NAMES = st.sampled_from([b"Host", b"host", b"HOST", b"Accept", b"X-\xc3\xa9", b"x-\xff", b""]) | st.binary(max_size=6)
_FIELDS = st.lists(st.tuples(_NAMES, st.binary(max_size=8)), max_size=6)
_REPLACED = ("__init__", "__contains__", "__getitem__", "get", "get_all")


@pytest.fixture(autouse=True)
def lean() -> Iterator[None]:
    """Installed for one test, and taken out."""
    own = {name: vars(http.Headers).get(name) for name in _REPLACED}
    lean_headers.install()
    yield
    for name, value in own.items():
        if value is None:
            delattr(http.Headers, name)
        else:
            setattr(http.Headers, name, value)


def stock_values(fields: list[tuple[bytes, bytes]], name: bytes) -> list[str]:
    """What ``Headers.get_all`` is documented to answer."""
    found: multidict.MultiDict[bytes, bytes] = multidict.MultiDict([(key.lower(), value) for key, value in fields])
    return [value.decode("utf-8", "surrogateescape") for value in found.get_all(name.lower())]


@given(_FIELDS, _NAMES)
def test_the_answers_are_the_same(fields: list[tuple[bytes, bytes]], name: bytes) -> None:
    """Bytes or text, one field of a name or several or none."""
    headers, values = http.Headers(fields), stock_values(fields, name)
    for spelled in (name, name.swapcase(), name.decode("utf-8", "surrogateescape")):
        assert headers.get_all(spelled) == values
        assert (spelled in headers) is bool(values)
        assert headers.get(spelled) == (", ".join(values) if values else None)
        assert headers.get(spelled, "else") == (", ".join(values) if values else "else")
    if not values:
        with pytest.raises(KeyError):
            headers[name]


def test_fields_are_checked_as_before() -> None:
    """Text is no field, and names given as words are headers."""
    with pytest.raises(TypeError):
        http.Headers([("Host", "a")])  # type: ignore[list-item]
    assert http.Headers([(b"A", b"1")], content_type="x").fields == ((b"A", b"1"), (b"content-type", b"x"))
    assert http.Headers([[b"A", b"1"]]).fields == ((b"A", b"1"),)  # type: ignore[list-item]
    assert 7 not in http.Headers()


def test_what_changes_headers_goes_on_working() -> None:
    """Setting, deleting and popping rest on the look-ups."""
    headers = http.Headers([(b"A", b"1"), (b"a", b"2"), (b"B", b"3")])
    assert headers["a"] == "1, 2"
    assert headers.pop("b") == "3"
    assert headers.pop("b", None) is None
    headers["a"] = "4"
    assert headers.fields == ((b"A", b"4"),)
    del headers["A"]
    assert "a" not in headers
