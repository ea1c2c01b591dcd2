"""Values are found between other characters, and not where there are none."""

import sys
import unicodedata
from collections.abc import Callable

import pytest

from masking.embedded import embedded_addresses, embedded_cards, embedded_dashed, embedded_phones
from masking.plan import Plan


@pytest.mark.parametrize(
    "text", ["X4111111111111111X", "note_4111111111111111", "a4111-1111-1111-1111b", "x3782 822463 10005"]
)
def test_cards_between_letters_are_found(text: str) -> None:
    """Whoever chooses the embedding cannot hide a card with a letter."""
    assert len(list(embedded_cards(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111111" * 2,  # a longer run of digits
        "sha256:" + "4111111111111111" + "abcdef0123456789" * 3,  # a digest
        "0.4111111111111111",  # a fraction
        "d3b07384-4111-1111-1111-111111111111",  # a UUID
    ],
)
def test_digests_fractions_and_identifiers_are_not_cards(text: str) -> None:
    """Digits inside longer tokens are left alone."""
    assert not list(embedded_cards(text))


def test_dashed_numbers_between_letters_are_found() -> None:
    """The same for 123-45-6789, but not inside longer runs of digits and dashes."""
    assert list(embedded_dashed("x078-05-1123y")) == [(1, 12)]
    assert not list(embedded_dashed("1-078-05-1123-4"))


@pytest.mark.parametrize(
    "text",
    [
        "/users/bob@example.com",
        "https://api.example.org/customers?after=bob@example.com&x=1",
        "/a#bob@example.com",
        "/customers?after=bob%40example.com",
        "bob@example.com@example.org",
    ],
)
def test_addresses_in_urls_are_found(text: str, make_plan: Callable[..., Plan]) -> None:
    """Presidio's validator takes the slash or question mark before them for the end of a host."""
    found = make_plan("pii").judge.edits(text)
    assert any("bob" in text[each.start : each.end] and each.end - each.start >= 15 for each in found)


def test_an_address_is_taken_without_its_neighbours() -> None:
    """Only characters that nearly every address is made of; and none that is known already."""
    text = "x=/a?b=bob.b+c@example.com/d"
    assert [text[start:end] for start, end in embedded_addresses(text)] == ["bob.b+c@example.com"]
    assert not list(embedded_addresses(text, {text.index("@")}))
    assert not list(embedded_addresses("@example.com bob@"))


@pytest.mark.parametrize(
    "text", ["bob@example.com_x", "_bob@example.com_", "bob@example.com-x", "bob@example.com2", "bob@example.com\u00e9"]
)
def test_addresses_that_something_touches_are_found(text: str, make_plan: Callable[..., Plan]) -> None:
    """Whoever chooses what follows an address cannot hide it so."""
    found = make_plan("pii").judge.edits(text)
    assert any(text[each.start : each.end].endswith("bob@example.com") for each in found)


@pytest.mark.parametrize(
    "text",
    ["2025550173\u00e9", "202-555-0173%", "202-555-0173ab", "\u00e9202-555-0173", "+12025550173x", "(202) 555-0173$"],
)
def test_phone_numbers_that_something_touches_are_found(text: str, make_plan: Callable[..., Plan]) -> None:
    """Where a word speaks for them."""
    found = make_plan("pii").judge.edits(text, "phone")
    assert any("0173" in text[each.start : each.end] for each in found)


@pytest.mark.parametrize(
    "text",
    ["f47ac10b-58cc-4372-1567-0e02b2c3d479", "id2025550173b", "$1,299.00 a", "99.5%", "a 202-555-01731b"],
)
def test_identifiers_prices_and_shares_are_no_phone_numbers(text: str) -> None:
    """Digits between letters are parts of identifiers, unless they are written as phone numbers alone are."""
    assert not list(embedded_phones(text))


def test_no_number_is_passed_over_for_what_stands_beside_it() -> None:
    """Texts without any of the characters that matter beside a number are not looked through: there are no others."""
    spelled = "212-555-5555"
    for character in map(chr, range(sys.maxunicode + 1)):
        if character == "%" or character.isalpha() or unicodedata.category(character) == "Sc":
            assert set(embedded_phones(f"{spelled}{character}")) == {(0, 12)}, ascii(character)
