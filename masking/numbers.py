"""Payment card numbers, by issuer and check digit, and what takes the place of a JSON number."""

import re
from decimal import Decimal, InvalidOperation
from operator import mul

_ISSUERS = re.compile(
    r"""
      4(?:\d{12}|\d{15}|\d{18})                                       # Visa
    | 5[1-5]\d{14}                                                    # Mastercard
    | (?:222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d{12}           # Mastercard, 2-series
    | 3[47]\d{13}                                                     # American Express
    | (?:6011\d\d|64[4-9]\d{3}|65\d{4})\d{10,13}                      # Discover
    | (?:30[0-5]\d|309\d|36\d\d|3[89]\d\d)\d{10,15}                   # Diners Club
    | 35(?:2[89]|[3-8]\d)\d{12,15}                                    # JCB
    | 62\d{14,17}                                                     # UnionPay
    | (?:5018|5020|5038|5893|6304|6759|676[1-3])\d{8,15}              # Maestro
    | (?:220[0-4])\d{12,15}                                           # Mir
    """,
    re.VERBOSE,
)
_SHORTEST, _LONGEST = 13, 19


_TEN_DIGITS = frozenset("0123456789")
_DOUBLED = str.maketrans("0123456789", "0246813579")
"""The sum of the digits of twice a digit."""


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812-1, annex B)."""
    if not digits.isascii():
        digits = "".join(str(int(digit)) for digit in digits)
    doubled = digits[-2::-2].translate(_DOUBLED)
    return (sum(map(int, digits[-1::-2])) + sum(map(int, doubled))) % 10 == 0


def is_nhs(digits: str) -> bool:
    """Whether the last digit checks the others as that of a National Health Service number does (modulus 11)."""
    if not digits.isascii():
        digits = "".join(str(int(digit)) for digit in digits)
    # Ten times the code of zero is too much by a multiple of eleven.
    total: int = sum(map(mul, digits.encode(), range(10, 0, -1)))
    return total % 11 == 0


_PLACEHOLDERS = frozenset({"123456789", "987654320", "078051120"})
"""Social Security numbers of advertisements."""


def is_issued_ssn(value: str) -> bool:
    """Whether digits and signs between them could be a Social Security number that somebody has."""
    signs = {*value} - _TEN_DIGITS
    digits = re.sub("[^0-9]", "", value) if signs else value
    if len(signs) > 1 or digits in _PLACEHOLDERS or digits[:3] in {"000", "666"}:
        return False
    return digits[3:5] != "00" and digits[5:] != "0000" and digits.strip(digits[0]) != ""


def is_card(digits: str) -> bool:
    """Whether ``digits`` is a card number: 13 to 19 of them, a known issuer, a valid check digit."""
    return _SHORTEST <= len(digits) <= _LONGEST and _ISSUERS.fullmatch(digits) is not None and luhn(digits)


def is_card_number(raw: str) -> bool:
    """Whether a JSON number is a card number, also when written as ``4111111111111111.0`` or ``4.1...e15``."""
    digits = raw.lstrip("-")
    if not digits.isdigit():
        if len(digits) > 40 or not ("." in digits or "e" in digits.lower()):
            return False
        digits = _integer(digits)
    return is_card(digits)


def _integer(raw: str) -> str:
    try:
        value = Decimal(raw)
    except InvalidOperation:
        return ""
    if not value or value.adjusted() >= _LONGEST or value != value.to_integral_value():
        return ""
    return str(int(value))


def hide_number(raw: str) -> str:
    """A number with as many digits, a one and zeros; sign, point and exponent stay.

    It is no card number (a single one never makes a valid check digit), no telephone number in any region, and up to
    sixteen digits it is exact in every reader of JSON.
    """
    mantissa, mark, exponent = re.split(r"([eE]|\Z)", raw, maxsplit=1)
    return re.sub(r"\d", "0", mantissa).replace("0", "1", 1) + mark + exponent
