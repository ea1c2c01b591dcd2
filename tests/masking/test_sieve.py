"""Which screens match, told at once, is never fewer than those that match one by one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.screening.superset import superset
from masking.secret_patterns import SECRET_PATTERNS
from masking.sieve import sieve

SCREENS = [secret.screen for secret in SECRET_PATTERNS]
pytest.importorskip("hyperscan")


@given(st.lists(st.sampled_from(SCREENS).flatmap(st.from_regex) | st.text(max_size=5), max_size=4))
def test_every_screen_that_matches_is_named(pieces: list[str]) -> None:
    """In texts of whatever characters; ascending, so that the order of detectors stays."""
    which = sieve([superset(screen) for screen in SCREENS])
    assert which is not None
    text = " ".join(pieces)
    found = which(text)
    assert list(found) == sorted(found)
    if text.isascii():
        assert {number for number, screen in enumerate(SCREENS) if re.search(screen, text)} <= set(found)


def test_what_cannot_be_told_always_matches() -> None:
    """An expression that is missing is always named, also where all are missing."""
    mixed, empty = sieve(["abc", None, "x[0-9]"]), sieve([None, None])
    assert mixed is not None
    assert empty is not None
    assert list(mixed("nothing")) == [1]
    assert list(mixed("abc x1")) == [0, 1, 2]
    assert list(empty("x")) == [0, 1]


def test_characters_beyond_latin_count_as_one() -> None:
    """Each is one byte with its highest bit set, so that bounded repeats still fit."""
    which = sieve([superset("a[^b]{3}c")])
    assert which is not None
    assert list(which("a\u4e2d\ud83d\u00e9c")) == [0]
    assert not which("a\u4e2dc")
