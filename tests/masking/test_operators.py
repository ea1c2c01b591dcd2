"""What takes the place of a value hides it, says what it was, and is never masked again."""

import html
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.numbers import luhn
from masking.operators import OPERATORS, REVERSIBLE_TOKEN, Operators, Treatment, strictest, tokens

HAND = Operators(b"k" * 32)


def hidden(operator: str, value: str, *, entity: str = "CREDIT_CARD", keep_last: int = 0) -> str:
    return HAND.replacement(Treatment(operator=operator, keep_last=keep_last), entity, value)  # type: ignore[arg-type]


def test_the_shapes() -> None:
    """Each operator leaves what it says."""
    assert hidden("replace", "4111 1111 1111 1111") == "<CREDIT_CARD>"
    assert hidden("redact", "4111") == ""
    assert hidden("mask", "4111 1111 1111 1111", keep_last=4) == "***************1111"
    assert re.fullmatch(r"000\d-\d{4}-\d{4}-1111", hidden("format", "4111-1111-1111-1111"))
    assert hidden("format", "no digits") == "*********"
    assert re.fullmatch(r"<CREDIT_CARD:[0-9a-f]{6}>", hidden("pseudonym", "4111111111111111"))
    assert re.fullmatch(r"<CREDIT_CARD:[0-9a-f]{32}>", hidden("hash", "4111111111111111"))
    reversible = Treatment(operator="pseudonym", reversible=True)
    assert REVERSIBLE_TOKEN.fullmatch(HAND.replacement(reversible, "CREDIT_CARD", "4111111111111111"))


def test_pseudonyms_are_stable_under_a_key_and_differ_between_keys() -> None:
    """The same value, however it is written, gives the same token; another key another one."""
    assert hidden("pseudonym", "4111 1111 1111 1111") == hidden("pseudonym", "4111-1111-1111-1111")
    assert hidden("pseudonym", "Bob@Example.com", entity="EMAIL_ADDRESS") == hidden(
        "pseudonym", "bob@example.com", entity="EMAIL_ADDRESS"
    )
    other = Operators(b"x" * 32).replacement(Treatment(operator="pseudonym"), "E", "v")
    assert other != hidden("pseudonym", "v", entity="E")
    assert hidden("hash", "4111 1111") != hidden("hash", "41111111")


def test_the_key_is_not_shown() -> None:
    """A repr may end up in a log."""
    assert "kkk" not in repr(HAND)


@given(st.sampled_from(OPERATORS), st.text("0123456789- .ab\n", min_size=1, max_size=24), st.integers(0, 6))
def test_operators_that_leave_characters_give_the_same_again(operator: str, value: str, keep_last: int) -> None:
    """What ``mask`` and ``format`` left, they leave again."""
    once = hidden(operator, value, keep_last=keep_last)
    if operator in {"mask", "format"}:
        assert hidden(operator, once, keep_last=keep_last) == once


@given(st.text("0123456789", min_size=1, max_size=19))
def test_format_never_leaves_a_valid_card_number(digits: str) -> None:
    """The check digit is wrong on purpose."""
    assert not luhn(hidden("format", digits)) or not digits


@given(st.text(min_size=1, max_size=6), st.integers(0, 6))
def test_mask_never_keeps_everything(value: str, keep_last: int) -> None:
    """All before what is kept is stars; what is kept is at most half, and of a shorter value nothing is."""
    stars = len(value) - keep_last if 2 * keep_last <= len(value) else len(value)
    masked = hidden("mask", value, keep_last=keep_last)
    assert masked[:stars] == "*" * stars
    assert masked[stars:] == value[stars:].replace("\r", "*").replace("\n", "*")


class Memory:
    """Remembers what it is told to keep."""

    def __init__(self) -> None:
        self.kept: list[tuple[str, str, str]] = []

    def keep(self, token: str, entity: str, value: str) -> None:
        self.kept.append((token, entity, value))


