r"""Decoded readings of a text that know where each character came from.

A value can be written in more than one way: ``\u0040`` in JSON, ``%40`` in a URL, ``&#64;`` in HTML, and so in two of
them at once. Whatever reads the answer will decode it, so it has to be judged as decoded; what is replaced are the raw
characters. A view is the decoded text plus the map back.
"""

import html
import json
import re
import sys
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

_ROUNDS = 2
"""How many times over a text is decoded: what is encoded once more is still read, as by what hands it on."""


@dataclass(frozen=True, slots=True)
class View:
    """``text`` as decoded, with the origin of every position of it."""

    text: str
    _decoded: Sequence[int] = (0,)
    """Positions in the decoded text from which on the distance to the raw text changes; ascending, from 0."""
    _raw: Sequence[int] = (0,)
    """The raw position of each of them."""
    _below: "View | None" = None
    """What the raw text of this view is a view of."""

    def origin(self, position: int) -> int:
        """Where in the raw text the decoded character at ``position`` (0..len) starts."""
        at = bisect_right(self._decoded, position) - 1 if len(self._decoded) > 1 else 0
        raw = self._raw[at] + position - self._decoded[at]
        return self._below.origin(raw) if self._below else raw


type _Units = Iterator[tuple[int, int, str]]
"""(raw start, raw end, decoded text) of every encoded unit, in order."""


def decoded(raw: str, units: _Units) -> View:
    """``raw`` with its encoded units decoded."""
    pieces: list[str] = []
    places, origins = [0], [0]
    length = position = 0
    for start, end, text in units:
        pieces += (raw[position:start], text)
        length += start - position + len(text)
        position = end
        places.append(length)
        origins.append(end)
    pieces.append(raw[position:])
    return View("".join(pieces), places, origins)


_JSON_ESCAPE = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_JSON_SHORT = {r"\"": '"', r"\\": "\\", r"\/": "/", r"\b": "\b", r"\f": "\f", r"\n": "\n", r"\r": "\r", r"\t": "\t"}


def json_string(raw: str) -> View:
    """The inside of a JSON string token, unescaped. Lone surrogates stay what they are."""
    return decoded(raw, _json_units(raw))


def _json_units(raw: str) -> _Units:
    for match in _JSON_ESCAPE.finditer(raw):
        escape = match[0]
        yield match.start(), match.end(), _JSON_SHORT.get(escape) or json.loads(f'"{escape}"')


_PERCENT = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_FORM = re.compile(r"\+|(?:%[0-9A-Fa-f]{2})+")


def percent(raw: str) -> View:
    """Percent-decoded text (RFC 3986)."""
    return decoded(raw, _percent_units(raw, _PERCENT))


def form(raw: str) -> View:
    """Percent-decoded text in which ``+`` is a space (application/x-www-form-urlencoded)."""
    return decoded(raw, _percent_units(raw, _FORM))


def _percent_units(raw: str, pattern: re.Pattern[str]) -> _Units:
    for match in pattern.finditer(raw):
        if match[0] == "+":
            yield match.start(), match.end(), " "
            continue
        octets = bytes.fromhex(match[0].replace("%", ""))
        try:
            characters = octets.decode()
        except UnicodeDecodeError:
            characters = octets.decode("latin-1")
            widths = [1] * len(octets)
        else:
            widths = [len(character.encode()) for character in characters]
        position = match.start()
        for character, width in zip(characters, widths, strict=True):
            yield position, position + 3 * width, character
            position += 3 * width


_ENTITY = re.compile(
    r"&(?:#(?:[xX]0*+(?P<hex>[0-9a-fA-F]{0,6})|0*+(?P<number>[0-9]{0,7}));?|[A-Za-z][A-Za-z0-9]{1,31};)"
)


def markup(raw: str) -> View:
    """Text in which the character references of HTML and XML are resolved.

    As browsers have it, a number may begin with any count of zeros, and need not end in a semicolon.
    """
    return decoded(raw, ((match.start(), match.end(), _referred(match)) for match in _ENTITY.finditer(raw)))


def _referred(match: re.Match[str]) -> str:
    if match["hex"]:
        return html.unescape(f"&#x{match['hex']};")
    return html.unescape(f"&#{match['number']};" if match["number"] else match[0][:64])


