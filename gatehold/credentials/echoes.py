"""The spellings in which a credential may come back in an answer. Pure.

Raw, reversed, base64 (wherever in a longer text the value stands: ``user:value`` is encoded as a whole), hexadecimal,
percent-encoded, JSON-escaped, in markup, in one case, in UTF-16; percent and JSON also with every character escaped.
Values under ``SHORTEST`` are left out: they would hit ordinary text.
"""

import base64
import contextlib
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

_LEFT_ALONE = ("", "/", "!'()*", ";,/?:@&=+$!'()*", ";,/?:@&=+$#!'()*", "-_.~/?:@!$&'()*+,;=")
"""By strict encoders, Python's, JavaScript's two, Go's for a query's value and a fragment."""
_ESCAPE = re.compile("%[0-9A-F]{2}")
_BY_GO = str.maketrans({each: f"\\u{ord(each):04x}" for each in "<>&"})
_BY_NET = str.maketrans({each: f"\\u{ord(each):04X}" for each in "<>&'+`"})
SHORTEST = 8
"""Bytes of a value or spelling that is worth looking for."""


def spellings(values: Iterable[str]) -> tuple[bytes, ...]:
    """All spellings of all values, without duplicates, the longest first."""
    found = {form for value in values if len(value.encode()) >= SHORTEST for form in forms(value)}
    return tuple(sorted((form for form in found if len(form) >= SHORTEST), key=lambda form: (-len(form), form)))


def forms(value: str) -> Iterable[bytes]:
    """Every form of one value, however short, some of them more than once."""
    yield value.lower().encode()
    yield value.upper().encode()
    yield value.encode("utf-16-le", "surrogatepass")
    yield value.encode("utf-16-be", "surrogatepass")
    yield from (text.encode() for text in (*_markup_forms(value), *_json_forms(value), *_url_forms(value)))
    yield "".join(f"\\u{ord(each):04x}" for each in value if ord(each) < 1 << 16).encode()
    for raw in _bytes_of(value):
        yield raw
        yield raw[::-1]
        for digits in (raw.hex(), raw.hex().upper()):
            yield digits.encode()
            yield "".join(f"%{digits[at : at + 2]}" for at in range(0, len(digits), 2)).encode()
        yield from _base64_forms(raw)


def _bytes_of(value: str) -> Iterable[bytes]:
    """In UTF-8, and in Latin-1 where that is something else: headers are often written so."""
    yield value.encode()
    if not value.isascii():
        with contextlib.suppress(UnicodeEncodeError):
            yield value.encode("latin-1")


def _markup_forms(value: str) -> Iterable[str]:
    """HTML and XML, with the two ways to write an apostrophe and a quotation mark."""
    escaped = html.escape(value, quote=False)
    for quotes in (("&quot;", "&#x27;"), ("&#34;", "&#39;"), ("&quot;", "&apos;"), ("&quot;", "&#39;"), ('"', "'")):
        yield escaped.replace('"', quotes[0]).replace("'", quotes[1])


def _json_forms(value: str) -> Iterable[str]:
    """JSON, also with slashes escaped, and with what Go, Ruby and .NET escape for the sake of HTML."""
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield escaped.translate(_BY_GO)
        yield escaped.translate(_BY_NET).replace('\\"', "\\u0022")


def _url_forms(value: str) -> Iterable[str]:
    """Percent-encoded, as encoders differ in what they leave alone and in the case of their digits."""
    texts = {quote(raw, safe=safe) for raw in _bytes_of(value) for safe in _LEFT_ALONE}
    texts |= {quote_plus(raw, safe=safe) for raw in _bytes_of(value) for safe in ("", "*")}
    for text in texts:
        yield text
        yield _ESCAPE.sub(lambda escape: escape[0].lower(), text)
        yield text.replace("~", "%7E")


def _base64_forms(raw: bytes) -> Iterable[bytes]:
    """The characters that depend on nothing but ``raw``, for each of its three alignments in what is encoded."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        start = -(-offset * 8 // 6)
        end = (offset + len(raw)) * 8 // 6
        core = encoded[start:end]
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))
