"""What takes the place of a value.

==========  ==================================================================================
replace     ``<EMAIL_ADDRESS>``
redact      nothing; of a JSON number ``null``
pseudonym   ``<EMAIL_ADDRESS:7f3a9c>``: the same value gives the same token, under one key
            ``<EMAIL_ADDRESS:...>`` with 32 letters where it can be put back: 128 bits
hash        ``<EMAIL_ADDRESS:...>`` with 32 hex digits, of the value exactly as it stands
format      digits replaced, separators and the last digits kept (``masking.digits``)
mask        every character ``*`` but the last ``keep_last``; all where these are more than half of them
==========  ==================================================================================

A JSON number stays a number of as many digits, or becomes ``null``. Masking twice changes nothing. ``replace``,
``pseudonym`` and ``hash`` leave tokens, which are opaque to every detector (``tokens``) and hold no run of digits that
one of another profile could take for a value; the others give the same again for what they gave.
"""

import hmac
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from masking.digits import KEPT, Digits, ascii_digits, kept_of
from masking.numbers import hide_number
from masking.pseudonyms import Vault

type Operator = Literal["replace", "redact", "mask", "pseudonym", "format", "hash"]
type Numbers = Literal["digits", "null"]
OPERATORS: tuple[str, ...] = get_args(Operator.__value__)
_STRICTNESS: Mapping[Operator, int] = {"redact": 6, "replace": 5, "pseudonym": 4, "hash": 3, "format": 2, "mask": 1}
LONGEST_KEPT = 6
"""The most characters that ``mask`` may keep: more would be no mask."""
_PSEUDONYM, _HASH = 6, 32
_LETTERS = "bcdfghjkmnpqrstv"
"""The sixteen digits of a token that can be put back: no decimal digit, and no vowel, so that it spells nothing."""
_REVERSIBLE = 32
_DIGIT_RUN = re.compile(r"[0-9]{6}")
"""As many digits in a row could be read as a value by some detector."""
REVERSIBLE_TOKEN = re.compile(rf"<([A-Z][A-Z0-9_]{{0,63}}):[{_LETTERS}]{{{_REVERSIBLE}}}>")
"""A token that can be put back, with its entity; of whatever session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """An operator with its parameters."""

    operator: Operator = "replace"
    keep_last: int = 0
    numbers: Numbers = "digits"
    """What a JSON number becomes: other digits, as many, or ``null``."""
    reversible: bool = False
    """Of a pseudonym: whether it can be put back."""

    @property
    def strictness(self) -> int:
        """Orders treatments: of two that apply, the higher one is taken."""
        return _STRICTNESS[self.operator] * 10 - min(self.keep_last, 9)


def strictest(one: Treatment, other: Treatment) -> Treatment:
    """The one of two treatments that hides more."""
    return max(one, other, key=lambda each: (each.strictness, not each.reversible, each.numbers == "null"))


class Operators:
    """The operators under one pseudonym key."""

    def __init__(self, key: bytes, vault: Vault | None = None) -> None:
        self._key = key
        self._digits = Digits(key)
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
                return self._format(value, treatment.keep_last or KEPT)
            case "pseudonym" if treatment.reversible:
                return self._reversible(entity, value)
            case "pseudonym":
                return self._token(entity, _normal(entity, value), _PSEUDONYM)
            case "hash":
                return self._token(entity, "=" + value, _HASH)

    def number(self, treatment: Treatment, raw: str) -> str:
        """What is to stand where the JSON number ``raw`` stood: a number of as many digits, or ``null``.

        ``format``, ``pseudonym`` and ``hash`` keep equal integers equal; of every other number only its form is left.
        """
        if treatment.numbers == "null" or treatment.operator == "redact":
            return "null"
        digits = raw.removeprefix("-")
        if not digits.isdecimal() or treatment.operator in {"replace", "mask"}:
            return hide_number(raw)
        kept = (treatment.keep_last or KEPT) if treatment.operator == "format" else 0
        return raw[: len(raw) - len(digits)] + self._digits.number(digits, kept)

    def _format(self, value: str, kept: int) -> str:
        return self._digits.text(value, kept) if ascii_digits(value) else _mask(value, 0)

    def _token(self, entity: str, value: str, length: int) -> str:
        for attempt in range(64):
            digits = self._hmac(f"{entity}\0{value}{f'\0{attempt}' if attempt else ''}").hex()[:length]
            if not _DIGIT_RUN.search(digits):
                break
        return f"<{entity}:{digits}>"

    def _reversible(self, entity: str, value: str) -> str:
        hashed = self._hmac(f"reversible\0{entity}\0{_normal(entity, value)}").hex()[:_REVERSIBLE]
        token = f"<{entity}:{''.join(_LETTERS[int(digit, 16)] for digit in hashed)}>"
        if self._vault is not None:
            self._vault.keep(token, entity, value)
        return token

    def _hmac(self, message: str) -> bytes:
        return hmac.digest(self._key, message.encode(errors="surrogatepass"), "sha256")


def _mask(value: str, keep_last: int) -> str:
    hidden = len(value) - kept_of(len(value), keep_last)
    return "*" * hidden + re.sub(r"[\r\n]", "*", value[hidden:])


def _alphanumerics(value: str) -> str:
    return "".join(character for character in value if character.isalnum()).upper()


_NORMAL: Mapping[str, Callable[[str], str]] = {
    "EMAIL_ADDRESS": str.casefold,
    "CREDIT_CARD": ascii_digits,
    "PHONE_NUMBER": ascii_digits,
    "US_ITIN": ascii_digits,
    "US_SSN": ascii_digits,
    "IBAN_CODE": _alphanumerics,
}


def _normal(entity: str, value: str) -> str:
    """One spelling for all spellings of a value."""
    value = unicodedata.normalize("NFKC", value).strip()
    return _NORMAL.get(entity, str)(value)


def tokens(entities: Iterable[str], keep_last: int = 0) -> re.Pattern[str]:
    """Matches what the operators leave behind for ``entities``, and nothing that could hold a value.

    Also as markup writes it. ``keep_last`` is the most that any ``mask`` in use keeps; 0 when none is in use.
    """
    names = "|".join(sorted(map(re.escape, entities), key=len, reverse=True)) or r"(?!)"
    forms = rf"[0-9a-f]{{{_PSEUDONYM}}}|[0-9a-f]{{{_HASH}}}|[{_LETTERS}]{{{_REVERSIBLE}}}"
    left = rf"(?:<|&(?:amp;)*+lt;)(?:{names})(?::(?:{forms}))?(?:>|&(?:amp;)*+gt;)"
    starred = rf"|\*{{2,}}+(?:[^\s*]{{1,{keep_last}}}(?![^\s,;]))?" if keep_last else ""
    return re.compile(left + starred)
