"""JSON texts: values are hidden for their place or their looks, and stay values."""

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.edits import apply, merge
from masking.errors import Unmaskable
from masking.formats.json_document import JsonMasker, as_inside
from masking.plan import Plan

type MakePlan = Callable[..., Plan]


def masked(plan: Plan, text: str) -> str:
    return apply(text, merge(JsonMasker(plan).edits(text)))


def test_a_deep_key_rule_holds_for_everything_inside(make_plan: MakePlan) -> None:
    """Strings and numbers; booleans and null say nothing."""
    plan = make_plan(spec={"keys": [{"match": "^creds$"}]})
    text = '{"creds": {"user": "u", "n": [12, "x"], "on": true, "no": null}, "user": "u"}'
    want = '{"creds": {"user": "<SECRET>", "n": [10, "<SECRET>"], "on": true, "no": null}, "user": "u"}'
    assert masked(plan, text) == want


def test_a_shallow_key_rule_holds_for_its_own_value(make_plan: MakePlan) -> None:
    """And for the elements of an array under it."""
    plan = make_plan(spec={"keys": [{"match": "^secret$", "deep": False}]})
    text = '{"secret": {"secretName": "x"}, "x": {"secret": ["a", ["b"]]}}'
    assert masked(plan, text) == '{"secret": {"secretName": "x"}, "x": {"secret": ["<SECRET>", ["<SECRET>"]]}}'


def test_redacted_numbers_are_null(make_plan: MakePlan) -> None:
    """A number cannot be empty."""
    plan = make_plan(spec={"keys": [{"match": "pin", "operator": "redact"}]})
    assert masked(plan, '{"pin": 1234, "pins": "1"}') == '{"pin": null, "pins": ""}'


def test_the_strictest_of_several_places_counts(make_plan: MakePlan) -> None:
    """A path and a key may name the same value."""
    spec = {"keys": [{"match": "a", "operator": "pseudonym"}], "paths": [{"path": "$.a", "operator": "redact"}]}
    assert masked(make_plan(spec=spec), '{"a": "x"}') == '{"a": ""}'


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_json_in_strings_is_looked_into(make_plan: MakePlan, depth: int) -> None:
    """As deep as people nest it, and it stays JSON at every level."""
    value: Any = {"password": "hunter2", "n": 1}
    for _ in range(depth):
        value = {"inner": json.dumps(value)}
    result = json.loads(masked(make_plan("secrets"), json.dumps(value)))
    for _ in range(depth):
        result = json.loads(result["inner"])
    assert result == {"password": "<SECRET>", "n": 1}


@pytest.mark.parametrize(
    ("inner", "want"),
    [
        ('{"ssn":"078051124","a":1}', '{"ssn":"<US_SSN>","a":1}'),
        (r'{"note":"bob\u0040example.com"}', '{"note":"<EMAIL_ADDRESS>"}'),
        ("A=1\nDB_PASSWORD=hunter2zzz\n", "A=1\nDB_PASSWORD=<SECRET>\n"),
    ],
)
def test_packed_texts_are_judged_as_other_texts_are(make_plan: MakePlan, inner: str, want: str) -> None:
    """By the names in them, and with their escapes undone; also glued to a value, and packed twice."""
    plan = make_plan("pii", "secrets")
    once, wanted = (base64.b64encode(each.encode()).decode() for each in (inner, want))
    twice, wanted_twice = (base64.b64encode(each.encode()).decode() for each in (once, wanted))
    text = json.dumps({"a": once, "b": f"078-05-1123{once}", "c": twice})
    found = masked(plan, text)
    assert json.loads(found) == {"a": wanted, "b": f"<US_SSN>{wanted}", "c": wanted_twice}
    assert masked(plan, found) == found


def test_base64_that_would_be_a_secret_once_masked_is_a_token(make_plan: MakePlan) -> None:
    """What the names in it hide makes it random enough to be a password itself."""
    plan = make_plan("pii", "secrets")
    run = base64.b64encode(b'{"ssn":"536904399"}').decode()
    once = masked(plan, json.dumps({"a": f"\u00e9password={run}"}))
    assert run not in once
    assert masked(plan, once) == once


def test_a_name_that_holds_a_value_is_refused(make_plan: MakePlan) -> None:
    """A name cannot be replaced without changing the document's shape."""
    with pytest.raises(Unmaskable, match="name"):
        masked(make_plan("pii"), '{"by_mail": {"bob@example.com": 1}}')


def test_replacements_are_escaped(make_plan: MakePlan) -> None:
    """What ``mask`` keeps of a value is still the inside of a string, lone surrogates too."""
    plan = make_plan(spec={"keys": [{"match": "k", "operator": "mask", "keepLast": 4}]})
    assert json.loads(masked(plan, r'{"k": "abcdef\"\\\n\ud800"}')) == {"k": '******"\\*\ud800'}


def test_replaced_base64_is_base64(make_plan: MakePlan) -> None:
    """Typed clients decode it."""
    plan = make_plan(spec={"kinds": [{"kind": "Secret", "fields": ["data"], "encoded": ["data"], "operator": "mask"}]})
    once = masked(plan, '{"kind": "Secret", "data": {"a": "aHVudGVyMg==", "b": "not base64"}}')
    assert json.loads(once)["data"] == {"a": "KioqKioqKg==", "b": "KioqKioqKioqKg=="}
    assert masked(plan, once) == once


@given(st.text(st.characters()) | st.text('"\\\n\x00\x1f\x7f\ud800\u2028a'))
def test_a_replacement_reads_as_what_it_is(value: str) -> None:
    """As the inside of a string; in UTF-8, whatever it is, and as it stands where nothing has to be escaped."""
    inside = as_inside(value)
    assert json.loads(f'"{inside}"'.encode()) == value
    assert inside == value or json.dumps(value, ensure_ascii=False)[1:-1] != value or not value.isprintable()