def test_only_reversible_pseudonyms_are_kept() -> None:
    """With the value as it stood; each spelling of it has the same token."""
    memory = Memory()
    hand = Operators(b"k" * 32, memory)
    for operator in OPERATORS:
        hand.replacement(Treatment(operator=operator), "E", "v")  # type: ignore[arg-type]
    assert not memory.kept
    treatment = Treatment(operator="pseudonym", reversible=True)
    one, other = (hand.replacement(treatment, "EMAIL_ADDRESS", each) for each in ("Bob@Example.com", "bob@example.com"))
    assert one == other
    assert memory.kept == [(one, "EMAIL_ADDRESS", "Bob@Example.com"), (one, "EMAIL_ADDRESS", "bob@example.com")]


@given(st.text(max_size=8), st.sampled_from(["pseudonym", "hash"]), st.booleans())
def test_no_token_holds_what_a_detector_could_take_for_a_value(value: str, operator: str, reversible: bool) -> None:
    """Runs of digits are short, and there is none where a value can be put back."""
    treatment = Treatment(operator=operator, reversible=reversible)  # type: ignore[arg-type]
    token = HAND.replacement(treatment, "E", value)
    assert not re.search(r"\d{6}", token)
    assert tokens(["E"]).fullmatch(token)
    assert not (reversible and operator == "pseudonym") or not re.search(r"\d", token)


INTEGERS = st.integers(-(10**19), 10**19).map(str)


@given(st.sampled_from(OPERATORS), INTEGERS | st.sampled_from(["1.5", "4.1e15", "-0.0", "0"]), st.integers(0, 6))
def test_numbers_stay_numbers(operator: str, raw: str, keep_last: int) -> None:
    """Of as many digits, under each operator but the one that leaves nothing; and masking twice changes nothing."""
    treatment = Treatment(operator=operator, keep_last=keep_last)  # type: ignore[arg-type]
    once = HAND.number(treatment, raw)
    if operator == "redact":
        assert once == "null"
        return
    assert sum(map(str.isdigit, once)) == sum(map(str.isdigit, raw))
    assert isinstance(json.loads(once), int | float)
    assert HAND.number(treatment, once) == once


def test_a_profile_may_ask_for_null() -> None:
    """Then a number of digits tells nothing either."""
    assert HAND.number(Treatment(numbers="null"), "4111111111111111") == "null"


def test_stricter_treatments_win() -> None:
    """Redacting hides more than replacing, that more than keeping characters; fewer kept hide more."""
    mask4, mask2 = Treatment(operator="mask", keep_last=4), Treatment(operator="mask", keep_last=2)
    assert strictest(mask4, mask2) is mask2
    reversible, final = Treatment(operator="pseudonym", reversible=True), Treatment(operator="pseudonym")
    assert strictest(reversible, final) is strictest(final, reversible) is final
    assert strictest(mask4, Treatment()).operator == "replace"
    assert strictest(Treatment(), Treatment(operator="redact")).operator == "redact"


@pytest.mark.parametrize("operator", ["replace", "pseudonym", "hash"])
def test_tokens_are_recognized(operator: str) -> None:
    """Whatever these operators leave is a token of its entity."""
    token = hidden(operator, "4111")
    known = tokens(["CREDIT_CARD", "E"])
    assert known.fullmatch(token)
    assert known.fullmatch(html.escape(token))
    assert known.fullmatch(html.escape(html.escape(token)))


@pytest.mark.parametrize(
    "text", ["<OTHER>", "<E:4111111111111111>", "<E:12345>", "<E x>", "E", "**x", "&lt;OTHER&gt;", "&ltE&gt", "&amp;E;"]
)
def test_nothing_that_could_hold_a_value_is_a_token(text: str) -> None:
    """A token has a known name and a suffix of one length only."""
    assert not tokens(["E"]).fullmatch(text)


def test_starred_values_are_tokens_only_where_mask_is_used() -> None:
    """And only with as many characters as it may keep."""
    assert tokens([], 4).fullmatch("****1111")
    assert not tokens([], 4).fullmatch("****11111")
    assert not tokens([], 0).search("****1111")


@pytest.mark.parametrize(("operator", "value"), [("mask", "12345"), ("mask", "a@b.com"), ("format", "1234567")])
def test_most_of_a_value_is_hidden(operator: str, value: str) -> None:
    """Of a short value nothing stays: with four of five digits known, ten guesses find the rest."""
    assert not hidden(operator, value, keep_last=4).endswith(value[-4:])
