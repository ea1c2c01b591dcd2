"""Members and elements of a JSON text, one after the other, each with the span that it takes.

The standard library's C scanner reads every value and says where it ends, so that a text can be taken apart and put
together again without any value being written anew. Values come as ``json_screen.parse`` gives them: objects as tuples
of pairs, so that duplicate names stay. Elements of long arrays are read one at a time, reduced by a reader to what
matters, and thrown away: that takes half the time of reading all at once.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Never

from masking.errors import Unmaskable
from masking.formats.json_screen import NotJson

_SPACE = re.compile(r"[ \t\n\r]*+")


class Element(NamedTuple):
    """A value and its span."""

    value: Any
    start: int
    end: int


type Readers = Mapping[str, Callable[[Element], Any]]
"""By member name, what is kept of each element of an array that stands there."""
_NO_READERS: Readers = {}


class Member(NamedTuple):
    """A member of an object: its name, its value, where the name begins, the span of the value."""

    name: str
    value: Any
    begin: int
    start: int
    end: int


def elements(text: str, start: int, reader: Callable[[Element], Any]) -> tuple[list[Any], int]:
    """What ``reader`` keeps of each element of the array that begins at ``start``, and where the array ends."""
    at = _skip(text, start + 1)
    if text[at : at + 1] == "]":
        return [], at + 1
    kept: list[Any] = []
    while True:
        value, end = _value(text, at)
        kept.append(reader(Element(value, at, end)))
        at = _skip(text, end)
        if text[at : at + 1] == "]":
            return kept, at + 1
        at = _skip(text, _past(text, at, ","))


def members(text: str, start: int, readers: Readers = _NO_READERS) -> Iterator[Member]:
    """The members of the object that begins at ``start``. The value of an array with a reader is what that keeps."""
    at = _skip(text, start + 1)
    if text[at : at + 1] == "}":
        return
    while True:
        if text[at : at + 1] != '"':
            raise NotJson
        name, end = _value(text, at)
        first = _skip(text, _past(text, _skip(text, end), ":"))
        reader = readers.get(name) if text[first : first + 1] == "[" else None
        value, end = _value(text, first) if reader is None else elements(text, first, reader)
        yield Member(name, value, at, first, end)
        at = _skip(text, end)
        if text[at : at + 1] == "}":
            return
        at = _skip(text, _past(text, at, ","))


def whole(text: str, readers: Readers = _NO_READERS) -> dict[str, Member]:
    """The members of a text that is one object; raises ``Unmaskable`` where it is none or a name occurs twice."""
    start = _skip(text, 0)
    if text[start : start + 1] != "{":
        raise NotJson
    found = unique(members(text, start, readers))
    last = max((member.end for member in found.values()), default=start + 1)
    if _skip(text, _past(text, _skip(text, last), "}")) != len(text):
        raise NotJson
    return found


def unique(found: Iterable[Member]) -> dict[str, Member]:
    """Members by name; raises ``Unmaskable`` where one occurs twice."""
    by_name: dict[str, Member] = {}
    for member in found:
        if member.name in by_name:
            raise Unmaskable("a member occurs twice")
        by_name[member.name] = member
    return by_name


def mapping(value: Any) -> dict[str, Any] | None:
    """An object that was read, by name; None where it is none or a name occurs twice."""
    if not isinstance(value, tuple):
        return None
    found: dict[str, Any] = dict(value)
    return found if len(found) == len(value) else None


def _refuse(_: str) -> Never:
    raise ValueError("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=tuple, parse_constant=_refuse)


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise Unmaskable("JSON is nested too deeply") from None
    except ValueError:
        raise NotJson from None


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return at if match is None else match.end()


def _past(text: str, at: int, mark: str) -> int:
    if text[at : at + 1] != mark:
        raise NotJson
    return at + 1
