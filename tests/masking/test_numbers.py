"""Card numbers, and what takes their place in JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.numbers import hide_number, is_card, is_card_number, is_issued_ssn, is_nhs, luhn

CARDS = ["4111111111111111", "378282246310005", "5555555555554444", "6011111111111117", "3530111333300000"]


@pytest.mark.parametrize("digits", CARDS)
def test_known_test_numbers_are_cards(digits: str) -> None:
    """The card schemes' own test numbers are found."""
    assert is_card(digits)


@pytest.mark.parametrize(
    "digits", ["4111111111111112", "1234567890123", "9999999999999999", "411111111111", "1700000000000"]
)
def test_other_numbers_are_none(digits: str) -> None:
    """A wrong check digit, an unknown issuer or too few digits make no card."""
    assert not is_card(digits)


@pytest.mark.parametrize(
    "raw",
    ["4111111111111111", "-4111111111111111", "4111111111111111.0", "4.111111111111111e15", "4.111111111111111E+15"],
)
def test_every_spelling_of_a_number_is_seen(raw: str) -> None:
    """Serializers write a card number as a float, too."""
    assert is_card_number(raw)


@pytest.mark.parametrize("raw", ["0.4111111111111111", "4111111111111111.5", "1e400", "4e99999999", "-", "12"])
def test_other_spellings_are_no_cards(raw: str) -> None:
    """Fractions and powers are read without being computed."""
    assert not is_card_number(raw)


@given(st.integers(0, 10**25) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_hidden_number_is_a_number_of_as_many_digits_and_no_card(number: float) -> None:
    """JSON stays JSON, and hiding twice changes nothing."""
    raw = json.dumps(number)
    hidden = hide_number(raw)
    json.loads(hidden)
    assert len(hidden) == len(raw)
    assert not is_card_number(hidden)
    assert hide_number(hidden) == hidden


@pytest.mark.parametrize("length", range(13, 20))
def test_the_filler_never_has_a_valid_check_digit(length: int) -> None:
    """What stands for a card number passes no card check."""
    assert not luhn(hide_number("4" * length))


@pytest.mark.parametrize(("digits", "valid"), [("9434765919", True), ("4010232137", True), ("4010232138", False)])
def test_the_check_digit_of_the_national_health_service(digits: str, valid: bool) -> None:
    """The last digit makes the weighted sum divisible by eleven."""
    assert is_nhs(digits) is valid


@pytest.mark.parametrize(
    "value", ["000-12-3456", "666 12 3456", "123-00-4567", "123-45-0000", "111111111", "078051120", "123-45.6789"]
)
def test_numbers_that_nobody_has_are_no_social_security_numbers(value: str) -> None:
    """Areas, groups and serials that are not given out, samples, and signs that do not match."""
    assert not is_issued_ssn(value)


def test_digits_of_other_scripts_are_checked_alike() -> None:
    """A check digit is one in any script."""
    wide = "4111111111111111".translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    assert luhn(wide)
    assert not luhn(wide[:-1] + "\uff12")
