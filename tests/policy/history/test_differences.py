"""Law: what masking changed is found, by place and never by content; where shapes differ, all of it counts."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policy.history.differences import MOST, WHOLE, differences, overlaps

SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=3)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def _at(value: Any, place: tuple[str, ...]) -> Any:
    for key in place:
        value = value[int(key)] if isinstance(value, list) else value[key]
    return value


def _masked(value: Any) -> Any:
    """Every text replaced."""
    if isinstance(value, dict):
        return {key: _masked(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_masked(held) for held in value]
    return "***" if isinstance(value, str) else value


@given(VALUES)
def test_nothing_changed_is_nothing(value: Any) -> None:
    """A value differs nowhere from itself."""
    assert differences(value, value) == ()


@given(VALUES)
def test_every_masked_text_is_found(value: Any) -> None:
    """Exactly the places where a text became another one."""
    found = differences(value, _masked(value))
    assert all(_at(value, place) != _at(_masked(value), place) for place in found)
    assert (found == ()) is (value == _masked(value))


@given(VALUES, VALUES)
def test_places_tell_all(one: Any, other: Any) -> None:
    """Where values differ there is at least one place; nothing that differs is left out."""
    assert bool(differences(one, other)) is (repr(one) != repr(other)) or differences(one, other) == ()


def test_other_shapes_are_whole() -> None:
    """Another key, another length, an object in place of a text, too many places: the whole value."""
    assert differences({"a": 1}, {"b": 1}) == WHOLE
    assert differences([1], [1, 2]) == WHOLE
    assert differences({"a": {"b": 1}}, {"a": "***"}) == WHOLE
    assert differences([str(n) for n in range(MOST + 1)], ["*"] * (MOST + 1)) == WHOLE


def test_true_is_not_one() -> None:
    """Types count: ``true`` is no 1."""
    assert differences({"a": True}, {"a": 1}) == (("a",),)


def test_overlaps() -> None:
    """A change lies at, in or around a place."""
    assert overlaps((("a", "b"),), ("a",))
    assert overlaps((("a",),), ("a", "b"))
    assert overlaps(((),), ("a",))
    assert not overlaps((("a", "b"),), ("a", "c"))
    assert not overlaps((), ())
