"""What the structure in a text hides: objects of JSON anywhere in it, manifests, named values."""

import json
from collections.abc import Callable

import pytest

from masking.edits import apply, merge
from masking.errors import Unmaskable
from masking.formats.json_document import JsonMasker
from masking.plan import Plan

type MakePlan = Callable[..., Plan]


def masked(plan: Plan, text: str) -> str:
    return apply(text, merge(JsonMasker(plan).edits_within(text)))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ('denied: {"password": "x1y2"} by webhook', 'denied: {"password": "<SECRET>"} by webhook'),
        ('a {"token": "ab1"} b [{"token": "ab2"}] c', 'a {"token": "<SECRET>"} b [{"token": "<SECRET>"}] c'),
        ('{torn {"password":\n "x1y2"\n}', '{torn {"password":\n "<SECRET>"\n}'),
        ("failed\npassword: x1y2\nuser: bob", "failed\npassword: <SECRET>\nuser: bob"),
        ('{"a": 1} {"b": [1, 2', '{"a": 1} {"b": [1, 2'),
    ],
)
def test_objects_and_assignments_in_a_text(make_plan: MakePlan, text: str, wanted: str) -> None:
    """Wherever they begin and whatever follows."""
    assert masked(make_plan("secrets"), text) == wanted


def test_strings_of_json_are_texts(make_plan: MakePlan) -> None:
    """An object quoted in a message in an object quoted in a message."""
    plan = make_plan("secrets")
    inner = json.dumps({"message": "denied: " + json.dumps({"password": "x1y2"}) + " by webhook"})
    text = json.dumps({"message": "failed: " + inner})
    found = apply(text, merge(JsonMasker(plan).edits(text)))
    assert json.loads(found)["message"] == "failed: " + inner.replace("x1y2", "<SECRET>")


def test_a_command_keeps_what_follows_its_variables(make_plan: MakePlan) -> None:
    """Of a string that may be a command only the variable is hidden."""
    text = json.dumps(["sh", "-c", "PGPASSWORD=x1y2z3 psql"])
    assert apply(text, merge(JsonMasker(make_plan("secrets")).edits(text))) == text.replace("x1y2z3", "<SECRET>")


def test_a_text_of_torn_json_is_refused(make_plan: MakePlan) -> None:
    """Each begin is read as far as it goes; a text in which all of them go far would take quadratic time."""
    plan = make_plan("secrets")
    with pytest.raises(Unmaskable, match="torn JSON"):
        masked(plan, "password: " + '["a",' * 200 + "1," * 5000 + "x")
    with pytest.raises(Unmaskable, match="nested too deeply"):
        masked(plan, "password: " + '{"a":' * 200_000)


def test_lines_that_are_almost_json_take_linear_time(make_plan: MakePlan) -> None:
    """What is wrong with one of them costs nothing for those before it; the test's own timeout is the bound."""
    line = '{"password": "x1y2", "a": 1,}\n'
    assert "x1y2" not in masked(make_plan("secrets"), line * 50_000)


@pytest.mark.parametrize("size", range(4080, 4100))
@pytest.mark.parametrize("tail", [r'"\ud83d\ude00"', "-1.5e10", "false", '{"b": [1]}', '"" ', '{"b" : 5}'])
def test_json_longer_than_what_is_read_first(make_plan: MakePlan, size: int, tail: str) -> None:
    """Wherever that ends; in an array under a name nothing but JSON tells that its strings are hidden."""
    plan = make_plan("secrets")
    text = json.dumps({"password": ["x1y2"], "a": "b" * (size - 40)})[:-1] + f', "c": {tail}}}'
    assert "x1y2" in text
    assert "x1y2" not in masked(plan, "denied: " + text + " by")
