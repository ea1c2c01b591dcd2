"""The detector finds what libphonenumber finds, region by region, in one walk that does not stop early."""

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from masking import phones
from masking.errors import Unmaskable
from masking.phones import PhoneDetector

REGIONS = ("US", "GB", "DE", "FR", "IL", "IN", "CA", "BR")
DETECTOR = PhoneDetector(entity="PHONE_NUMBER", context=("phone",), score=0.4, regions=REGIONS)

FORMATTED = [
    phonenumbers.format_number(number, form)
    for region in (*REGIONS, "IT", "AR", "MX", "SG", "RU", "CN", "JP")
    for kind in range(10)
    if (number := phonenumbers.example_number_for_type(region, kind))
    for form in range(4)
]
NUMBER = st.builds(
    lambda prefix, digits, separator, size: (
        prefix + separator.join(digits[i : i + size] for i in range(0, len(digits), size))
    ),
    st.sampled_from(["", "", "+", "00", "0", "011", "(0) ", "+49 ", "+1-", "91", "55", "0 15 ", "44", "1"]),
    st.text("0123456789", min_size=3, max_size=17),
    st.sampled_from(["", "-", " ", ".", "/"]),
    st.integers(2, 6),
)
SIGN = st.sampled_from(
    [
        "a", " ", "\n", '"', "$", "x", "X", "xx", " ext. 12", "x12", " x 5", "#", "- 503#", ";ext=7", "~", "/", "//", " / ",
        " - ", "- -", ".", " . ", "..", "(", ")", "[", "]", "((", "++", ":30", ",", "|", "%", "\u00e9", "\u0301", "\u20ac",
        "\t", "\u00a0", "\u2013", "\uff0d", "\uff0b", "\uff14", "\u0663", "\u200b", "\uff08", "\uff09", "     ", " 08:30",
        "3/10/2011", "211-227 (2003)", "2024-11-21", "int 5", "\u0434\u043e\u0431 5",
    ]
)  # fmt: skip
TEXT = st.lists(NUMBER | st.sampled_from(FORMATTED) | SIGN, max_size=8).map("".join)


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


def ours(text: str) -> set[tuple[int, int]]:
    return {(hit.start, hit.end) for hit in DETECTOR.find(text, lifted=True, threshold=0.5)}


@settings(max_examples=400, deadline=None)
@given(TEXT)
@example("(212) 555-5555 212-555-5556")
@example("2012-01-02 08:00")
@example("0800 1234567\n0800 1234568")
@example("1 800-234-5678x((0)- .")
@example("( ext. 1294072278X(900) 234-5678")
@example("1- -2125551234 - - 2125551235")
def test_equal_to_the_stock_matcher(text: str) -> None:
    """All regions in one walk, no piece judged twice, hopeless ones not at all: and the same is found."""
    assert ours(text) == stock(text)


@pytest.mark.parametrize("region", REGIONS)
def test_numbers_have_four_digits_at_least(region: str) -> None:
    """The screen and the shortest candidate rest on it."""
    for number in (f"{value:0{width}d}" for width in (1, 2, 3) for value in range(10**width)):
        assert not list(phonenumbers.PhoneNumberMatcher(number, region, leniency=1))


def test_without_context_a_number_does_not_count() -> None:
    """The score of 0.4 is under the usual threshold."""
    assert DETECTOR.find("212-555-5555", lifted=False, threshold=0.5) == []
    assert DETECTOR.find("212-555-5555", lifted=True, threshold=0.5)[0].score == 0.75


def test_the_search_does_not_stop_after_failures() -> None:
    """The stock matcher passes over what follows 65,535 failures."""
    text = "1111 " * 20_000 + "\n212-555-5555"
    assert (len(text) - 12, len(text)) in ours(text)


def test_the_order_of_a_text_made_to_keep_it_busy_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond all known texts the bound is a number of pieces, not of seconds."""
    monkeypatch.setattr(phones, "_PIECES", 5)
    monkeypatch.setattr(phones, "_PIECES_PER_CHARACTER", 0)
    with pytest.raises(Unmaskable, match="too many numbers"):
        DETECTOR.find("+12345 " * 50, lifted=True, threshold=0.5)


@pytest.mark.parametrize(
    "unit",
    [
        "1/", "1 -", "1////", "12345/// ", "+1", "+1 ", "(1)", "((12))", "[123]", "12x", "1234x5 ", "12~", "1,", "1\u2013",
        "\uff14-", "0049 30 ", "00", "1 ,x1", "2125551234", "212.555.1234 ext 5 ", "- 503#", "5555//// ",
    ],
)  # fmt: skip
def test_pieces_grow_with_the_text(unit: str) -> None:
    """In 16 KB of anything known at most three pieces are judged for each character."""
    text = (unit * 16384)[:16384]
    walk = phones._Walk(text, DETECTOR._numbers, 10**9)
    walk.found()
    assert 10**9 - walk.left <= 3 * len(text)


@pytest.mark.parametrize("text", ["1" + " " * 16381 + "x1", "1x" + "- " * 8189 + "1", "1" + ", " * 8189 + "x1"])
def test_long_labels_are_walked_once(text: str) -> None:
    """An extension may stand behind any number of spaces; libphonenumber's inner matches take quadratic time there."""
    walk = phones._Walk(text, DETECTOR._numbers, 10**9)
    walk.found()
    assert 10**9 - walk.left <= 1000
