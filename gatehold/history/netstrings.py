"""Parts of flows, straight from the bytes of a flow file: typed netstrings, of which most are passed over.

mitmproxy's own reader makes objects of connections, certificates and messages, which costs more than everything that is
done with them here. Format: https://tnetstrings.info as mitmproxy writes it, ``;`` for texts and ``,`` for bytes.
"""

from collections.abc import Collection
from typing import Any, Final

MAX_DIGITS: Final = 12
_DICTIONARY: Final = ord("}")


class TornError(ValueError):
    """Here is no whole element of the kind that was expected."""


type Element = tuple[int, int, int]
"""Where the content of one element begins and ends, and its type: the byte behind, where the next one follows."""


def element(data: bytes, start: int, limit: int) -> Element:
    """The element that begins here and ends before ``limit``. Raises TornError."""
    colon = data.find(b":", start, start + MAX_DIGITS + 1)
    try:
        end = colon + 1 + int(data[start:colon])
    except ValueError:
        raise TornError("no element") from None
    if not start < colon < end + 1 <= limit:
        raise TornError("half an element")
    return colon + 1, end, data[end]


def picked(data: bytes, of: Element, names: Collection[bytes]) -> dict[bytes, Element]:
    """The members of a dictionary that have these names; the rest of it is not read. Raises TornError."""
    place, limit, kind = of
    if kind != _DICTIONARY:
        raise TornError("no dictionary")
    found: dict[bytes, Element] = {}
    wanted = len(names)
    while place < limit and len(found) < wanted:
        start, end, _ = element(data, place, limit)
        value = element(data, end + 1, limit)
        name = data[start:end]
        if name in names:
            found[name] = value
        place = value[1] + 1
    return found


def value_of(data: bytes, of: Element) -> Any:
    """What an element stands for; texts as str. Raises TornError."""
    start, end, kind = of
    try:
        match chr(kind):
            case ",":
                return data[start:end]
            case ";":
                return data[start:end].decode("utf-8")
            case "#":
                return int(data[start:end])
            case "^":
                return float(data[start:end])
            case "!":
                return data[start:end] == b"true"
            case "~":
                return None
            case "]":
                return _items(data, of)
            case "}":
                words = _items(data, of)
                return {_text(key): value for key, value in zip(words[::2], words[1::2], strict=True)}
    except TornError:
        raise
    except (ValueError, RecursionError):
        pass
    raise TornError("no value")


def _items(data: bytes, of: Element) -> list[Any]:
    place, limit, _ = of
    found = []
    while place < limit:
        item = element(data, place, limit)
        found.append(value_of(data, item))
        place = item[1] + 1
    return found


def _text(key: Any) -> str:
    if not isinstance(key, str):
        raise TornError("a key that is no text")
    return key
