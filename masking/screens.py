r"""Cheap supersets of Presidio's patterns.

A screen matches in every ASCII text in which the recognizer could find anything; where it does not match, the
recognizer need not be asked. Texts with other characters are not screened: digits, letters and their case reach
further there. A screen asks nothing of what is around it (no ``\b``, no look at neighbours): where it matches in a
part of a text it matches in the text, and it means the same to ``re``, RE2 and hyperscan. Tests hold each screen
against its recognizer.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from masking.screening.superset import superset

_PHONE_GAP = r"[-x ().\[\]/~]{0,4}"
_MONTH = "(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)"
_HEX = "[0-9A-Fa-f]"

SCREENS: Mapping[str, str] = {
    "CREDIT_CARD": r"[13-6][0-9]{3}[- ]?[0-9]{3,4}[- ]?[0-9]{3,4}[- ]?[0-9]{3}",
    "CRYPTO": r"(?:[bB][cC]1|[13])[A-Za-z0-9]{25}",
    "DATE_TIME": rf"[0-9][-/.][0-9]{{1,2}}[-/.][0-9]|[0-9]/[0-9]{{2}}|{_MONTH}-[0-9]{{2}}|[0-9]-{_MONTH}",
    "EMAIL_ADDRESS": r"@[\w-]+\.",
    "IBAN_CODE": r"[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]{4}[ -]?[A-Za-z0-9]{4}",
    "IP_ADDRESS": rf"[0-9]\.[0-9]{{1,3}}\.[0-9]{{1,3}}\.[0-9]|::|{_HEX}:{_HEX}{{1,4}}:{_HEX}{{1,4}}:",
    "MAC_ADDRESS": rf"(?:{_HEX}{{2}}[:-]){{5}}{_HEX}{{2}}|{_HEX}{{4}}\.{_HEX}{{4}}\.{_HEX}{{4}}",
    "MEDICAL_LICENSE": r"[A-HJ-MPR-UXa-hj-mpr-ux][A-Za-z9][0-9]{7}",
    "PHONE_NUMBER": rf"[0-9](?:{_PHONE_GAP}[0-9]){{3}}",
    "UK_NHS": r"[0-9]{3}[- ]?[0-9]{3}[- ]?[0-9]{4}",
    "URL": r"[A-Za-z0-9.-]\.[A-Za-z]{2}",
    "US_BANK_NUMBER": r"[0-9]{8}",
    "US_DRIVER_LICENSE": r"[A-Za-z][0-9]|[0-9]{6}|\]\][0-9]{2}",
    "US_ITIN": r"9[0-9]{2}[- ]?[0-9]{2}[- ]?[0-9]{4}",
    "US_PASSPORT": r"[A-Za-z0-9][0-9]{8}",
    "US_SSN": r"[0-9]{3}[- .]?[0-9]{2}[- .]?[0-9]{4}",
    "UUID": rf"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
}
"""Of what Presidio's own recognizers for English find without a language model."""

