"""Lines of the journal as what happened: one entry for a call, however many lines it has, in the order in which it was.

Pure.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from gatehold.console.wording import headline
from recordings.listing import CALLS, Row
from recordings.ocsf import Kind
from recordings.scanning import Found, Place

_OF_CALLS: Final = CALLS | {Kind.INTENT.value, Kind.LOOKUP.value, Kind.INCIDENT.value}


@dataclass(slots=True, kw_only=True)
class Entry:
    """A call, or something else that happened."""

    row: Row
    """Its last word: how the call ended, or its intent where no end is known."""
    began: float
    """When its first line was written, Unix seconds."""
    place: Place
    """Behind its last line."""
    rows: list[Row] = field(default_factory=list, repr=False)
    """All its lines, the newest first."""

    @property
    def is_call(self) -> bool:
        """Is it a call of an agent?"""
        return self.row.kind in _OF_CALLS

    @property
    def is_open(self) -> bool:
        """Is the call under way, or did the gateway end before it did?"""
        return self.row.kind == Kind.INTENT

    @property
    def headline(self) -> tuple[str, str]:
        """Verb and object."""
        return headline(facts_of(self.row), self.row.method, self.row.path)

    @property
    def masked(self) -> int:
        """Values that were hidden; lines of a stream count all before them, too."""
        return max((sum(row.masked.values()) for row in self.rows), default=0)

    @property
    def approval(self) -> str:
        """The approval that it needed."""
        return next((row.approval for row in self.rows if row.approval), "")

    @property
    def lookups(self) -> int:
        """Calls that the gateway made to judge it."""
        return sum(row.kind == Kind.LOOKUP for row in self.rows)

    @property
    def incident(self) -> str:
        """What happened that was not judged so; empty where nothing did."""
        found = next((row for row in self.rows if row.kind == Kind.INCIDENT), None)
        return "" if found is None else str(found.raw["event"].get("finding_info", {}).get("title", "an incident"))

    @property
    def words(self) -> str:
        """What it is, where it is no call: ``approval approved``, ``session end``."""
        own = own_words(self.row)
        entity = self.row.raw["event"].get("entity", {}).get("type", "") or self.row.kind
        change = own.get("state") or own.get("action") or own.get("move") or ""
        return f"{entity} {change}".strip().lower()

    @property
    def about(self) -> str:
        """Whom or what it is about, where that has a name: a user, a session, a file."""
        own = own_words(self.row)
        files = [str(each.get("file", "")) for each in own.get("files") or () if isinstance(each, dict)]
        named = [str(own[name]) for name in ("user", "session", "value", "grant", "file") if own.get(name)]
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        return ", ".join(dict.fromkeys([*named, *files[:1]])) + more


def entries(found: Iterable[Found]) -> list[Entry]:
    """The newest first, as scans find them; several lines of one call are one entry, where its last line stands."""
    known: dict[str, Entry] = {}
    for row, place in found:
        of_call = row.kind in _OF_CALLS and row.decision
        key = row.decision if of_call else f"{place}"
        entry = known.get(key)
        if entry is None:
            known[key] = Entry(row=row, began=row.time, place=place, rows=[row])
            continue
        entry.rows.append(row)
        entry.began = row.time
        if entry.row.kind not in CALLS and (row.kind in CALLS or row.kind == Kind.INTENT):
            entry.row = row
    return list(known.values())


def summed(found: Sequence[Entry]) -> dict[str, int]:
    """How many calls there are of each verdict, and how many values were masked in them."""
    calls = [entry for entry in found if entry.is_call]
    verdicts = {verdict: sum(entry.row.verdict == verdict for entry in calls) for verdict in ("allow", "hold", "deny")}
    return {"calls": len(calls), **verdicts, "masked": sum(entry.masked for entry in calls)}


def own_words(row: Row) -> Mapping[str, Any]:
    """What the event says in words of this project."""
    found: Mapping[str, Any] = row.raw["event"]["unmapped"]["gatehold"]
    return found


def facts_of(row: Row) -> Mapping[str, Any]:
    """What the decoder found; empty where it was too much to keep."""
    facts = own_words(row).get("facts")
    return facts if isinstance(facts, dict) else {}
