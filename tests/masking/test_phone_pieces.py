"""A candidate is cut where libphonenumber cuts it, and no piece that could be a number is missing."""

from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers.phonenumbermatcher import _INNER_MATCHES
from phonenumbers.phonenumberutil import _UNWANTED_END_CHAR_PATTERN

from masking.phone_numbers import FEWEST_DIGITS, MOST_DIGITS
from masking.phone_pieces import Inside

CANDIDATE = st.lists(
    st.sampled_from(
        ["1", "23", "4567", "8" * 20, " ", "-", " - ", "- ", " -", "/", "//", ".", "..", "(", ")", "\u2013", "\uff14"]
    ),
    min_size=1,
    max_size=24,
).map(lambda pieces: "1" + "".join(pieces) + "2")


def digits(text: str) -> int:
    """How many there are."""
    return sum(map(str.isdigit, text))


def cut(text: str) -> list[tuple[int, int]]:
    """The pieces that are looked at."""
    return [piece for piece, _ in Inside(text, lambda _: 1).numbers(0, len(text))]


def stock(text: str) -> list[tuple[int, int]]:
    """The inner matches of the original, with what it trims off."""

    def trimmed(start: int, end: int) -> tuple[int, int]:
        signs = _UNWANTED_END_CHAR_PATTERN.search(text[start:end])
        return start, start + signs.start() if signs else end

    found = []
    for pattern in _INNER_MATCHES:
        match = pattern.search(text)
        if match:
            found.append(trimmed(0, match.start()))
        while match:
            found.append(trimmed(*match.span(1)))
            match = pattern.search(text, match.start() + 1)
    return found


@settings(max_examples=400, deadline=None)
@given(CANDIDATE)
@example("1- -2")
@example("1 - - 2//3")
def test_the_same_pieces_in_the_same_order(text: str) -> None:
    """But for repetitions, and those with fewer or more digits than any number has."""

    def telling(pieces: list[tuple[int, int]]) -> list[tuple[int, int]]:
        counted = (piece for piece in pieces if FEWEST_DIGITS <= digits(text[slice(*piece)]) <= MOST_DIGITS)
        return list(dict.fromkeys(counted))

    assert telling(cut(text)) == telling(stock(text))


@settings(max_examples=400, deadline=None)
@given(CANDIDATE, st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=12))
def test_what_was_cut_before_changes_nothing(text: str, places: list[tuple[int, int]]) -> None:
    """Candidates in the order in which they begin have the pieces that each of them has by itself."""
    inside = Inside(text, lambda _: 1)
    for start, length in sorted(places):
        end = min(len(text), start + length)
        if start < end:
            assert [*inside.numbers(start, end)] == [*Inside(text, lambda _: 1).numbers(start, end)]