COUNTRY_ENTITIES = frozenset(
    """
    ABA_ROUTING_NUMBER AU_ABN AU_ACN AU_MEDICARE AU_TFN CA_POSTAL_CODE CA_SIN DE_BSNR DE_FUEHRERSCHEIN
    DE_HANDELSREGISTER DE_HEALTH_INSURANCE DE_ID_CARD DE_KFZ DE_LANR DE_PASSPORT DE_PLZ DE_SOCIAL_SECURITY DE_TAX_ID
    DE_TAX_NUMBER DE_VAT_ID ES_NIE ES_NIF ES_PASSPORT FI_PERSONAL_IDENTITY_CODE IN_AADHAAR IN_GSTIN IN_PAN IN_PASSPORT
    IN_VEHICLE_REGISTRATION IN_VOTER IT_DRIVER_LICENSE IT_FISCAL_CODE IT_IDENTITY_CARD IT_PASSPORT IT_VAT_CODE KR_BRN
    KR_DRIVER_LICENSE KR_FRN KR_PASSPORT KR_RRN NG_NIN NG_VEHICLE_REGISTRATION PH_PASSPORT PH_TIN PH_UMID PL_PESEL
    SE_ORGANISATIONSNUMMER SE_PERSONNUMMER SG_NRIC_FIN SG_UEN TH_TNIN TR_LICENSE_PLATE TR_NATIONAL_ID
    UK_DRIVING_LICENCE UK_NINO UK_PASSPORT UK_POSTCODE UK_VEHICLE_REGISTRATION US_CLAIM_NUMBER
    US_HEALTH_INSURANCE_MEMBER_ID US_PRESCRIPTION_NUMBER US_PRIOR_AUTHORIZATION_NUMBER
    US_PROVIDER_TAX_ID US_REFERRAL_NUMBER ZA_COMPANY_REGISTRATION ZA_DRIVER_LICENSE ZA_ID_NUMBER
    ZA_INCOME_TAX_NUMBER ZA_LICENSE_PLATE ZA_PASSPORT ZA_TRAFFIC_REGISTER_NUMBER ZA_VAT_NUMBER
    """.split()  # noqa: SIM905  (seventy names to be read)
)
"""What further recognizers of Presidio find, each for the identifiers of one country; by patterns alone. US_MBI and
US_NPI are missing: the profile ``health`` has stricter patterns under these names."""

PRESIDIO_ENTITIES = frozenset(SCREENS) | COUNTRY_ENTITIES
"""What Presidio finds without a language model."""

_TOKEN = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]|\\.|[^\\\[]", re.DOTALL)
_LOOK = re.compile(r"\(\?<?[=!](?:\[(?:[^\]\\]|\\.)*\]|\\.|[^()\\\[])*\)")
_SPACES = r"\s\x0b\x1c-\x1f"
"""What is space to Python; RE2 and hyperscan leave some out."""
_ENDS = frozenset({"^", "$", r"\A", r"\Z", r"\z"})
_BEYOND = re.compile(r"\(\?[<=!P>(]|\\[1-9]|[*+?}]\+")


def of_own(patterns: Sequence[str]) -> str | None:
    """A screen for patterns that somebody wrote into a profile; None where that is not plain.

    What has to stand before a match, if a pattern begins with it, is part of what the screen matches.
    """
    read = [_consuming(pattern.removeprefix("(?i)")) for pattern in patterns]
    if any(superset(f"(?i:{pattern})", strict=True) is None for pattern in read):
        return None
    screen = derived(read)
    try:
        re.compile(screen or "")
    except re.error:
        return None
    return screen


def _consuming(pattern: str) -> str:
    """The pattern with what it looks for behind, at its begin, as a part of it."""
    if not pattern.startswith("(?<="):
        return pattern
    depth = 0
    for match in _TOKEN.finditer(pattern):
        depth += (match[0] == "(") - (match[0] == ")")
        if not depth:
            return f"(?:{pattern[4 : match.start()]}){pattern[match.end() :]}"
    return pattern


def derived(patterns: Iterable[str]) -> str | None:
    """A screen for patterns of the ``regex`` module that are read without case; None where that is not plain."""
    screens = [_widened(pattern) for pattern in patterns]
    return "|".join(dict.fromkeys(filter(None, screens))) if screens and all(screens) else None


def _widened(pattern: str) -> str | None:
    """The pattern without what it asks of its neighbours."""
    bare = _LOOK.sub("", pattern.replace("(?i)", ""))
    if not bare.isascii() or _BEYOND.search(bare):
        return None
    parts = [match[0] for match in _TOKEN.finditer(bare)]
    if not _ENDS.isdisjoint(parts):
        return None
    return f"(?is:{''.join(map(_without_border, parts))})"


def _without_border(part: str) -> str:
    if part in {r"\b", r"\B"}:
        return ""
    if part == r"\s":
        return f"[{_SPACES}]"
    return part.replace(r"\s", _SPACES) if part.startswith("[") else part
