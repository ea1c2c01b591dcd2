"""What agents were shown by filtered lists and watches: the objects that their caches may hold.

A client lists, then watches from there, and expects a DELETED for whatever it listed and may not see any longer. A
watch alone cannot know what was listed before it began; this memory does. It is bounded: what is forgotten is the
oldest list, and its client misses a DELETED, but is never shown more for it.

For each object it is kept since when it is hidden, as a resourceVersion. These are ordered integers (since Kubernetes
1.35 by contract); a watch that begins after that point belongs to a client that knows. Objects come and go as long as a
cluster runs: of those that are gone the newest are kept, for servers do not go back further than some minutes either.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Lock

from masking.filtering.sight import Identity
from policy.model import SessionId, TargetName

MAX_OBJECTS = 200_000
"""Objects that are remembered in all."""
MAX_GONE = 10_000
"""Of these, objects that are hidden or deleted."""
MAX_STREAM = 100_000
"""Objects that one watch remembers."""
_VISIBLE = 0
_NOTHING: OrderedDict[str, int] = OrderedDict()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The objects of one kind and place, as one agent session sees them."""

    session: tuple[str, str, SessionId]
    """Issuer, subject, session."""
    target: TargetName
    group: str
    resource: str
    namespace: str


class ShownObjects:
    """The memory of all sessions. Safe to use from several threads."""

    def __init__(self, limit: int = MAX_OBJECTS, gone: int = MAX_GONE) -> None:
        self._limit = limit
        self._most_gone = gone
        self._lock = Lock()
        self._count = 0
        self._listings: OrderedDict[Listing, OrderedDict[str, int]] = OrderedDict()
        self._gone: OrderedDict[tuple[Listing, str], None] = OrderedDict()
        """Those that are hidden or deleted, longest gone first."""

    def __len__(self) -> int:
        return self._count

    def listed(self, listing: Listing, *, shown: Iterable[Identity], hidden: Iterable[Identity] = ()) -> None:
        """A list showed some objects and held others back."""
        with self._lock:
            for one in shown:
                self._add(listing, one.key)
            known = self._listings.get(listing, _NOTHING)
            for one in hidden:
                if known.get(one.key) == _VISIBLE:
                    self._discard(listing, one.key, one.revision)

    def add(self, listing: Listing, key: str) -> None:
        """An object was shown."""
        with self._lock:
            self._add(listing, key)

    def discard(self, listing: Listing, key: str, revision: str) -> None:
        """The agent was told that an object is gone, as of a resourceVersion."""
        with self._lock:
            self._discard(listing, key, revision)

    def watched(self, listing: Listing, since: str) -> "WatchedObjects":
        """The memory of a watch from a resourceVersion on; from none or 0 it begins with all objects, knowing none."""
        start = _revision(since)
        fresh = since in ("", "0")
        with self._lock:
            known = _NOTHING if fresh else self._listings.get(listing, _NOTHING)
            keys = [key for key, hidden in known.items() if hidden == _VISIBLE or hidden > start]
        return WatchedObjects(self, listing, keys)

    def _add(self, listing: Listing, key: str) -> None:
        known = self._listings.setdefault(listing, OrderedDict())
        self._listings.move_to_end(listing)
        self._count += key not in known
        self._gone.pop((listing, key), None)
        known[key] = _VISIBLE
        known.move_to_end(key)
        while self._count > self._limit:
            self._forget()

    def _discard(self, listing: Listing, key: str, revision: str) -> None:
        known = self._listings.get(listing, _NOTHING)
        if key not in known:
            return
        known[key] = _revision(revision)
        self._gone.pop((listing, key), None)
        if known[key] == _VISIBLE:
            return
        self._gone[listing, key] = None
        if len(self._gone) > self._most_gone:
            self._drop(*self._gone.popitem(last=False)[0])

    def _forget(self) -> None:
        """The object shown longest ago, of the list used longest ago."""
        listing, known = next(iter(self._listings.items()))
        key = next(iter(known))
        self._gone.pop((listing, key), None)
        self._drop(listing, key)

    def _drop(self, listing: Listing, key: str) -> None:
        known = self._listings[listing]
        del known[key]
        self._count -= 1
        if not known:
            del self._listings[listing]


class WatchedObjects:
    """What one watch has shown, and what its client knew before. Masking's ``Shown``."""

    def __init__(self, memory: ShownObjects, listing: Listing, known: Iterable[str], limit: int = MAX_STREAM) -> None:
        self._memory = memory
        self._listing = listing
        self._known = OrderedDict.fromkeys(known)
        self._limit = limit

    def __contains__(self, key: str) -> bool:
        return key in self._known

    def add(self, key: str) -> None:
        """It is shown now."""
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > self._limit:
            self._known.popitem(last=False)
        self._memory.add(self._listing, key)

    def discard(self, key: str, revision: str) -> None:
        """The agent is told that it is gone."""
        self._known.pop(key, None)
        self._memory.discard(self._listing, key, revision)


def _revision(text: str) -> int:
    """A resourceVersion as a number; one that is none counts as visible, and is told again."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else _VISIBLE
