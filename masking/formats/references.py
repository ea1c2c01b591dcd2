"""Character references of XML and HTML: texts as they read, and as they are written."""

import html
import re
from collections.abc import Iterator
from html.entities import html5

from masking.errors import Unmaskable
from masking.views import View, decoded

_STRICT = re.compile(r"&(?:#[0-9]{1,64}|#[xX][0-9a-fA-F]{1,64}|[A-Za-z][A-Za-z0-9]{1,31});")
_LENIENT = re.compile(r"&(?:#[0-9]{1,64};?|#[xX][0-9a-fA-F]{1,64};?|[A-Za-z][A-Za-z0-9]{1,31};?)")
_SHORTEST = 2


def resolved(raw: str, *, lenient: bool) -> View:
    """A text with its references resolved. ``lenient``: as HTML has it, where the semicolon may be missing."""
    if "&" not in raw:
        return View(raw)
    return decoded(raw, _units(raw, _LENIENT if lenient else _STRICT))


def _units(raw: str, pattern: re.Pattern[str]) -> Iterator[tuple[int, int, str]]:
    for match in pattern.finditer(raw):
        reference = match[0]
        if reference[1] == "#":
            yield match.start(), match.end(), html.unescape(reference)
            continue
        name = next((name for name in _prefixes(reference[1:]) if name in html5), "")
        if name:
            yield match.start(), match.start() + 1 + len(name), html5[name]


def _prefixes(name: str) -> Iterator[str]:
    """A name, then what of it could be a reference whose semicolon is missing."""
    yield name
    for end in range(len(name) - 1, _SHORTEST - 1, -1):
        yield name[:end]


def in_text(value: str) -> str:
    """A text as the content of an element."""
    return html.escape(value, quote=False)


def in_attribute(value: str) -> str:
    """A text as the inside of an attribute's quotes, whichever these are."""
    return html.escape(value).replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")


def verbatim(value: str) -> str:
    """A text where nothing is resolved: a comment, a script, a section of character data."""
    if any(mark in value for mark in ("--", "]]>", "?>", "</")):
        raise Unmaskable("a replacement does not fit into markup")
    return value
