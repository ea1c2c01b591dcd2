"""Patterns that look ahead find the same when what they look for is found once."""

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from masking import ahead

FLAGS = regex.DOTALL | regex.MULTILINE | regex.IGNORECASE
PIECE = st.sampled_from(
    [
        "a", "AB", "1", "12", "1234", "-", "@", " ", "\n", "_", "ABCDE", "12345", "ABC12", "\u00e9", "\u212a",
        "\u0664" * 4, "~", "abcdefghij", "A1B2C3", ".",
    ]
)  # fmt: skip


@pytest.mark.parametrize("pattern", sorted(ahead._FORMS))
@settings(max_examples=300, deadline=None)
@given(text=st.lists(PIECE, max_size=16).map("".join))
def test_equal_to_the_pattern(pattern: str, text: str) -> None:
    """The same spans as with every look ahead."""
    form = ahead.taken_apart(pattern, FLAGS)
    assert form is not None
    assert list(form.spans(text, 10)) == [match.span() for match in regex.finditer(pattern, text, flags=FLAGS)]


def test_other_patterns_are_left_alone() -> None:
    """Most need no help."""
    assert ahead.taken_apart(r"\b[0-9]{8}\b", FLAGS) is None
