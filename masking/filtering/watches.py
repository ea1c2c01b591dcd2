"""Watches: events of hidden objects never pass, and an object that becomes hidden is deleted for the agent.

A watch is a sequence of lines ``{"type": T, "object": O}`` (k8s.io/apimachinery meta/v1, WatchEvent). What an agent
sees of it must be what an unfiltered watch would be in a cluster that held visible objects only:

===================  =====================  ==========================
the object was       and is now visible     and is now hidden
===================  =====================  ==========================
shown                as it came             DELETED, by name only
not shown            ADDED for MODIFIED     nothing
===================  =====================  ==========================

A DELETED of the server tells the last state of the object, and is judged by that. Bookmarks name no object; an ERROR
holds a Status. In a watch of Tables an event holds a Table of one row, and only the first one names the columns.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from masking.errors import Unmaskable, refusing
from masking.filtering.answers import Edit, applied, pass_status
from masking.filtering.sight import Identity, Sight, identity
from masking.filtering.spans import Member, mapping, members, unique, whole
from masking.stream import Lines

MAX_EVENT = 4 << 20
"""Bytes of the largest event; etcd holds objects of 1.5 MiB."""
_EVENT = frozenset({"type", "object"})
_CHANGES = frozenset({"ADDED", "MODIFIED", "DELETED"})
_GONE = "GONE"
"""Told as DELETED, and of the object no more than its name."""


class Shown(Protocol):
    """The objects that the agent was shown and believes to exist."""

    def __contains__(self, key: str) -> bool:
        """Was it shown?"""

    def add(self, key: str) -> None:
        """It is shown now."""

    def discard(self, key: str, revision: str) -> None:
        """The agent is told that it is gone, as of a resourceVersion."""


class WatchFilter:
    """One watch on its way, without content coding. After an ``Unmaskable`` it gives nothing any more."""

    def __init__(self, sight: Sight, shown: Shown) -> None:
        self._sight = sight
        self._shown = shown
        self._lines = Lines()
        self._columns = ""
        self._cut = False

    def feed(self, chunk: bytes) -> bytes:
        """The events that ``chunk`` completes and that the agent may see; often empty."""
        if self._cut:
            raise Unmaskable("the stream was cut")
        self._cut = True
        with refusing():
            passed = b"".join([self._passed(line) for line in self._lines.feed(chunk)])
        if self._lines.held > MAX_EVENT:
            raise Unmaskable("an event of the watch is too large")
        self._cut = False
        return passed

    def end(self) -> bytes:
        """What is left: an event may lack its line feed, but it must be whole."""
        return self.feed(b"\n") if self._lines.held else b""

    def _passed(self, line: bytes) -> bytes:
        if len(line) > MAX_EVENT:
            raise Unmaskable("an event of the watch is too large")
        try:
            text = line.decode()
        except UnicodeDecodeError:
            raise Unmaskable("body is not valid in its charset") from None
        return self._event(text).encode() if text.strip(" \t\r\n") else b""

    def _event(self, text: str) -> str:
        """One event as the agent may see it; empty where it may not."""
        event = _read(text)
        if event.type == "ERROR":
            status = pass_status(text[event.body.start : event.body.end], _unsealed)
            return applied(text, 0, len(text), [(event.body.start, event.body.end, status)])
        if event.type == "BOOKMARK":
            _check_bookmark(event)
            return text
        if event.type not in _CHANGES or len(event.subjects) != 1:
            raise Unmaskable("not an event of a watch")
        one = identity(event.subjects[0])
        told = "" if one is None else self._told(event.type, one)
        columns = self._columns_for(text, event, told)
        if not told or one is None:
            return ""
        if told == _GONE:
            return _gone(event, one, columns)
        edits: list[Edit] = [] if told == event.type else [(event.named.start, event.named.end, json.dumps(told))]
        return applied(text, 0, len(text), edits + _column_edits(event, text, columns))

    def _told(self, kind: str, one: Identity) -> str:
        """What the agent is told of a change; empty: nothing."""
        visible, known = self._sight.shows(one), one.key in self._shown
        if kind == "DELETED" or not visible:
            if known:
                self._shown.discard(one.key, one.revision)
            gone = _GONE if known else ""
            return kind if visible else gone
        self._shown.add(one.key)
        return "ADDED" if kind == "MODIFIED" and not known else kind

    def _columns_for(self, text: str, event: "_Event", told: str) -> str:
        """The columns of an event's Table: its own, or those of the first one where that was not passed on."""
        if not event.is_table:
            return ""
        member = _in_table(text, event).get("columnDefinitions")
        columns = text[member.start : member.end] if member is not None and member.value else self._columns
        self._columns = "" if told else columns
        return columns


