"""Cheap supersets of Presidio's patterns.

A screen matches in every ASCII text in which the recognizer could find anything; where it does not match, the
recognizer need not be asked. Texts with other characters are not screened: digits, letters and their case reach
further there. An entity with the screen None is asked every time. Tests hold each screen against its recognizer.
"""

from collections.abc import Mapping

_PHONE_GAP = r"[-x ().\[\]/~]{0,4}"

SCREENS: Mapping[str, str | None] = {
    "CREDIT_CARD": r"[13-6][0-9]{3}[- ]?[0-9]{3,4}[- ]?[0-9]{3,4}[- ]?[0-9]{3}",
    "CRYPTO": r"(?:[bB][cC]1|[13])[A-Za-z0-9]{25}",
    "DATE_TIME": None,
    "EMAIL_ADDRESS": r"@[\w-]+\.",
    "IBAN_CODE": r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{4}",
    "IP_ADDRESS": None,
    "MAC_ADDRESS": None,
    "MEDICAL_LICENSE": None,
    "PHONE_NUMBER": rf"[0-9](?:{_PHONE_GAP}[0-9]){{3}}",
    "UK_NHS": None,
    "URL": None,
    "US_BANK_NUMBER": None,
    "US_DRIVER_LICENSE": None,
    "US_ITIN": r"9[0-9]{2}[- ]?[0-9]{2}[- ]?[0-9]{4}",
    "US_PASSPORT": None,
    "US_SSN": r"[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{4}",
    "UUID": None,
}
PRESIDIO_ENTITIES = frozenset(SCREENS)
"""What Presidio's own recognizers for English find without a language model."""
