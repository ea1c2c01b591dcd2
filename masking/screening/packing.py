"""Where base64 of a text may begin.

Scanners cannot ask whether a run of base64 decodes to a text. But the first six bytes of a text in UTF-8 are
printable ASCII, white space, the escape of a terminal, or a leading byte with its continuation, and that shows in the
first eight characters of the run: of a name or an identifier hardly any looks like it. In other encodings one byte in
eight is beyond ASCII at most, so that the more of them there are among the first, the longer the run is.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise, product

from masking.screening.superset import spelled

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_URLS = {ord("+"): b"-", ord("/"): b"_"}
_RUN = r"[A-Za-z0-9+/_\x2d]"
_SHORTEST, _HEAD, _ONE_IN = 16, 6, 8
_CLASSES = {
    "plain": frozenset({0x09, 0x0A, 0x0C, 0x0D, 0x1B, *range(0x20, 0x7F)}),
    "lead": frozenset(range(0xC2, 0xF5)),
    "rest": frozenset(range(0x80, 0xC0)),
    "high": frozenset(range(0x80, 0x100)),
}
_AFTER = {"plain": ("plain", "lead"), "lead": ("rest",), "rest": ("plain", "lead", "rest")}


LONG, LINES = rf"{_RUN}{{43}}", r"\n"
"""What matches wherever the last two expressions of ``packed_text`` do, each faster."""


@cache
def packed_text() -> tuple[str, str, str]:
    """Expressions of which one matches where a run of base64 (RFC 4648, both alphabets) begins that may hold a text.

    The second one is for longer runs, the third one for runs in several lines.
    """
    begins = r"(?:^|[^A-Za-z0-9+/_\x2d])"
    plain = _quad(("plain",) * 3)
    # In latin-1 with two or three beyond ASCII among the first six, all others of the first thirty are plain but one.
    short = (
        _begun((*_kinds(_HEAD), *_with(1)), _SHORTEST),
        f"(?:{_heads(_with(2))}){plain}{_RUN}{{4}}",
        f"{_RUN}{{12}}{plain * 4}",
    )
    long = [_begun(_with(high), max(43, -(-high * _ONE_IN * 4 // 3))) for high in range(2, _HEAD + 1)]
    # Lines of one run may each be short.
    lines = rf"{_RUN}{{{_SHORTEST}}}\r?\n[ \t]*{_RUN}"
    return rf"{begins}(?:{'|'.join(short)})", rf"{begins}(?:{'|'.join(long)})", lines


def _with(high: int) -> Iterator[tuple[str, ...]]:
    """The kinds of the first bytes of a text in latin-1 of which so many are beyond ASCII."""
    return (each for each in product(("plain", "high"), repeat=_HEAD) if each.count("high") == high)


def _begun(heads: Iterable[tuple[str, ...]], shortest: int) -> str:
    """A run of at least so many characters whose first bytes are of these kinds."""
    return rf"(?:{_heads(heads)}){_RUN}{{{shortest - 8}}}"


def _heads(heads: Iterable[tuple[str, ...]]) -> str:
    return "|".join(sorted({_quad(kinds[:3]) + _quad(kinds[3:]) for kinds in heads}))


def _kinds(length: int) -> Iterator[tuple[str, ...]]:
    for kinds in product(_AFTER, repeat=length):
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
