"""JSON (RFC 8259), read so strictly that no other reader can take the text for something else.

Decoders differ on duplicate keys, keys that differ in case only (Go's ``encoding/json`` takes them for one), NaN,
byte order marks, other encodings, lone surrogates and large numbers. Each of these makes the text unreadable here,
except integers beyond 64 bits, which become doubles.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from policy.actions.readings import Disputed, Unreadable

MAX_DEPTH = 64
MAX_BRACKETS = 1_000_000
"""Opening and closing ones together: what the bound on depth costs grows with them."""
MAX_BYTES = 4 * 1024 * 1024
"""A text of this size takes a quarter of a second to read. The Kubernetes API server takes 3 MiB at most."""
INT64 = range(-(2**63), 2**63)

# The closing quote is optional, so that a text full of unterminated strings is passed over once, not once for each.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SQUARE = bytes.maketrans(b"{}", b"[]")
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def read_json(body: bytes) -> Any:
    """The value of a JSON text; raises ``Unreadable``."""
    if len(body) > MAX_BYTES:
        raise Unreadable(f"JSON is larger than {MAX_BYTES} bytes")
    if not is_shallow(body):
        raise Unreadable(f"JSON is nested deeper than {MAX_DEPTH} levels or its brackets do not match")
    text = decode_utf8(body)
    try:
        value = _DECODER.decode(text)
        if _SURROGATE_ESCAPE.search(body):
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (UnicodeEncodeError, json.JSONDecodeError, RecursionError) as error:
        raise Unreadable(f"not JSON: {type(error).__name__}") from None
    return value


def is_shallow(body: bytes, limit: int = MAX_DEPTH) -> bool:
    """Whether brackets outside of strings match and nest at most ``limit`` deep; looks at the raw bytes only.

    Of a text reduced to its brackets, each round takes away the innermost pairs: as many rounds as levels.
    """
    if body.count(b"[") + body.count(b"{") <= limit:
        return True
    skeleton = _STRING.sub(b"", body).translate(_SQUARE, _NOT_BRACKETS)
    for _ in range(limit if len(skeleton) <= MAX_BRACKETS else 0):
        inner = skeleton.replace(b"[]", b"")
        if len(inner) == len(skeleton):
            break
        skeleton = inner
    return not skeleton


def decode_utf8(body: bytes) -> str:
    """The text of a body; raises ``Unreadable`` for anything but UTF-8 without a byte order mark."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8") from None
    if text.startswith("\ufeff"):
        raise Unreadable("starts with a byte order mark")
    return text


def checked_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of these members; raises ``Unreadable`` where two names are the same, or but for case."""
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Unreadable("a key occurs twice")
    if len(set(map(str.casefold, value))) != len(value):
        raise Disputed("two keys differ in case only")
    return value


def integer(text: str) -> int | float:
    """A decimal integer as a 64-bit one, else as a double."""
    if len(text) < 19 or (len(text) <= 20 and int(text) in INT64):
        return int(text)
    return double(text)


def double(text: str) -> float:
    """A decimal number as a double; raises ``Unreadable`` where it is too large for one."""
    number = float(text)
    if math.isinf(number):
        raise Unreadable("a number is out of range")
    return number


def members(text: str, at: int) -> Iterator[tuple[str, Any, int, int]]:
    """Key, value, and start and end of the value, of each member of the object at ``at``; the text has to be JSON."""
    at = _skip(text, at + 1)
    while text[at] != "}":
        key, at = _DECODER.raw_decode(text, at)
        value, end = _DECODER.raw_decode(text, start := _skip(text, _skip(text, at) + 1))
        yield key, value, start, end
        at = _skip(text, end)
        at = _skip(text, at + 1) if text[at] == "," else at


def _skip(text: str, at: int) -> int:
    """Past white space."""
    while text[at] in " \t\n\r":
        at += 1
    return at


def _constant(name: str) -> Any:
    raise Unreadable(f"{name} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=checked_object, parse_int=integer, parse_float=double, parse_constant=_constant
)
