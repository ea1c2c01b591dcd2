"""Forms: values are read as decoded, and what replaces them is encoded."""

from collections.abc import Callable
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.edits import apply, merge
from masking.errors import Unmaskable
from masking.formats.form import form_edits
from masking.formats.json_document import JsonMasker
from masking.formats.text import TextMasker
from masking.plan import Plan


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("pii", "secrets")


def masked(plan: Plan, text: str) -> str:
    return apply(text, merge(form_edits(text, plan, TextMasker(plan, JsonMasker(plan)))))


def test_values_are_hidden_by_name_and_by_looks(plan: Plan) -> None:
    """A plus is a space, and an escape a character."""
    text = "a=1&mail=bob%40example.com&phone=212-555-5555&password=h%75nter2&n&note=call+212-555-5555+now"
    want = "a=1&mail=<EMAIL_ADDRESS>&phone=<PHONE_NUMBER>&password=<SECRET>&n&note=call <PHONE_NUMBER> now"
    assert dict(parse_qsl(masked(plan, text))) == dict(parse_qsl(want))
    assert masked(plan, masked(plan, text)) == masked(plan, text)


def test_a_name_that_holds_a_value_is_refused(plan: Plan) -> None:
    """As in JSON."""
    with pytest.raises(Unmaskable, match="name"):
        masked(plan, "a=1&bob%40example.com=1")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("ssn=1&ssn=2", "ssn=<US_SSN>&ssn=<US_SSN>"),
        ("user[password]=x&user%5Bssn%5D=y", "user[password]=<SECRET>&user[ssn]=<US_SSN>"),
        ("user.ssn=y&users[][ssn]=z", "user.ssn=<US_SSN>&users[][ssn]=<US_SSN>"),
        ("d=%7B%22ssn%22%3A%22x%22%7D", 'd={"ssn":"<US_SSN>"}'),
        ("password=&password", "password=&password="),
    ],
)
def test_names_are_paths_and_values_may_be_json(plan: Plan, text: str, want: str) -> None:
    """Each field counts, also one that comes twice; JSON in a value is looked into."""
    assert parse_qsl(masked(plan, text), keep_blank_values=True) == parse_qsl(want, keep_blank_values=True)
    assert masked(plan, masked(plan, text)) == masked(plan, text)


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x y", "a@example.com", "é", "&=+%"]), max_size=2))
def test_other_values_stay_as_they_are_written(plan: Plan, fields: dict[str, str]) -> None:
    """Only what is hidden is encoded anew."""
    text = urlencode(fields)
    assert masked(plan, text).replace("%3CEMAIL_ADDRESS%3E", "a%40example.com") == text
