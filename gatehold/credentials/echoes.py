"""The spellings in which a credential may come back in an answer. Pure.

Raw, reversed, base64 (wherever in a longer text the value stands: ``user:value`` is encoded as a whole), hexadecimal,
percent-encoded and JSON-escaped, the last two also with every character escaped. Values under ``SHORTEST`` are left
out: they would hit ordinary text.
"""

import base64
import html
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

SHORTEST = 8
"""Bytes of a value or spelling that is worth looking for."""


def spellings(values: Iterable[str]) -> tuple[bytes, ...]:
    """All spellings of all values, without duplicates, the longest first."""
    found = {form for value in values if len(value.encode()) >= SHORTEST for form in forms(value)}
    return tuple(sorted((form for form in found if len(form) >= SHORTEST), key=lambda form: (-len(form), form)))


def forms(value: str) -> Iterable[bytes]:
    """Every form of one value, however short, some of them more than once."""
    raw = value.encode()
    yield raw
    yield html.escape(value).encode()
    yield raw[::-1]
    for digits in (raw.hex(), raw.hex().upper()):
        yield digits.encode()
        yield "".join(f"%{digits[at : at + 2]}" for at in range(0, len(digits), 2)).encode()
    yield "".join(f"\\u{ord(each):04x}" for each in value if ord(each) < 1 << 16).encode()
    for text in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield text.encode()
        yield text.lower().encode() if "%" in text else raw
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped.encode()
        yield escaped.replace("/", "\\/").encode()
    yield from _base64_forms(raw)


def _base64_forms(raw: bytes) -> Iterable[bytes]:
    """The characters that depend on nothing but ``raw``, for each of its three alignments in what is encoded."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        start = -(-offset * 8 // 6)
        end = (offset + len(raw)) * 8 // 6
        core = encoded[start:end]
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))
