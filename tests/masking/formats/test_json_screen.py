"""The first look never says that nothing is there where there is something."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from masking.errors import Unmaskable
from masking.formats.json_screen import NotJson, members, needs_scan, parse
from masking.plan import Plan


def asks(plan: Plan, value: Any) -> bool:
    parsed = parse(json.dumps(value))
    return needs_scan(parsed, *members(parsed), plan)


@pytest.mark.parametrize("text", ["", "{", "NaN", "[Infinity]", "-Infinity", '{"a":1,}', "'a'", '"\t"', "1" * 5000])
def test_what_is_no_json_is_refused(text: str) -> None:
    """Also what Python's parser would accept, and integers longer than it converts."""
    with pytest.raises(NotJson):
        parse(text)


def test_deep_json_is_not_mistaken_for_none() -> None:
    """It is JSON, and it is refused."""
    with pytest.raises(Unmaskable) as refusal:
        parse("[" * 500_000)
    assert not isinstance(refusal.value, NotJson)


def test_members_are_distinct_and_complete() -> None:
    """Duplicate names are kept, elements carry the name of their array."""
    found, names = members(parse('{"a": [1, {"b": "x"}, ["y"]], "a": "z", "n": null}'))
    assert found == {("a", 1), ("b", "x"), ("a", "y"), ("a", "z"), ("n", None)}
    assert names == {"a", "b", "n"}


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "Secret"},
        {"a": [{"kind": "SecretList"}]},
        {"password": "x"},
        {"token": 5},
        {"env": [{"name": "DB_PASSWORD", "value": ""}]},
        {"card": 4111111111111111},
        {"card": 4111111111111111.0},
        {"bob@example.com": 1},
    ],
)
def test_these_ask_for_a_closer_look(make_plan: Callable[..., Plan], value: Any) -> None:
    """Kinds, names, pairs, numbers and names that hold values themselves."""
    assert asks(make_plan("kubernetes", "pii", "pci"), value)


@pytest.mark.parametrize(
    "value",
    [
        {"kind": "Pod"},
        {"password": ""},
        {"token": None},
        {"key": "password"},
        {"name": "DB_PASSWORD", "valueFrom": {}},
        [1, 2.5],
        "x",
    ],
)
def test_these_do_not(make_plan: Callable[..., Plan], value: Any) -> None:
    """Nothing to hide is seen without a scan."""
    assert not asks(make_plan("kubernetes", "pii", "pci"), value)


def test_paths_and_deep_keys_always_do(make_plan: Callable[..., Plan]) -> None:
    """Only a scan knows what stands where."""
    assert asks(make_plan(spec={"paths": [{"path": "$.x"}]}), {})
    assert asks(make_plan(spec={"keys": [{"match": "a"}]}), {"a": {}})
