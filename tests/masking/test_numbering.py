"""The rules of numbers equal libphonenumber's, whatever is dialled and wherever."""

import re

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from phonenumbers.phonenumbermatcher import _verify

from masking import numbering

REGIONS = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")
FORMS = [numbering.form(region) for region in REGIONS]
EXAMPLES = [
    str(phonenumbers.national_significant_number(number))
    for region in sorted(phonenumbers.SUPPORTED_REGIONS)
    for kind in range(11)
    if (number := phonenumbers.example_number_for_type(region, kind))
]
CODES = sorted(map(str, phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
PREFIX = st.sampled_from(["", "", "0", "00", "011", "1", "0015", "90", "012", "180020", *CODES])
NATIONAL = st.sampled_from(EXAMPLES) | st.text("0123456789", min_size=2, max_size=18)
DIGITS = st.builds(lambda first, second, national: first + second + national, PREFIX, PREFIX, NATIONAL)


def stock(written: str, region: str) -> bool:
    """What the matcher makes of it."""
    try:
        number = phonenumbers.parse(written, region, keep_raw_input=True)
    except phonenumbers.NumberParseException:
        return False
    return bool(_verify(1, number, written, None))


@settings(max_examples=400, deadline=None)
@given(DIGITS)
@example("0152228817386")
@example("5511961234567")
@example("0015511961234567")
def test_digits_are_valid_where_the_original_says_so(digits: str) -> None:
    """Dialled in each region; and where the form does not match, they are not."""
    valid = {region for region in REGIONS if stock(digits, region)}
    assert {each for each in REGIONS if numbering.valid_in(each, digits, digits, plus=False)} == valid
    assert valid <= {region for region, form in zip(REGIONS, FORMS, strict=True) if re.match(form, digits)}


@settings(max_examples=400, deadline=None)
@given(DIGITS)
def test_after_a_plus_sign_the_region_hardly_matters(digits: str) -> None:
    """Only where no calling code follows the sign is it asked."""
    abroad = numbering.valid_abroad(digits)
    for region in REGIONS:
        ours = abroad if abroad is not None else numbering.valid_in(region, digits, digits, plus=True)
        assert ours == stock(f"+{digits}", region)


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_every_example_of_the_world_is_valid(region: str) -> None:
    """The numbers that libphonenumber gives as examples, with their calling code."""
    for kind in range(11):
        number = phonenumbers.example_number_for_type(region, kind)
        if number:
            written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            assert numbering.valid_abroad(written[1:]) == phonenumbers.is_valid_number(number)


def test_loading_reads_every_plan() -> None:
    """Nothing is left to be compiled while a text waits."""
    numbering.load()
    before = numbering._plan.cache_info().misses
    for code in phonenumbers.COUNTRY_CODE_TO_REGION_CODE:
        numbering.is_valid(code, "5551234567")
    assert numbering._plan.cache_info().misses == before
