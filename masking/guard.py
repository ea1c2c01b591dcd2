"""The boundary guard: what looks like personal data in infrastructure texts and is not.

Identifiers, digests, image references and repository addresses are full of digit runs with valid check digits. The
guard drops a hit whose neighbour is a letter, a digit or ``_``, or that is only a part of a longer token of letters,
digits, ``-`` and ``_`` (a UUID, a digest), and e-mail hits that are git addresses or the user part of a URL. On
Presidio's own test cases it drops nothing that is right. Whoever chooses how a value is embedded can use it to hide
one; hence only profiles for infrastructure switch it on.
"""

_CHECKED = frozenset({"CREDIT_CARD", "CRYPTO", "MEDICAL_LICENSE", "UK_NHS", "US_ITIN", "US_SSN"})
_WHOLE_TOKEN = frozenset({"CREDIT_CARD", "UK_NHS", "US_ITIN", "US_SSN"})
_NO_LEAD = frozenset({"UK_NHS", "US_ITIN"})


def keeps(entity: str, text: str, start: int, end: int) -> bool:
    """Whether the hit ``text[start:end]`` is to be believed."""
    if entity == "EMAIL_ADDRESS":
        return not _is_address_of_a_host(text, start, end)
    if entity not in _CHECKED:
        return True
    before, after = text[start - 1 : start], text[end : end + 1]
    if _glues(before) or _glues(after):
        return False
    if entity in _WHOLE_TOKEN and (before == "-" or after == "-"):
        return False
    return not (entity in _NO_LEAD and before and before in ":/=.")


def _glues(neighbour: str) -> bool:
    return neighbour.isalnum() or neighbour == "_"


def _is_address_of_a_host(text: str, start: int, end: int) -> bool:
    user = text[start:end].partition("@")[0].lower()
    if user == "git" and text[end : end + 1] in {":", "/"}:
        return True
    lead = text[max(0, start - 300) : start]
    return lead.endswith("://") or (lead.endswith(":") and "://" in lead)
