"""A piece is a number in the regions in which libphonenumber says so."""

import phonenumbers
import pytest
from phonenumbers.phonenumbermatcher import _verify

from masking.phone_numbers import Numbers

REGIONS = ("US", "DE", "BR")
NUMBERS = Numbers(REGIONS)


def stock(piece: str) -> int:
    found = 0
    for place, region in enumerate(REGIONS):
        try:
            number = phonenumbers.parse(piece, region, keep_raw_input=True)
        except phonenumbers.NumberParseException:
            continue
        found |= _verify(1, number, piece, None) << place
    return found


@pytest.mark.parametrize(
    "piece",
    [
        "212-555-5555", "(212) 555.5555", "+1 212 555 5555", "++1 212 555 5555", "030/901820", "0(30) 901820",
        "+49 30 901820", "0015511961234567", "0 11 96123-4567", "212-555-5555 x12", "212-555-5555x12x13", "212xx5555555",
        "0xx1196123-4567", "212 555 5555 ext. 7", "212 555 5555;ext=7", "212 555 5555 - 503#", "212~555~5555",
        "\uff12\uff11\uff12\uff0d555\uff0d5555", "\uff0b1 212 555 5555", "\u0662\u0661\u0662 555 5555", "1234", "+", "()",
    ],
)  # fmt: skip
def test_a_piece_is_a_number_where_the_original_says_so(piece: str) -> None:
    """With plus signs, brackets, extensions, carriers and digits of other scripts."""
    assert NUMBERS.where(piece) == stock(piece)
