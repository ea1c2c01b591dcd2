"""Header look-ups that go through the fields once.

mitmproxy asks some thirty times per call whether a message has a header, through five layers of generic dictionaries
that convert every name on the way. These give the same answers, straight from the fields.
"""

from collections.abc import Iterable
from typing import Any

from mitmproxy import http

type Name = str | bytes


def install() -> None:
    """Put them in place, in this process."""
    replacements = {
        "__init__": _init,
        "__contains__": _contains,
        "__getitem__": _getitem,
        "get": _get,
        "get_all": _get_all,
    }
    for name, replacement in replacements.items():
        setattr(http.Headers, name, replacement)


def _init(self: http.Headers, fields: Iterable[tuple[bytes, bytes]] = (), **headers: Name) -> None:
    if headers:
        _stock_init(self, fields, **headers)
        return
    self.fields = tuple(tuple(field) for field in fields)  # type: ignore[misc]
    for name, value in self.fields:
        if not isinstance(name, bytes) or not isinstance(value, bytes):
            raise TypeError("Header fields must be bytes.")


def _get_all(self: http.Headers, name: Name) -> list[str]:
    wanted = _spelled(name)
    size = len(wanted)
    return [
        value.decode("utf-8", "surrogateescape")
        for given, value in self.fields
        if len(given) == size and given.lower() == wanted
    ]


def _get(self: http.Headers, name: Name, default: Any = None) -> Any:
    values = _get_all(self, name)
    return ", ".join(values) if values else default


def _getitem(self: http.Headers, name: Name) -> str:
    values = _get_all(self, name)
    if not values:
        raise KeyError(name)
    return ", ".join(values)


def _contains(self: http.Headers, name: object) -> bool:
    if not isinstance(name, str | bytes):
        return False
    wanted = _spelled(name)
    return any(given.lower() == wanted for given, _ in self.fields)


def _spelled(name: Name) -> bytes:
    return (name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name).lower()


_stock_init = http.Headers.__init__
