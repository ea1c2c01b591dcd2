"""What a scanner is given matches wherever the pattern itself does."""

import re

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from masking.profiles import resolve
from masking.screening.superset import spelled, superset

PATTERNS = [
    r"(?i)(pass|token)$", r"^(cvv2?|cvc)$", r"a++b", r"(?>x|xy)z", r"\bq\b", r"(?<!n)t", r"[^a-c]d", r"(?i:K)e", r"\d{2,}\s?\w", r"x.y", r"é|a",
    r"[a-z\d_]{3}(?=!)", r"(?i)[^a-c]d", r"\Az\Z", r"a(?i:b)c",
    r"x\"y", r"x[\"'=]{2}y", r"k[^:]y", r"(?s:x.{2}y)",
    *(key.match for profile in resolve({}).values() for key in profile.keys),
]  # fmt: skip
TEXTS = st.text("abcdkKextyzqn12 !_\nBéTpassoken-\"", max_size=12) | st.lists(
    st.sampled_from(["pass", "TOKEN", "cvv2", "ssn", "api_key", "next", "secret", " ", "value", "x"]), max_size=3
).map("".join)  # fmt: skip


@given(st.sampled_from(PATTERNS), TEXTS)
def test_nothing_is_lost(pattern: str, text: str) -> None:
    """In the string token of every ASCII text in which it matches, and with loose borders in the text alone."""
    if text.isascii() and regex.search(pattern, text):
        token, loose = superset(pattern, strict=True), superset(pattern, strict=True, bordered=False)
        assert token is not None
        assert loose is not None
        assert re.search(token.encode("latin-1"), b'{"x":"' + text.encode() + b'"}')
        assert re.search(token.encode("latin-1"), text.encode())
        assert re.search(loose.encode("latin-1"), b"x" + text.encode() + b"x")
        escaped = text.replace('"', '\\"').encode()
        assert re.search(token.encode("latin-1"), b'{"x":"' + escaped + b'"}')
        assert re.search(loose.encode("latin-1"), b"x" + escaped + b"x")


@pytest.mark.parametrize("pattern", [r"(a)\1", r"(?m)^a$", r"(a)?(?(1)b|c)", r"x*", r"(", r"\bx?\b", r"$"])
def test_what_cannot_be_widened_gives_nothing(pattern: str) -> None:
    """References, lines, conditions, what matches nothing at all, and what is no expression."""
    assert superset(pattern) is None


@pytest.mark.parametrize(
    "pattern", [r"[[:alpha:]]x", r"[[a-z]--[b]]x", r"(?:abc){e<=1}", r"\p{Lu}x", r"a\Kb", r"(?|a|b)c"]
)
def test_what_only_the_other_grammar_has_gives_nothing(pattern: str) -> None:
    """It would be read as something else."""
    assert superset(pattern, strict=True) is None


def test_classes_are_spelled_in_ranges() -> None:
    """As short as they are readable."""
    assert spelled(b"cab-") == r"[\x2da-c]"
    assert spelled(b"a") == "a"
