"""The objects, with one counter of revisions and a log of changes, as etcd keeps them.

Every change gets the next revision, which becomes the object's resourceVersion; watches replay the log from a
revision and then wait. Objects handed out are the stored ones: callers copy before they change. Any thread may call.
"""

import asyncio
import random
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass
from threading import RLock
from typing import Literal

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.objects import (
    Clock,
    KubernetesObject,
    meta,
    name_of,
    namespace_of,
    now,
    timestamp,
)
from gatehold.demo.kubernetes.resources import Resource

FIRST_REVISION = 1000
SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"

type ChangeType = Literal["ADDED", "MODIFIED", "DELETED"]


class TooOldError(Exception):
    """The log no longer goes back to that revision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One step in the life of an object."""

    revision: int
    type: ChangeType
    resource: Resource
    item: KubernetesObject
    """The object after the change; a deleted one as it last was, with the revision of its deletion."""
    previous: KubernetesObject | None = None


type Observer = Callable[[Change], None]


class Store:
    """All objects of the server. With a `seed`, names and uids are the same on every run."""

    def __init__(self, *, clock: Clock = now, history: int = 2000, seed: int | None = None) -> None:
        self.clock = clock
        self._chance = random.Random(seed)  # noqa: S311 - names and uids, not secrets
        self.revision = FIRST_REVISION
        self._history = history
        self._items: dict[tuple[str, str], dict[tuple[str, str], KubernetesObject]] = {}
        self._log: dict[tuple[str, str], deque[Change]] = {}
        self._forgotten: dict[tuple[str, str], int] = {}
        self._compacted = FIRST_REVISION
        self._lock = RLock()
        self._wakers: set[Callable[[], None]] = set()
        self._observers: list[Observer] = []

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else changes anything inside the block."""
        with self._lock:
            yield

    def find(self, resource: Resource, namespace: str, name: str) -> KubernetesObject | None:
        with self._lock:
            return self._of(resource).get((namespace, name))

    def get(self, resource: Resource, namespace: str, name: str) -> KubernetesObject:
        """The object; raises ApiError (404)."""
        found = self.find(resource, namespace, name)
        if found is None:
            raise statuses.not_found(resource, name)
        return found

    def items(self, resource: Resource, namespace: str = "") -> list[KubernetesObject]:
        """The objects of a namespace, of all if it is empty, by namespace and name."""
        with self._lock:
            return [item for (of, _), item in sorted(self._of(resource).items()) if namespace in ("", of)]

    def items_at(self, resource: Resource, namespace: str, revision: int) -> list[KubernetesObject]:
        """What `items` said when that was the revision; raises TooOldError."""
        with self._lock:
            undone = {(namespace_of(item), name_of(item)): item for item in self.items(resource)}
            for change in reversed(self.changes(resource, revision) if revision < self.revision else []):
                key = (namespace_of(change.item), name_of(change.item))
                undone.pop(key, None)
                if change.previous is not None:
                    undone[key] = change.previous
            return [item for (of, _), item in sorted(undone.items()) if namespace in ("", of)]

    def compact(self) -> None:
        """Forget what happened so far: older watches and lists have expired."""
        with self._lock:
            self._compacted = self.revision

    def create(self, resource: Resource, item: KubernetesObject) -> KubernetesObject:
        """Add an object; identity and times are filled in. Raises ApiError (409)."""
        with self._lock:
            key = (namespace_of(item), name_of(item))
            if key in self._of(resource):
                raise statuses.already_exists(resource, key[1])
            fresh = self.prepared(resource, item)
            return self._commit(resource, "ADDED", fresh, None)

    def prepared(self, resource: Resource, item: KubernetesObject) -> KubernetesObject:
        """A copy with uid, creation time and generation, as a new object has them."""
        fresh = deepcopy(item)
        metadata = meta(fresh)
        metadata.setdefault("uid", str(uuid.UUID(int=self._chance.getrandbits(128), version=4)))
        metadata.setdefault("creationTimestamp", timestamp(self.clock()))
        if resource.generation:
            metadata.setdefault("generation", 1)
        return fresh

    def replace(self, resource: Resource, item: KubernetesObject) -> KubernetesObject:
        """Change an object that exists. Nothing happens if nothing differs. Raises ApiError (404)."""
        with self._lock:
            old = self.get(resource, namespace_of(item), name_of(item))
            return old if item == old else self._commit(resource, "MODIFIED", deepcopy(item), old)

    def remove(self, resource: Resource, namespace: str, name: str) -> KubernetesObject:
        """Take an object away and return it; raises ApiError (404)."""
        with self._lock:
            old = self.get(resource, namespace, name)
            return self._commit(resource, "DELETED", deepcopy(old), old)

    def changes(self, resource: Resource, after: int) -> list[Change]:
        """What happened to a resource after a revision; raises TooOldError."""
        with self._lock:
            if after < max(self._forgotten.get(resource.key, FIRST_REVISION), self._compacted):
                raise TooOldError
            return [change for change in self._log.get(resource.key, ()) if change.revision > after]

    def observe(self, observer: Observer) -> None:
        """Call `observer` with every change, in the thread that makes it; it must not block."""
        self._observers.append(observer)

    def name_suffix(self) -> str:
        """Five letters, as `generateName` appends them."""
        return "".join(self._chance.choices(SUFFIX_LETTERS, k=5))

    async def wait_beyond(self, revision: int, seconds: float) -> None:
        """Return when there is a newer revision, or after that time."""
        loop, woken = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop of a server that stopped
                loop.call_soon_threadsafe(woken.set)

        with self._lock:
            if self.revision > revision:
                return
            self._wakers.add(wake)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(woken.wait(), seconds)
        finally:
            self._wakers.discard(wake)

    def _of(self, resource: Resource) -> dict[tuple[str, str], KubernetesObject]:
        return self._items.setdefault(resource.key, {})

    def _commit(
        self, resource: Resource, kind: ChangeType, item: KubernetesObject, previous: KubernetesObject | None
    ) -> KubernetesObject:
        self.revision += 1
        meta(item)["resourceVersion"] = str(self.revision)
        key = (namespace_of(item), name_of(item))
        if kind == "DELETED":
            del self._of(resource)[key]
        else:
            self._of(resource)[key] = item
        self._remember(Change(revision=self.revision, type=kind, resource=resource, item=item, previous=previous))
        return item

    def _remember(self, change: Change) -> None:
        log = self._log.setdefault(change.resource.key, deque())
        log.append(change)
        if len(log) > self._history:
            self._forgotten[change.resource.key] = log.popleft().revision
        for observer in self._observers:
            observer(change)
        for wake in tuple(self._wakers):
            wake()
