"""JSON that cannot be read in two ways."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.jsontext import MAX_BRACKETS, MAX_BYTES, MAX_DEPTH, is_shallow, read_json
from policy.actions.readings import Unreadable

TEXT = st.text(st.characters(codec="utf-8"))
INTEGERS = st.integers(min_value=-(2**63), max_value=2**63 - 1)
KEYS = st.text(st.characters(codec="utf-8", exclude_categories=["Lu", "Lt", "Cs"])).filter(lambda k: k == k.casefold())
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), INTEGERS, st.floats(allow_nan=False, allow_infinity=False), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


@given(VALUES, st.booleans(), st.sampled_from([None, 2]))
def test_agrees_with_the_standard_library(value: Any, ascii_only: bool, indent: int | None) -> None:
    """Every valid document without duplicates is read as ``json.loads`` reads it."""
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    assert read_json(body) == json.loads(body) == value


@given(st.binary(max_size=60) | st.text(alphabet='{}[]",:\\u0d8c1e-.tfn ', max_size=60).map(str.encode))
def test_reads_nothing_that_the_standard_library_refuses(body: bytes) -> None:
    """Any bytes are a value or unreadable, and never a value that ``json.loads`` does not see."""
    try:
        value = read_json(body)
    except Unreadable:
        return
    assert value == json.loads(body.decode("utf-8"))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"a":1,"a":1}', "twice"),
        (b'{"a":1,"\\u0061":2}', "twice"),
        (b'[{"x":{"a":1,"a":2}}]', "twice"),
        (b'{"replicas":1,"Replicas":50}', "case only"),
        ('{"task":1,"ta\u017f\u212a":2}'.encode(), "case only"),
        (b"NaN", "NaN"),
        (b'{"a":-Infinity}', "Infinity"),
        (b"[Infinity]", "Infinity"),
        (b"1e999", "out of range"),
        (b"[-1e400]", "out of range"),
        (b"9" * 400, "out of range"),
        (b"9" * 5000, "out of range"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ("{}".encode("utf-16"), "not UTF-8"),
        ("{}".encode("utf-16-le"), "not JSON"),
        ("{}".encode("utf-32-be"), "not JSON"),
        (b'"\xff"', "not UTF-8"),
        (b'"\xed\xa0\x80"', "not UTF-8"),
        (b'"\xc0\xae"', "not UTF-8"),
        (b'"\\ud800"', "not JSON"),
        (b'{"\\uDC00":1}', "not JSON"),
        (b'["\\ud83d\\u0041"]', "not JSON"),
        (b"{} {}", "not JSON"),
        (b"{}x", "not JSON"),
        (b"", "not JSON"),
        (b" ", "not JSON"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b"[1,]", "not JSON"),
        (b"01", "not JSON"),
        (b"+1", "not JSON"),
        (b".5", "not JSON"),
        (b"1.", "not JSON"),
        (b"0x10", "not JSON"),
        (b"\xd9\xa1", "not JSON"),
        (b'"\n"', "not JSON"),
        (b'"\\x41"', "not JSON"),
        (b"// c\n1", "not JSON"),
        (b"\xc2\xa01", "not JSON"),
        (b"true false", "not JSON"),
        (b"True", "not JSON"),
        (b"\xd9\xd9\xf7\xa0", "not UTF-8"),
    ],
)
def test_ambiguous_or_broken_text_is_unreadable(body: bytes, reason: str) -> None:
    """Each of these is read differently, or not at all, by some decoder."""
    with pytest.raises(Unreadable, match=reason):
        read_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b' {"a" : [1, 2.5, -0, 1e2]}\r\n\t', {"a": [1, 2.5, 0, 100.0]}),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"\\u0000"', "\0"),
        (b'{"a":{"A":1},"b":{"a":1}}', {"a": {"A": 1}, "b": {"a": 1}}),
    ],
)
def test_plain_text_is_read(body: bytes, value: object) -> None:
    """Strict is not narrow."""
    assert read_json(body) == value


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0, 10**18, -(10**18)])
def test_integers_of_64_bits_stay_integers(number: int) -> None:
    """Up to both ends."""
    value = read_json(str(number).encode())
    assert value == number
    assert isinstance(value, int)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**30])
def test_larger_integers_become_doubles(number: int) -> None:
    """As the API server and CEL have them."""
    value = read_json(str(number).encode())
    assert isinstance(value, float)
    assert math.isclose(value, number)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_bounded(opening: bytes, closing: bytes) -> None:
    """64 levels are read, 65 are not, and 100,000 hurt nobody."""
    assert read_json(opening * MAX_DEPTH + b"1" + closing * MAX_DEPTH) is not None
    for depth in (MAX_DEPTH + 1, 100_000):
        with pytest.raises(Unreadable, match="nested deeper"):
            read_json(opening * depth + b"1" + closing * depth)


@pytest.mark.parametrize(
    ("body", "shallow"),
    [
        (b'["' + b"[" * 1000 + b'"]', True),
        (b'["' + b"]" * 1000 + b'",' + b"[" * 70 + b"]" * 71, False),
        (b'["\\"' + b"[" * 1000 + b'"]', True),
        (b'["\\\\",' + b"[" * 70 + b"]" * 71, False),
        (b"[]," * 1000, True),
        (b"[" + b"[]," * 1000 + b"[]]", True),
        (b"[" * 70, False),
        (b"]" * 70 + b"[" * 70, False),
        (b'"' + b'\\"' * 1000 + b"[" * 70, True),
    ],
)
def test_brackets_in_strings_do_not_count(body: bytes, shallow: bool) -> None:
    """The guard looks at the bytes only, and neither quotes nor escapes mislead it."""
    assert is_shallow(body) is shallow


@given(st.text(alphabet='[]{}"\\a', max_size=200).map(str.encode))
def test_guard_never_underestimates(body: bytes) -> None:
    """What the guard passes, the parser can walk within the bound."""
    if is_shallow(body, 3):
        try:
            value = json.loads(body)
        except ValueError:
            return
        assert _depth(value) <= max(3, body.count(b"[") + body.count(b"{"))


def _depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if items is None else 1 + max(map(_depth, items), default=0)


def test_size_is_bounded() -> None:
    """Neither a large text nor a mass of brackets holds up other calls."""
    with pytest.raises(Unreadable, match="larger than"):
        read_json(b" " * (MAX_BYTES + 1))
    assert is_shallow(b"[" + b"[]," * (MAX_BRACKETS // 2 - 2) + b"[]]")
    assert not is_shallow(b"[" + b"[]," * (MAX_BRACKETS // 2) + b"[]]")


def test_reason_quotes_nothing() -> None:
    """A reason goes to the audit trail and holds nothing of the body."""
    with pytest.raises(Unreadable) as error:
        read_json(b'{"planted-value": 1, "planted-value": planted-value}')
    assert "planted" not in str(error.value)
