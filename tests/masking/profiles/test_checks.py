"""A pattern, path or name that cannot be used is refused when it is read, with what to do about it."""

import pytest

from masking.profiles.checks import checked_path, checked_pattern, checked_place, meant


@pytest.mark.parametrize("pattern", [r"\bE-[0-9]{6}\b", "(?i)passwo?r?d|secret", "a*", r"(?:[a-z]+\.)+[a-z]{2,}", ""])
def test_ordinary_patterns_are_taken(pattern: str) -> None:
    """Also those that take a while on texts that are made for it."""
    assert checked_pattern(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(", "not a regular expression: .*position"),
        ("[z-a]", "not a regular expression"),
        ("(a+)+$", "takes too long"),
        ("(a|aa)+$", "takes too long"),
        ("(0|00)+$", "takes too long"),
        ("(x+x+)+y", "takes too long"),
        ("a" * 20_000, "use denyList"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_said(pattern: str, message: str) -> None:
    """It cannot be read, or it would take for ever."""
    with pytest.raises(ValueError, match=message):
        checked_pattern(pattern)


@pytest.mark.parametrize("path", ["$..to", "$.*", "$.a..b", "$.a.*"])
def test_a_place_for_values_is_named(path: str) -> None:
    """Any place is none."""
    assert checked_path(path) == path
    with pytest.raises(ValueError, match="a place that is named"):
        checked_place(path)


@pytest.mark.parametrize("path", ["$.to", "$.to[*]", "$.a[0].b-c", "$['a..b']", '$["x.*"]'])
def test_named_places(path: str) -> None:
    """Dots inside quotes are part of a name."""
    assert checked_place(path) == path


def test_what_was_probably_meant() -> None:
    """Only where something is close."""
    assert meant("EMAIL_ADRESS", ["EMAIL_ADDRESS", "US_SSN"]) == "; did you mean EMAIL_ADDRESS?"
    assert meant("XYZ", ["EMAIL_ADDRESS"]) == ""
