"""Paths lead to values and everything in them."""

import pytest

from masking.profiles.paths import PathRules, Places, Step
from masking.profiles.spec import PathSpec


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$.items[*].name", ["items", 3, "name"]),
        ("$.items[*].name", ["items", 0, "name", "first", 1]),
        ("$.items[1]", ["items", 1]),
        ("$..name", ["name"]),
        ("$..name", ["a", 0, "b", "name"]),
        ("$.*.name", ["x", "name"]),
        ("$..*", ["x"]),
        ("$[\"a/b\"]['c.d']", ["a/b", "c.d"]),
        ("$.a-b.$c", ["a-b", "$c"]),
        ("$.a", ["a", "line\nfeed"]),
    ],
)
def test_paths_that_lead_there(path: str, steps: list[Step]) -> None:
    """A rule holds at its path and below."""
    assert PathRules([PathSpec(path=path)]).find(steps)


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("$.items[*].name", ["items", "name"]),
        ("$.items[*].name", ["items", 0, "names"]),
        ("$.items[1]", ["items", 10]),
        ("$.name", ["a", "name"]),
        ("$.a.b", ["a/b"]),
        ("$.a", []),
    ],
)
def test_paths_that_do_not(path: str, steps: list[Step]) -> None:
    """Names are compared whole, and a slash in a name is no step."""
    assert PathRules([PathSpec(path=path)]).find(steps) is None


def test_the_strictest_rule_counts() -> None:
    """Where several lead to a value."""
    rules = PathRules([PathSpec(path="$.a", operator="pseudonym"), PathSpec(path="$..a", operator="redact")])
    found = rules.find(["a"])
    assert found is not None
    assert found.operator == "redact"
    assert not PathRules([])


def test_a_place_is_the_value_and_nothing_inside_it() -> None:
    """Unlike a rule, which holds below as well."""
    places = Places(["$.to", "$.copies[*]"])
    assert places
    assert places.holds(["to"])
    assert places.holds(["copies", 3])
    assert not places.holds(["to", 0])
    assert not places.holds(["copies"])
    assert not places.holds(["a", "to"])
    assert not places.holds([])
    assert not Places(())
