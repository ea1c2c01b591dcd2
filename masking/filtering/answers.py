"""Whole answers: lists, Tables, lists of metadata, lists of lists, single objects, errors.

Shapes are those of k8s.io/apimachinery meta/v1: a ``*List`` with ``items``, a ``Table`` with ``rows`` whose ``object``
says what each row is about, or one object. Of a list's own metadata only what is known to tell nothing of other
objects stays: ``remainingItemCount`` counts hidden ones, and ``continue`` names the next one in clear.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from masking.errors import Unmaskable
from masking.filtering.sight import Identity, Sight, identity
from masking.filtering.spans import Element, Member, mapping, members, unique, whole

type Seal = Callable[[str], str]
"""Makes a ``continue`` token unreadable for the agent."""
type Edit = tuple[int, int, str]
"""A span of the text, and what stands there instead."""
type Top = dict[str, Member]
"""The members of an object, by name."""

MAX_NESTED = 4
"""Lists in lists that are looked into."""
_HEAD = frozenset({"kind", "apiVersion", "metadata"})
_LIST = _HEAD | {"items"}
_TABLE = _HEAD | {"rows", "columnDefinitions"}
_LIST_METADATA = frozenset({"selfLink", "resourceVersion", "continue", "shardInfo"})


@dataclass(slots=True, kw_only=True)
class Filtered:
    """An answer without what is hidden."""

    text: str
    shown: list[Identity] = field(default_factory=list)
    hidden: list[Identity] = field(default_factory=list)
    """Objects that were judged and left out."""
    dropped: int = 0
    """How many were left out, with those that could not be judged."""


class Entry(NamedTuple):
    """An element of ``items`` or ``rows``: its span, what object it is or is about, whether it is a list itself."""

    start: int
    end: int
    one: Identity | None
    is_list: bool


def filter_list(text: str, sight: Sight, seal: Seal) -> Filtered:
    """The answer to a list; raises ``Unmaskable`` where it is none."""
    top = whole(text, READERS)
    result = Filtered(text=text)
    result.text = applied(text, 0, len(text), _edits(text, top, sight, seal, result, depth=0))
    return result


def filter_object(text: str, sight: Sight) -> Filtered:
    """The answer to a get: one object, or a Table of it. Nothing is shown where the object is hidden."""
    top = whole(text, READERS)
    result = Filtered(text=text)
    kind = kind_of(top)
    if kind == "Table":
        result.text = applied(text, 0, len(text), _edits(text, top, sight, _unsealed, result, depth=0))
    elif not kind or kind == "Status":
        raise Unmaskable("the answer is not an object")
    else:
        _judge(identity(tuple((member.name, member.value) for member in top.values())), sight, result)
    return result


def pass_status(text: str, seal: Seal) -> str:
    """The answer of a server that failed: a ``Status``, which may hold a ``continue`` token; anything else raises."""
    top = whole(text)
    if kind_of(top) != "Status":
        raise Unmaskable("the answer is not a Status")
    return applied(text, 0, len(text), list(_list_metadata(text, top, seal)))


def kind_of(top: Top) -> str:
    """The kind that an object states; empty where it states none."""
    value = top["kind"].value if "kind" in top else None
    return value if isinstance(value, str) else ""


def _read_item(item: Element) -> Entry:
    known = mapping(item.value) or {}
    return Entry(item.start, item.end, identity(item.value), _is_list(known))


def _read_row(row: Element) -> Entry:
    known = mapping(row.value) or {}
    return Entry(row.start, row.end, identity(known.get("object")), is_list=False)


READERS = {"items": _read_item, "rows": _read_row}
"""What is kept of the elements of a list and of a Table."""


def _is_list(known: dict[str, Any]) -> bool:
    """Whether an item is a list of its own: an object has a name, a list has none."""
    kind, metadata = known.get("kind"), mapping(known.get("metadata")) or {}
    return isinstance(kind, str) and kind.endswith("List") and "items" in known and not metadata.get("name")


def _edits(text: str, top: Top, sight: Sight, seal: Seal, result: Filtered, *, depth: int) -> list[Edit]:  # noqa: PLR0913
    """The edits that take what is hidden out of a list or Table; notes in ``result`` what they are about."""
    is_table = kind_of(top) == "Table"
    array = top.get("rows" if is_table else "items")
    if array is None or not (is_table or kind_of(top).endswith("List")):
        raise Unmaskable("the answer is not a list of objects")
    if depth == MAX_NESTED or not top.keys() <= (_TABLE if is_table else _LIST):
        raise Unmaskable("the answer is not a list as Kubernetes writes it")
    if array.value is not None and not isinstance(array.value, list):
        raise Unmaskable("the objects of the answer are not an array")
    entries: Sequence[Entry] = array.value or ()
    pieces = [
        _inner(text, entry, sight, result, depth) if entry.is_list else text[entry.start : entry.end]
        for entry in entries
        if entry.is_list or _judge(entry.one, sight, result)
    ]
    edits = list(_list_metadata(text, top, seal))
    if len(pieces) != len(entries) or any(entry.is_list for entry in entries):
        edits.append((array.start, array.end, f"[{','.join(pieces)}]"))
    return edits


def _inner(text: str, entry: Entry, sight: Sight, result: Filtered, depth: int) -> str:
    """A list in a list, filtered."""
    top = unique(members(text, entry.start, READERS))
    edits = _edits(text, top, sight, _unsealed, result, depth=depth + 1)
    return applied(text, entry.start, entry.end, edits)


def _judge(one: Identity | None, sight: Sight, result: Filtered) -> bool:
    """Whether an object may be seen; noted in ``result``."""
    if one is not None and sight.shows(one):
        result.shown.append(one)
        return True
    if one is not None:
        result.hidden.append(one)
    result.dropped += 1
    return False


def _list_metadata(text: str, top: Top, seal: Seal) -> Iterator[Edit]:
    """The edit of a list's metadata, if there is anything in it that does not stay as it is."""
    metadata = top.get("metadata")
    if metadata is None or metadata.value is None:
        return
    if mapping(metadata.value) is None:
        raise Unmaskable("the metadata of the answer cannot be read")
    found = unique(members(text, metadata.start))
    token = found["continue"].value if "continue" in found else ""
    if not isinstance(token, str):
        raise Unmaskable("the metadata of the answer cannot be read")
    if token or not found.keys() <= _LIST_METADATA:
        parts = [_metadatum(text, member, seal) for member in found.values() if member.name in _LIST_METADATA]
        yield metadata.start, metadata.end, f"{{{','.join(parts)}}}"


def _metadatum(text: str, member: Member, seal: Seal) -> str:
    if member.name != "continue" or not member.value:
        return text[member.begin : member.end]
    return f'"continue":{json.dumps(seal(member.value))}'


def _unsealed(_: str) -> str:
    raise Unmaskable("an answer that cannot be continued holds a token to do so")


def applied(text: str, start: int, end: int, edits: list[Edit]) -> str:
    """``text[start:end]`` with edits, which do not overlap."""
    pieces: list[str] = []
    for first, last, replacement in sorted(edits):
        pieces += (text[start:first], replacement)
        start = last
    return "".join(pieces) + text[start:end] if pieces else text[start:end]