_BEYOND_ASCII = re.compile("[^\\x00-\\x7f]")
_UNSEEN = re.compile(
    "[\u00ad\u0300-\u036f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\uffa0\U000e0000-\U000e01ef]"
)
"""What takes no room: formats, fillers, selectors of variants and tags; and the marks that combine with a character."""
_DOT = re.compile("[\u3002\uff61]")
"""What domain names may have for a dot (IDNA); the full-width one is told by its form."""
_DASH = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]")


def folded(raw: str) -> View:
    """Text as it looks: digits and signs in their ASCII form, without characters that take no room.

    Full-width digits, digits of another script and digits with zero-width spaces between them read as the digits that
    they show (Unicode NFKC, where that is one ASCII character).
    """
    shown = raw.translate(_FORMS)
    if len(shown) == len(raw):
        return View(shown)
    matches = _BEYOND_ASCII.finditer(raw)
    units = ((match.start(), match.end(), _ascii_form(match[0])) for match in matches)
    return decoded(raw, ((start, end, text) for start, end, text in units if text != raw[start:end]))


@lru_cache(4096)
def _ascii_form(character: str) -> str:
    if _UNSEEN.match(character):
        return ""
    if _DASH.match(character):
        return "-"
    if _DOT.match(character):
        return "."
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    form = unicodedata.normalize("NFKC", character)
    return form if form.isascii() and len(form) == 1 else character


class _Forms(dict[int, str]):
    """For ``str.translate``: the form of each character, which is one character or nothing."""

    def __missing__(self, code: int) -> str:
        self[code] = form = chr(code) if code < 128 else _ascii_form(chr(code))
        return form


_FORMS = _Forms()


_ESCAPE = re.compile(
    r"\\{1,16}+(?:x(?P<octet>[0-9A-Fa-f]{2})|u\{(?P<braced>[0-9A-Fa-f]{1,22})\}|U(?P<long>[0-9A-Fa-f]{8})|"
    r"u(?P<high>[dD][89abAB][0-9a-fA-F]{2})\\{1,16}+u(?P<low>[dD][c-fC-F][0-9a-fA-F]{2})|u(?P<short>[0-9A-Fa-f]{4}))"
)


def escaped(raw: str) -> View:
    """Text in which the numeric escapes of JSON, JavaScript and YAML are undone, whatever kind of string they stand in.

    A string in a string escapes the backslash as well, so that there may be several. What is no character stays.
    """
    return decoded(raw, ((match.start(), match.end(), _unescaped(match)) for match in _ESCAPE.finditer(raw)))


def _unescaped(match: re.Match[str]) -> str:
    if match["high"]:
        return chr(0x10000 + ((int(match["high"], 16) & 0x3FF) << 10) + (int(match["low"], 16) & 0x3FF))
    code = int(match["octet"] or match["braced"] or match["long"] or match["short"], 16)
    return match[0] if code > sys.maxunicode or 0xD800 <= code < 0xE000 else chr(code)


_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}|&(?:#[0-9xX]|[A-Za-z]{2,31};)|\\[xuU][0-9A-Fa-f{]")
_DECODERS: tuple[Callable[[str], View], ...] = (percent, markup, escaped)


def is_plain(text: str) -> bool:
    """Whether there is no other way to read an ASCII text."""
    return ("%" not in text and "&" not in text and "\\" not in text) or not _ENCODED.search(text)


def readings(text: str) -> Iterator[View]:
    """``text`` itself, then every other way in which it may be read and reads differently."""
    if text.isascii() and is_plain(text):
        yield View(text)
        return
    for view in _decodings(text):
        yield view
        if not view.text.isascii():
            shown = folded(view.text)
            if shown.text != view.text:
                yield replace(shown, _below=view)


def _decodings(text: str) -> Iterator[View]:
    """The text, and what it says when it is decoded once or twice."""
    known = {text}
    views = [View(text)]
    yield views[0]
    for _ in range(_ROUNDS):
        views = [inner for view in views if not is_plain(view.text) for inner in _decoded(view, known)]
        yield from views


def _decoded(view: View, known: set[str]) -> Iterator[View]:
    for decoder in _DECODERS:
        inner = decoder(view.text)
        if inner.text not in known:
            known.add(inner.text)
            yield replace(inner, _below=view)
