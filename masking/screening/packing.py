"""Where base64 of a text may begin.

Scanners cannot ask whether a run of base64 decodes to a text. But the first six bytes of a text in UTF-8 are
printable ASCII, or a leading byte with its continuation, and that shows in the first eight characters of the run:
of a name or an identifier hardly any looks like it.
"""

from collections.abc import Iterator
from itertools import pairwise, product

from masking.screening.superset import spelled

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URLS = {ord("+"): b"-", ord("/"): b"_"}
_RUN = r"[A-Za-z0-9+/_\x2d]"
_SHORTEST = 16
_CLASSES = {
    "plain": frozenset({0x09, 0x0A, 0x0D, *range(0x20, 0x7F)}),
    "lead": frozenset(range(0xC2, 0xF5)),
    "rest": frozenset(range(0x80, 0xC0)),
}
_AFTER = {"plain": ("plain", "lead"), "lead": ("rest",), "rest": ("plain", "lead", "rest")}


def packed_text() -> str:
    """An expression that matches where a run of base64 (RFC 4648, both alphabets) begins that may hold a text."""
    heads = sorted({_quad(kinds[:3]) + _quad(kinds[3:]) for kinds in _kinds(6)})
    return rf"(?:^|[^A-Za-z0-9+/_\x2d])(?:{'|'.join(heads)}){_RUN}{{{_SHORTEST - 8}}}"


def _kinds(length: int) -> Iterator[tuple[str, ...]]:
    for kinds in product(_CLASSES, repeat=length):
        if kinds[0] != "rest" and all(second in _AFTER[first] for first, second in pairwise(kinds)):
            yield kinds


def _quad(kinds: tuple[str, ...]) -> str:
    """Four characters that may stand for three bytes of these kinds."""
    one, two, three = (_CLASSES[kind] for kind in kinds)
    sextets = (
        {byte >> 2 for byte in one},
        {(byte & 3) << 4 | other >> 4 for byte in one for other in two},
        {(byte & 15) << 2 | other >> 6 for byte in two for other in three},
        {byte & 63 for byte in three},
    )
    return "".join(map(_characters, sextets))


def _characters(sextets: set[int]) -> str:
    found = {_ALPHABET[sextet] for sextet in sextets}
    return spelled(found | {byte for known in found for byte in _URLS.get(known, b"")})
