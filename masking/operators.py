"""What takes the place of a value.

==========  ==================================================================================
replace     ``<EMAIL_ADDRESS>``
redact      nothing
pseudonym   ``<EMAIL_ADDRESS:7f3a9c>``: the same value gives the same token, under one key
hash        ``<EMAIL_ADDRESS:...>`` with 32 hex digits, of the value exactly as it stands
format      digits replaced, separators and the last digits kept; never a valid card number
mask        every character ``*`` but the last ``keep_last``
==========  ==================================================================================

Masking twice changes nothing. ``replace``, ``pseudonym`` and ``hash`` leave tokens, which are opaque to every
detector (``tokens``); the others give the same again for what they gave.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from masking.numbers import luhn
from masking.pseudonyms import Vault

type Operator = Literal["replace", "redact", "mask", "pseudonym", "format", "hash"]
OPERATORS: tuple[str, ...] = get_args(Operator.__value__)
_STRICTNESS: Mapping[Operator, int] = {"redact": 6, "replace": 5, "pseudonym": 4, "hash": 3, "format": 2, "mask": 1}
LONGEST_KEPT = 6
"""The most characters that ``mask`` may keep: more would be no mask."""
_PSEUDONYM, _HASH = 6, 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """An operator with its parameters."""

    operator: Operator = "replace"
    keep_last: int = 0

    @property
    def strictness(self) -> int:
        """Orders treatments: of two that apply, the higher one is taken."""
        return _STRICTNESS[self.operator] * 10 - min(self.keep_last, 9)


def strictest(one: Treatment, other: Treatment) -> Treatment:
    """The one of two treatments that hides more."""
    return max(one, other, key=lambda each: each.strictness)


class Operators:
    """The operators under one pseudonym key."""

    def __init__(self, key: bytes, vault: Vault | None = None) -> None:
        self._key = key
        self._vault = vault

    def __repr__(self) -> str:
        return "Operators(key=***)"

    def replacement(self, treatment: Treatment, entity: str, value: str) -> str:
        """What is to stand where ``value`` stood."""
        match treatment.operator:
            case "replace":
                return f"<{entity}>"
            case "redact":
                return ""
            case "mask":
                return _mask(value, treatment.keep_last)
            case "format":
                return _format(value, treatment.keep_last or 4)
            case "pseudonym":
                return self._token(entity, _normal(entity, value), _PSEUDONYM)
            case "hash":
                return self._token(entity, "=" + value, _HASH)

    def _token(self, entity: str, value: str, digits: int) -> str:
        message = f"{entity}\0{value}".encode(errors="surrogatepass")
        return f"<{entity}:{hmac.digest(self._key, message, 'sha256').hex()[:digits]}>"


def _mask(value: str, keep_last: int) -> str:
    hidden = len(value) - keep_last if keep_last < len(value) else len(value)
    return "*" * hidden + re.sub(r"[\r\n]", "*", value[hidden:])


def _format(value: str, keep_last: int) -> str:
    digits = _digits(value)
    if not digits:
        return _mask(value, 0)
    hidden = len(digits) - keep_last if keep_last < len(digits) else len(digits)
    filled = "9" * hidden + digits[hidden:]
    if luhn(filled):
        filled = "8" + filled[1:]
    replacements = iter(filled)
    return "".join(next(replacements) if character.isdecimal() else character for character in value)


def _digits(value: str) -> str:
    return "".join(character for character in value if character.isdecimal())


def _alphanumerics(value: str) -> str:
    return "".join(character for character in value if character.isalnum()).upper()


_NORMAL: Mapping[str, Callable[[str], str]] = {
    "EMAIL_ADDRESS": str.casefold,
    "CREDIT_CARD": _digits,
    "PHONE_NUMBER": _digits,
    "US_ITIN": _digits,
    "US_SSN": _digits,
    "IBAN_CODE": _alphanumerics,
}


def _normal(entity: str, value: str) -> str:
    """One spelling for all spellings of a value."""
    value = unicodedata.normalize("NFKC", value).strip()
    return _NORMAL.get(entity, str)(value)


def tokens(entities: Iterable[str], keep_last: int = 0) -> re.Pattern[str]:
    """Matches what the operators leave behind for ``entities``, and nothing that could hold a value.

    ``keep_last`` is the most that any ``mask`` in use keeps; 0 when none is in use.
    """
    names = "|".join(sorted(map(re.escape, entities), key=len, reverse=True)) or r"(?!)"
    left = rf"<(?:{names})(?::(?:[0-9a-f]{{{_PSEUDONYM}}}|[0-9a-f]{{{_HASH}}}))?>"
    starred = rf"|\*{{2,}}+(?:[^\s*]{{1,{keep_last}}}(?![^\s,;]))?" if keep_last else ""
    return re.compile(left + starred)
