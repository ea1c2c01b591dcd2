"""YAML, the part of it that every version and decoder reads alike.

Decoders differ most on plain scalars: ``no``, ``010``, ``1:30``, ``1_000`` and ``0o17`` are a boolean, octal,
sexagesimal, a number or a text, depending on who reads. Such scalars make the document unreadable, as do tags,
directives, merge keys, a second document, keys that are no text, duplicate keys, and more than a few aliases. So does
a character that ends a line for YAML 1.1 only (the API server's reader), and for neither YAML 1.2 nor JSON. The tree is
built from the event stream, so nesting and size are bounded before anything is built.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from policy.actions.jsontext import MAX_DEPTH, checked_object, decode_utf8, double, integer, read_json
from policy.actions.readings import Disputed, Unreadable

MAX_BYTES = 256 * 1024
MAX_ALIASES = 16

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_ODD_BREAKS = re.compile("[\x85\u2028\u2029\ufeff]")
"""Next line, line and paragraph separator: YAML 1.1 folds them into a space, even in quotes. Byte order marks."""
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DOUBLE = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_AMBIGUOUS = re.compile(
    r"[yY]|yes|Yes|YES|[nN]|no|No|NO|on|On|ON|off|Off|OFF|<<|="
    r"|[-+]?[0-9][0-9_]*(?::[0-9]+)*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.[0-9_]+(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?0[xX][0-9a-fA-F_]+|[-+]?0[oO][0-7_]+|[-+]?0[bB][01_]+"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)


def read_yaml(body: bytes) -> Any:
    """The value of a YAML document; raises ``Unreadable``."""
    text = _text(body)
    if _may_be_json(text):
        try:
            return read_json(body)
        except Unreadable:
            pass  # flow style need not be JSON
    if len(body) > MAX_BYTES:
        raise Unreadable(f"YAML is larger than {MAX_BYTES} bytes")
    try:
        return _Builder(yaml.parse(text, Loader=yaml.CSafeLoader)).document()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable(f"not YAML: {type(error).__name__}") from None


def is_json(body: bytes) -> bool:
    """Whether a YAML document is read as the JSON that it is; raises ``Unreadable`` where it cannot be read at all."""
    if not _may_be_json(_text(body)):
        return False
    try:
        read_json(body)
    except Unreadable:
        return False
    return True


def _text(body: bytes) -> str:
    text = decode_utf8(body)
    if _ODD_BREAKS.search(text):
        raise Disputed("a character that ends a line for some decoders only")
    return text


def _may_be_json(text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["} and '"<<"' not in text


def read_plain(text: str) -> Any:
    """The value of a plain scalar; raises ``Unreadable`` where decoders do not agree on it."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return integer(text)
    if _DOUBLE.fullmatch(text):
        return double(text)
    if _AMBIGUOUS.fullmatch(text) or (text[0] in "+-.0123456789" and _AMBIGUOUS.fullmatch(text.replace("_", ""))):
        raise Disputed("a plain scalar that decoders read differently")
    return text


class _Builder:
    """Builds one document from its events. A node is built as (value, height), a scalar having height 0."""

    def __init__(self, events: Iterator[Any]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._aliases = 0

    def document(self) -> Any:
        next(self._events)
        start = next(self._events)
        if not isinstance(start, yaml.DocumentStartEvent):
            raise Unreadable("there is no document")
        if start.version or start.tags:
            raise Unreadable("a directive")
        value, _ = self._node(next(self._events), 0)
        next(self._events)
        if not isinstance(next(self._events), yaml.StreamEndEvent):
            raise Unreadable("more than one document")
        return value

    def _node(self, event: Any, depth: int) -> tuple[Any, int]:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if getattr(event, "tag", None) is not None:
            raise Unreadable("a tag")
        aliases = self._aliases
        node = self._untagged(event, depth)
        if event.anchor is not None:
            if self._aliases > aliases:
                raise Unreadable("an alias below an anchor")
            self._anchors[event.anchor] = node
        return node

    def _untagged(self, event: Any, depth: int) -> tuple[Any, int]:
        if isinstance(event, yaml.ScalarEvent):
            return (event.value if event.style else read_plain(event.value)), 0
        if depth >= MAX_DEPTH:
            raise Unreadable(f"YAML is nested deeper than {MAX_DEPTH} levels")
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(depth + 1)
        return self._mapping(depth + 1)

    def _alias(self, event: yaml.AliasEvent, depth: int) -> tuple[Any, int]:
        self._aliases += 1
        if self._aliases > MAX_ALIASES or event.anchor not in self._anchors:
            raise Unreadable("too many aliases, or one without an anchor before it")
        value, height = self._anchors[event.anchor]
        if depth + height > MAX_DEPTH:
            raise Unreadable(f"YAML is nested deeper than {MAX_DEPTH} levels")
        return value, height

    def _sequence(self, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        top = 0
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            value, height = self._node(event, depth)
            items.append(value)
            top = max(top, height)
        return items, top + 1

    def _mapping(self, depth: int) -> tuple[dict[str, Any], int]:
        pairs: list[tuple[str, Any]] = []
        top = 0
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if isinstance(event, yaml.ScalarEvent) and event.value == "<<":
                raise Unreadable("a merge key")
            key, _ = self._node(event, depth)
            if not isinstance(key, str):
                raise Unreadable("a key that is no text")
            value, height = self._node(next(self._events), depth)
            pairs.append((key, value))
            top = max(top, height)
        return checked_object(pairs), top + 1
