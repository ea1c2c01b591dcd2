"""Digits in the place of digits are as many, mean nothing to anybody, and are known again."""

import re

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.digits import Digits, ascii_digits
from masking.numbers import luhn

DIGITS = Digits(b"k" * 32)
NUMBERS = st.from_regex(r"\+?[0-9]{1,5}([ ./-]?\(?[0-9]{1,5}\)?){0,4}", fullmatch=True)
CARDS = st.from_regex(r"[0-9]{4}([ -]?)[0-9]{4}\1[0-9]{4}\1[0-9]{4}", fullmatch=True)
REGIONS = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ("4111-1111-1111-1111", r"000\d-\d{4}-\d{4}-1111"),
        ("4111 1111 1111 1111", r"000\d 000\d 000\d 1111"),
        ("+1 (202) 555-0173", r"\+0 \(000\) 00\d-0173"),
        ("078-05-1123", r"000-\d\d-1123"),
        ("123456", r"000\d{3}"),
        ("1234", r"000\d"),
        ("DE89 3704 0044", r"XX00 00\d\d 0044"),
        ("MRN 12345678 b", r"XXX 000\d5678 X"),
    ],
)
def test_the_form_stays(value: str, form: str) -> None:
    """Separators and the last four digits are kept; letters are not."""
    assert re.fullmatch(form, DIGITS.text(value)), DIGITS.text(value)


@given(NUMBERS, st.integers(1, 6))
def test_what_was_made_is_left_as_it_is(value: str, kept: int) -> None:
    """Twice is once, digits are as many, and no check digit is right."""
    made = DIGITS.text(value, kept)
    assert DIGITS.text(made, kept) == made
    assert len(made) == len(value)
    assert not luhn(ascii_digits(made))


@given(st.integers(1, 10**19 - 1).map(str), st.integers(0, 6))
def test_a_number_stays_a_number(digits: str, kept: int) -> None:
    """It begins with no zero, and has as many digits."""
    made = DIGITS.number(digits, kept)
    assert DIGITS.number(made, kept) == made
    assert len(made) == len(digits)
    assert made[0] in "12"
    assert not luhn(made)


def test_equal_values_stay_equal_and_different_ones_differ() -> None:
    """Under one key, whatever the separators are; another key gives others."""
    values = [f"{number:012}1111" for number in range(0, 10**9, 10**6 + 3)]
    made = {DIGITS.text(value) for value in values}
    assert len(made) > 0.99 * len(values)
    assert ascii_digits(DIGITS.text("4111-1111-1111-1111")) == DIGITS.text("4111111111111111")
    assert Digits(b"x" * 32).text(values[1]) != DIGITS.text(values[1])


@settings(max_examples=300)
@given(CARDS)
def test_a_card_becomes_nothing_that_can_be_dialled(value: str) -> None:
    """Not as a whole, and not what stands before the digits that are kept."""
    made = DIGITS.text(value)
    for region in REGIONS:
        found = phonenumbers.PhoneNumberMatcher(made, region, leniency=1)
        assert all(match.start >= len(made) - 4 for match in found), made


@pytest.mark.parametrize(
    "form",
    ["+1 (ddd) ddd-dddd", "ddd ddd dddd", "+dd dd dddddddd", "0dddd/dddddd", "+44 dddd dddddd", "dd dd dd dd dd"],
)
@given(data=st.data())
def test_a_phone_number_becomes_none(form: str, data: st.DataObject) -> None:
    """In no region that is looked into."""
    value = re.sub("d", lambda _: data.draw(st.sampled_from("0123456789")), form)
    made = DIGITS.text(value)
    for region in REGIONS:
        found = phonenumbers.PhoneNumberMatcher(made, region, leniency=1)
        assert all(match.start >= len(made) - 4 for match in found), (value, made)


def test_digits_of_other_scripts_are_digits() -> None:
    """And are written as 0 to 9."""
    assert DIGITS.text("٤١١١١١١١١١١١١١١١") == DIGITS.text("4111111111111111")


def test_the_key_is_not_shown() -> None:
    """A repr may end up in a log."""
    assert "kkk" not in repr(DIGITS)
