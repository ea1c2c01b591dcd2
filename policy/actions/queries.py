"""Query strings, read in two ways.

``read_query`` is for any upstream: what two servers could read differently makes the whole query unknown.
``read_parameters`` is for the Kubernetes API server alone and reads exactly as it does (Go's ``net/url.ParseQuery``,
whose errors the server ignores): a pair that holds ``;`` or a bad escape is not there.
"""

import re
from urllib.parse import unquote_to_bytes

from policy.actions.paths import malformed
from policy.model import UNKNOWN, Maybe

type Query = dict[str, tuple[str, ...]]
"""Values by name, in the order of the query."""

MAX_PAIRS = 1000
"""Go stops at 10,000; nobody needs as many."""
MAX_LENGTH = 65536
"""Characters of a raw query; a long one is the script of an exec."""

_RAW = re.compile(r"[!-\"$-~]*")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DROPPED = re.compile(r";|%(?![0-9A-Fa-f]{2})")


def check_query(raw: str) -> None:
    """Refuse what may not stand in a request line: spaces, control characters, ``#``, anything beyond ASCII."""
    if len(raw) > MAX_LENGTH:
        malformed("the query is too long")
    if not _RAW.fullmatch(raw):
        malformed("the query holds a space, a control character, a number sign or a character beyond ASCII")


def read_query(raw: str) -> Maybe[Query]:
    """The query without its ``?``; unknown with ``;``, a bad escape, invalid UTF-8 or too many pairs."""
    if ";" in raw or _BAD_ESCAPE.search(raw) or raw.count("&") >= MAX_PAIRS:
        return UNKNOWN
    try:
        return _collected([pair for pair in raw.split("&") if pair])
    except UnicodeDecodeError:
        return UNKNOWN


def read_parameters(raw: str) -> Query:
    """The query without its ``?``, as the Kubernetes API server reads it; raises ``Refusal`` (malformed)."""
    if raw.count("&") >= MAX_PAIRS:
        malformed("the query holds too many parameters")
    try:
        return _collected(
            [pair for pair in raw.split("&") if pair and ";" not in pair and not _BAD_ESCAPE.search(pair)]
        )
    except UnicodeDecodeError:
        malformed("a query parameter is not UTF-8")


def _collected(pairs: list[str]) -> Query:
    found: Query = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        key = _decoded(name)
        found[key] = (*found.get(key, ()), _decoded(value))
    return found


def _decoded(text: str) -> str:
    if "%" not in text and "+" not in text:
        return text
    return unquote_to_bytes(text.replace("+", " ")).decode("utf-8")
