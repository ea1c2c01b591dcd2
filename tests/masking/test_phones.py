"""The detector finds what libphonenumber finds, region by region, and refuses where that would stop looking."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from masking import phones
from masking.errors import Unmaskable
from masking.phones import PhoneDetector

REGIONS = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")
DETECTOR = PhoneDetector(entity="PHONE_NUMBER", context=("phone",), score=0.4, regions=REGIONS, leniency=1)

NUMBER = st.builds(
    lambda prefix, digits, separator, size: (
        prefix + separator.join(digits[i : i + size] for i in range(0, len(digits), size))
    ),
    st.sampled_from(["", "", "+", "00", "0", "011", "(0) ", "+49 ", "+1-", "91", "55", "0 15 ", "44", "1"]),
    st.text("0123456789", min_size=3, max_size=17),
    st.sampled_from(["", "-", " ", ".", "/"]),
    st.integers(2, 6),
)
TEXT = st.lists(NUMBER | st.sampled_from(["a", " ", "\n", '"', "$", "x", " ext. 12", ":30", ",", "|"]), max_size=5).map(
    "".join
)


def stock(text: str) -> set[tuple[int, int]]:
    """The union over the regions, without matches inside of others."""
    found = {
        (match.start, match.end)
        for region in REGIONS
        for match in phonenumbers.PhoneNumberMatcher(text, region, leniency=1)
    }
    return {
        (start, end)
        for start, end in found
        if not any((a, b) != (start, end) and a <= start and end <= b for a, b in found)
    }


@settings(max_examples=300, deadline=None)
@given(TEXT)
@example("(212) 555-5555 212-555-5556")
@example("2012-01-02 08:00")
@example("0800 1234567\n0800 1234568")
def test_equal_to_the_stock_matcher(text: str) -> None:
    """Cutting at line ends and skipping what the length excludes changes nothing."""
    found = {(hit.start, hit.end) for hit in DETECTOR.find(text, lifted=True, threshold=0.5)}
    assert found == stock(text)


@pytest.mark.parametrize("region", REGIONS)
@given(digits=st.text("0123456789", min_size=4, max_size=20))
@settings(max_examples=60, deadline=None)
def test_what_is_excluded_is_no_number(region: str, digits: str) -> None:
    """Excluded by its length means: not valid in that region, however it is parsed."""
    if not phones._Plan.of(region).excludes(digits):
        return
    try:
        number = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        return
    assert not phonenumbers.is_valid_number(number)


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_have_four_digits_at_least(region: str) -> None:
    """The screen and the shortest candidate rest on it."""
    for number in (f"{value:0{width}d}" for width in (1, 2, 3) for value in range(10**width)):
        assert not list(phonenumbers.PhoneNumberMatcher(number, region, leniency=1))


def test_without_context_a_number_does_not_count() -> None:
    """The score of 0.4 is under the usual threshold."""
    assert DETECTOR.find("212-555-5555", lifted=False, threshold=0.5) == []
    assert DETECTOR.find("212-555-5555", lifted=True, threshold=0.5)[0].score == 0.75


def test_texts_made_to_keep_it_busy_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stock matcher stops after a number of failures and passes over what follows."""
    monkeypatch.setattr(phones, "_TRIES", 5)
    monkeypatch.setattr(phones, "_TRIES_PER_CHARACTER", 0)
    with pytest.raises(Unmaskable, match="too many numbers"):
        DETECTOR.find("+12345 " * 50, lifted=True, threshold=0.5)
