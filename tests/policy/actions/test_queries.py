"""Queries: strict for any upstream, exact for the Kubernetes API server."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.queries import MAX_LENGTH, MAX_PAIRS, check_query, read_parameters, read_query
from policy.errors import Refusal
from policy.model import UNKNOWN

RAW = st.text(alphabet="ab=&;%+2f0G é\x00")


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("", {}),
        ("a=1", {"a": ("1",)}),
        ("a=1&b=2&a=3", {"a": ("1", "3"), "b": ("2",)}),
        ("a", {"a": ("",)}),
        ("a=", {"a": ("",)}),
        ("=a", {"": ("a",)}),
        ("&&a=1&", {"a": ("1",)}),
        ("a=b=c", {"a": ("b=c",)}),
        ("a+b=c+d", {"a b": ("c d",)}),
        ("a%20b=%2B", {"a b": ("+",)}),
        ("%61=1&a=2", {"a": ("1", "2")}),
        ("a=%3B", {"a": (";",)}),
        ("a=%C3%A9", {"a": ("é",)}),
        ("a=1;b=2", UNKNOWN),
        ("a=%zz", UNKNOWN),
        ("a=%", UNKNOWN),
        ("a=%FF", UNKNOWN),
        ("%ED%A0%80=1", UNKNOWN),
        ("&" * MAX_PAIRS, UNKNOWN),
    ],
)
def test_query(raw: str, value: object) -> None:
    """Duplicate names are lists; whatever two servers could read differently is unknown."""
    assert read_query(raw) == value


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("a=1;b=2", {}),
        ("a=1;x&b=2", {"b": ("2",)}),
        ("a=%zz&b=2", {"b": ("2",)}),
        ("%zz=1&b=2", {"b": ("2",)}),
        ("b=2&c=%3B", {"b": ("2",), "c": (";",)}),
        ("dryRun=All&dryRun=", {"dryRun": ("All", "")}),
    ],
)
def test_parameters(raw: str, value: object) -> None:
    """A pair that Go drops is not there, and the others are."""
    assert read_parameters(raw) == value


@pytest.mark.parametrize("raw", ["a=%FF", "&" * MAX_PAIRS])
def test_parameters_that_cannot_be_read_exactly_are_refused(raw: str) -> None:
    """What cannot be followed exactly is not forwarded to an API server."""
    with pytest.raises(Refusal):
        read_parameters(raw)


@pytest.mark.parametrize("raw", [" ", "a b", "a\n", "\0", "é", "a#b", "\x7f", "\udc80"])
def test_characters_that_cannot_be_sent(raw: str) -> None:
    """A query holds visible ASCII without ``#``."""
    with pytest.raises(Refusal):
        check_query(raw)


def test_length_is_bounded() -> None:
    """The script of an exec fits, a body does not."""
    check_query("a" * MAX_LENGTH)
    with pytest.raises(Refusal, match="too long"):
        check_query("a" * (MAX_LENGTH + 1))


def test_every_visible_character_may_stand_in_a_query() -> None:
    """Clients send brackets, pipes and quotes raw."""
    check_query("".join(map(chr, range(0x21, 0x7F))).replace("#", ""))


@given(st.lists(st.tuples(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))))
def test_agrees_with_the_standard_library(pairs: list[tuple[str, str]]) -> None:
    """What a client encodes is read as the standard library reads it, by both readers."""
    raw = urlencode(pairs)
    strict = read_query(raw)
    assert strict is not UNKNOWN
    assert strict == read_parameters(raw)
    flat = parse_qsl(raw, keep_blank_values=True)
    assert strict == {name: tuple(value for key, value in flat if key == name) for name, _ in flat}


@given(RAW)
def test_never_raises_but_a_refusal(raw: str) -> None:
    """Any text is read, unknown or refused; where the strict reader knows it, the exact one agrees."""
    strict = read_query(raw)
    try:
        exact = read_parameters(raw)
    except Refusal:
        return
    assert strict is UNKNOWN or strict == exact
