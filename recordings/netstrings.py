"""Typed netstrings, in which mitmproxy writes flows: ``5:hello,`` ``4:true!`` ``8:3:key;0:~}``.

What an agent or a target chose is bounded before it is remembered: the caches hold short things, or few.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any, Final

_SHORT: Final = 100
"""Bytes of a header field, or characters of a text, that is remembered."""


def dump(value: Any) -> bytes:
    """A value; text that is not UTF-8 is escaped, so that no name that an agent chose can stop a record.

    Raises TypeError for what has no such form.
    """
    dumper = _DUMPERS.get(type(value))
    if dumper is None:
        dumper = next((known for kind, known in _DUMPERS.items() if isinstance(value, kind)), _refuse)
    return dumper(value)


def members(*parts: bytes) -> bytes:
    """A mapping of keys and values in turn, encoded: copied once."""
    return b"".join((b"%d:" % sum(map(len, parts)), *parts, b"}"))


@lru_cache(256, typed=True)
def same_members(names: tuple[str, ...], *values: Any) -> bytes:
    """Keys and values for ``members``, of which there are few different ones."""
    return b"".join([dump(part) for pair in zip(names, values, strict=True) for part in pair])


def fields(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Header fields. Most are the same in many messages."""
    return _listed(
        [_short_field(*pair) if len(pair[0]) + len(pair[1]) < _SHORT else _dump_sequence(pair) for pair in pairs]
    )


@lru_cache(4096)
def _short_field(name: bytes, value: bytes) -> bytes:
    return _dump_sequence((name, value))


def _listed(items: Sequence[bytes]) -> bytes:
    joined = b"".join(items)
    return b"%d:%b]" % (len(joined), joined)


def _refuse(value: object) -> bytes:
    raise TypeError(f"a flow cannot hold a {type(value).__name__}")


def _dump_str(value: str) -> bytes:
    text = value.encode("utf-8", "backslashreplace")
    return b"%d:%b;" % (len(text), text)


def _dump_int(value: int) -> bytes:
    number = b"%d" % value
    return b"%d:%b#" % (len(number), number)


def _dump_float(value: float) -> bytes:
    number = repr(float(value)).encode("ascii")
    return b"%d:%b^" % (len(number), number)


def _dump_sequence(value: Sequence[Any]) -> bytes:
    return _listed([dump(item) for item in value])


def _dump_mapping(value: Mapping[str, Any]) -> bytes:
    parts: list[bytes] = []
    for key, item in value.items():
        if type(item) is str and len(item) < _SHORT:
            parts.append(_short_text(key, item))
        else:
            parts += _dump_str(key), dump(item)
    return members(*parts)


@lru_cache(4096)
def _short_text(key: str, item: str) -> bytes:
    return _dump_str(key) + _dump_str(item)


_DUMPERS: Final[dict[type, Callable[[Any], bytes]]] = {
    str: _dump_str,
    bytes: lambda value: b"%d:%b," % (len(value), value),
    NoneType: lambda _: b"0:~",
    bool: lambda value: b"4:true!" if value else b"5:false!",
    int: _dump_int,
    float: _dump_float,
    list: _dump_sequence,
    tuple: _dump_sequence,
    dict: _dump_mapping,
    Mapping: _dump_mapping,
}
