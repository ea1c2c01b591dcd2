"""Values between other characters, which Presidio's patterns pass over.

Its patterns want word boundaries, and its e-mail validator gives up on a slash or a question mark before the address:
``note_4111111111111111`` and ``/users/bob@example.com`` are not found. Whoever chooses how a value is embedded could
use that to see it, so profiles for personal data look here as well.
"""

import re
from collections.abc import Collection, Iterator
from unicodedata import category

from masking.numbers import is_card

_RUN = re.compile(
    r"(?<![0-9])(?<![0-9]\.)"
    r"(?:[0-9]{13,19}|[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{1,7}|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5})"
    r"(?![0-9])"
)
_DIGEST = re.compile(r"[0-9a-fA-F]{32,}")


def embedded_cards(text: str) -> Iterator[tuple[int, int]]:
    """Spans of card numbers that may touch letters and underscores, but stand in no longer hex digest."""
    digests = [match.span() for match in _DIGEST.finditer(text)]
    for match in _RUN.finditer(text):
        inside = any(start <= match.start() and match.end() <= end for start, end in digests)
        if not inside and is_card(match[0].replace(" ", "").replace("-", "")):
            yield match.span()


_SSN = re.compile(r"(?<![0-9])(?<![0-9]-)[0-9]{3}-[0-9]{2}-[0-9]{4}(?![0-9])(?!-[0-9])")


def embedded_dashed(text: str) -> Iterator[tuple[int, int]]:
    """Spans of the form 123-45-6789 that may touch letters and underscores, but no further digits."""
    return (match.span() for match in _SSN.finditer(text))


_NUMBER = re.compile(r"\+?\(?[0-9](?:[ ().\-/]{0,3}+[0-9]){6,250}+")
_WRITTEN_OUT = re.compile(
    r"(?<![0-9+])"
    r"(?:\+[1-9][0-9]{7,14}|(?:\+[0-9]{1,3}[ .-]?)?(?:\([0-9]{3}\) ?|[0-9]{3}[-. ])[0-9]{3}[-. ][0-9]{4})"
    r"(?![0-9])"
)
"""What no identifier and no price looks like, so that it may touch letters and signs of currencies."""

_TOUCHING = re.compile(r"[A-Za-z$%]|[^\x00-\x7f]")
"""All that makes a difference beside a number."""


def embedded_phones(text: str) -> Iterator[tuple[int, int]]:
    """Spans of what may be a phone number without its neighbours; yet to be judged.

    libphonenumber has none beside a Latin letter, a sign of a currency or a per cent sign.
    """
    if _TOUCHING.search(text) is None:
        return
    for match in _NUMBER.finditer(text) if "%" in text or not text.isascii() else ():
        before, after = _neighbours(match)
        if after == "%" or any(each.isalpha() and not each.isascii() for each in (before, after)):
            yield match.span()
    for match in _WRITTEN_OUT.finditer(text):
        if any(each.isalpha() or (each and category(each) == "Sc") for each in _neighbours(match)):
            yield match.span()


def _neighbours(match: re.Match[str]) -> tuple[str, str]:
    start, end = match.span()
    return match.string[max(0, start - 1) : start], match.string[end : end + 1]


_AT = re.compile("@")
_LOCAL = re.compile(r"[\w.+%-]*")
_DOMAIN = re.compile(r"@[\w.-]+")
_BARE_DOMAIN = re.compile(r"@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}")
"""As far as it can be one: what touches it (``_x``, ``-x``, ``2``) is none of it."""
_LONGEST_PART = 330


def embedded_addresses(text: str, known: Collection[int] = ()) -> Iterator[tuple[int, int]]:
    """Spans of what may be an e-mail address without its neighbours; yet to be judged.

    ``known`` are places of an ``@`` that is part of an address already.
    """
    for at in (match.start() for match in _AT.finditer(text)):
        if at in known:
            continue
        before = text[max(0, at - _LONGEST_PART) : at][::-1]
        local = _LOCAL.match(before)
        domain = _DOMAIN.match(text, at, at + _LONGEST_PART)
        if not local or not local[0] or not domain:
            continue
        start = at - len(local[0])
        yield start, domain.end()
        bare = _BARE_DOMAIN.match(text, at, domain.end())
        if bare and bare.end() < domain.end():
            yield start, bare.end()
