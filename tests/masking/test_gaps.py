"""What is left between spans is exactly what none of them covers."""

from hypothesis import given
from hypothesis import strategies as st

from masking.gaps import Span, between

LENGTH = 30


@st.composite
def spans(draw: st.DrawFn) -> list[Span]:
    """Spans of some text, in order of their start, that may overlap."""
    places = st.integers(0, LENGTH)
    pairs = draw(st.lists(st.tuples(places, places), max_size=6))
    return sorted((min(pair), max(pair)) for pair in pairs)


@given(spans())
def test_every_place_is_covered_or_left_over(taken: list[Span]) -> None:
    """Together they are the whole, and share nothing."""
    left = between(taken, (0, LENGTH))
    covered = {place for start, end in taken for place in range(start, end)}
    assert [place for start, end in left for place in range(start, end)] == sorted({*range(LENGTH)} - covered)


@given(spans())
def test_nothing_empty_is_left(taken: list[Span]) -> None:
    """No piece is empty, and two that touch are cut only where an empty span stands."""
    left = between(taken, (0, LENGTH))
    assert all(start < end for start, end in left)


def test_without_spans_the_whole_is_left() -> None:
    """A whole that begins anywhere; an empty one leaves nothing."""
    assert between([], (3, 9)) == [(3, 9)]
    assert between([], (3, 3)) == []
    assert between([(3, 9)], (3, 9)) == []
    assert between([(4, 7), (5, 6)], (3, 9)) == [(3, 4), (7, 9)]
