"""Expressions are told of under their numbers; a scan ends where it is asked to; what cannot be compiled is said."""

import pytest

from masking.databases import Database, UnscannableError


def test_matches_are_told_of_under_their_numbers() -> None:
    """Every one, or each expression once."""
    for once, expected in ((False, [(3, 2), (7, 3), (3, 5)]), (True, [(3, 2), (7, 3)])):
        told: list[tuple[int, int]] = []
        database = Database({3: "ab", 7: "c"}, once=once)
        assert database.scan(b"abcab", lambda number, _start, end, *_, told=told: told.append((number, end)))
        assert told == expected


def test_what_is_true_ends_the_scan() -> None:
    """And the next one begins anew."""
    database = Database({0: "a"}, once=False)
    told: list[int] = []

    def handler(_number: int, _start: int, end: int, _flags: int, _context: object) -> bool:
        told.append(end)
        return True

    assert not database.scan(b"aaa", handler)
    assert not database.scan(b"_aa", handler)
    assert database.scan(b"___", handler)
    assert told == [1, 2]


def test_what_cannot_be_compiled_is_said() -> None:
    """By an error of our own."""
    with pytest.raises(UnscannableError):
        Database({0: "("}, once=False)
