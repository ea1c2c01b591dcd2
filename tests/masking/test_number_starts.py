"""The table of first digits leaves out no number."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking import numbering
from masking.number_starts import FIRST_DIGITS, first_digits, starts
from masking.phone_numbers import MOST_DIGITS

REGIONS = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")
FORMS = [numbering.form(region) for region in REGIONS]
BEGIN = st.sampled_from(["", "0", "00", "011", "1", "49", "55", "91", "972", "180020", "0015", "90"])


@settings(max_examples=1000, deadline=None)
@given(BEGIN, st.text("0123456789", min_size=FIRST_DIGITS, max_size=18))
def test_no_form_matches_digits_that_the_table_leaves_out(begin: str, rest: str) -> None:
    """Region by region, whatever comes after the first digits."""
    digits = begin + rest
    table = starts(FORMS, MOST_DIGITS)
    bits = table[len(digits)].get(digits[:FIRST_DIGITS], 0)
    for place, form in enumerate(FORMS):
        if re.match(form, digits):
            assert bits & 1 << place, REGIONS[place]


@pytest.mark.parametrize(
    ("form", "taken", "left_out"),
    [
        (r"(?:12|3[4-6])\d{3}\Z", ["12345", "36000"], ["33000", "123456"]),
        (r"(?!99)[0-9]{4}\Z", ["9811"], ["9900"]),
        (r"(?![0-9]{5}\Z)1\d*", ["1234", "123456"], ["12345"]),
        (r"(?!1[0-4])\d{5}\Z", ["15000"], ["10000"]),
        (r"(?!\d{4}1)\d{5}\Z", ["12345"], []),
        (r"(?!)", [], ["1234"]),
    ],
)
def test_what_is_refused_is_left_out_where_that_is_sure(form: str, taken: list[str], left_out: list[str]) -> None:
    """A form may refuse digits by what they begin with; by the others that is not known."""
    form_table = starts([form], 8)
    assert all(form_table[len(each)].get(each[:FIRST_DIGITS]) for each in taken)
    assert not any(form_table[len(each)].get(each[:FIRST_DIGITS]) for each in left_out)


def test_the_table_is_worth_it() -> None:
    """Of numbers with as many digits as most of them have, a small part may be one."""
    table = starts(FORMS, MOST_DIGITS)
    assert len(table[8]) < 2000
    assert len(table[4]) < 2000
    assert not table[FIRST_DIGITS - 1]


def test_first_digits_are_those_that_may_begin_a_match() -> None:
    """However much has to follow."""
    assert first_digits("0(?:11|[3-5]\\d{4})|90") == {"0", "9"}
    assert first_digits(None) == frozenset()