class _Event(NamedTuple):
    """One event, read."""

    type: Any
    named: Member
    """Where the type stands."""
    body: Member
    is_table: bool
    known: dict[str, Any]
    """The object, by name."""
    subjects: Sequence[Any]
    """What it is about: the object, or those of a Table's rows."""


def _read(text: str) -> _Event:
    top = whole(text)
    known = mapping(top["object"].value) if top.keys() == _EVENT else None
    if known is None:
        raise Unmaskable("not an event of a watch")
    is_table = known.get("kind") == "Table"
    subjects = _row_objects(known.get("rows")) if is_table else [top["object"].value]
    return _Event(top["type"].value, top["type"], top["object"], is_table, known, subjects)


def _row_objects(rows: Any) -> list[Any]:
    found = [mapping(row) for row in rows] if isinstance(rows, list) else [None]
    if None in found:
        raise Unmaskable("not an event of a watch")
    return [row.get("object") for row in found if row is not None]


def _check_bookmark(event: _Event) -> None:
    """A bookmark tells how far the watch is, and never of an object."""
    for subject in event.subjects:
        metadata = mapping((mapping(subject) or {}).get("metadata"))
        if metadata is None or metadata.get("name"):
            raise Unmaskable("a bookmark that names an object")


def _in_table(text: str, event: _Event) -> dict[str, Member]:
    return unique(members(text, event.body.start))


def _column_edits(event: _Event, text: str, columns: str) -> list[Edit]:
    """Put columns where a Table has none of its own."""
    if not columns or event.known.get("columnDefinitions"):
        return []
    member = _in_table(text, event).get("columnDefinitions")
    if member is not None:
        return [(member.start, member.end, columns)]
    return [(event.body.start + 1, event.body.start + 1, f'"columnDefinitions":{columns},')]


def _gone(event: _Event, one: Identity, columns: str) -> str:
    """The event that tells that an object is gone, with nothing of what it has become."""
    reduced = _reduced(mapping(event.subjects[0]) or {}, one)
    if not event.is_table:
        return _written({"type": "DELETED", "object": reduced})
    (row,) = event.known["rows"]
    cells = (mapping(row) or {}).get("cells")
    kept = [cell if cell == one.name else None for cell in cells] if isinstance(cells, list) else []
    head = {key: event.known[key] for key in ("kind", "apiVersion") if isinstance(event.known.get(key), str)}
    table = head | {"metadata": {}, "columnDefinitions": None, "rows": [{"cells": kept, "object": reduced}]}
    text = _written({"type": "DELETED", "object": table})
    return text.replace('"columnDefinitions":null', f'"columnDefinitions":{columns}', 1) if columns else text


def _reduced(known: dict[str, Any], one: Identity) -> dict[str, Any]:
    named = {"name": one.name, "namespace": one.namespace, "uid": one.uid, "resourceVersion": one.revision}
    head = {key: known[key] for key in ("kind", "apiVersion") if isinstance(known.get(key), str)}
    return head | {"metadata": {key: value for key, value in named.items() if value}}


def _written(event: dict[str, Any]) -> str:
    return json.dumps(event, separators=(",", ":")) + "\n"


def _unsealed(_: str) -> str:
    raise Unmaskable("a watch cannot be continued by a token")
