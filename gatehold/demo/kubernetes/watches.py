"""Watches: the change log as a stream of events, one JSON document a line."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.answers import encode
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.listing import revision_of
from gatehold.demo.kubernetes.objects import KubernetesObject
from gatehold.demo.kubernetes.reads import selected, view_of
from gatehold.demo.kubernetes.rendering import View, render_event
from gatehold.demo.kubernetes.requests import Call
from gatehold.demo.kubernetes.selectors import Predicate
from gatehold.demo.kubernetes.statuses import Cause
from gatehold.demo.kubernetes.storage import Change, TooOldError

DEFAULT_SECONDS = 1800
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@dataclass(slots=True, kw_only=True)
class Watch:
    """One open watch."""

    cluster: Cluster
    call: Call
    view: View
    wanted: Predicate
    initial: bool
    """Whether the objects that exist are sent first."""
    marked: bool
    """Whether a bookmark tells where those end."""
    after: int
    """The last revision that was sent, or needs no sending."""
    headers_due: bool = True

    async def stream(self) -> AsyncIterator[bytes]:
        """The events until the time is up, the log was lost, or the client leaves."""
        loop, store = asyncio.get_running_loop(), self.cluster.store
        ends = loop.time() + (self.call.query.number("timeoutSeconds") or DEFAULT_SECONDS)
        bookmark_due = loop.time() + self.cluster.bookmark_interval
        for line in self._initial():
            yield line
        while True:
            seen = store.revision
            try:
                for change in store.changes(self.call.target.resource, self.after):
                    event = self._changed(change)
                    if event is not None:
                        yield event
            except TooOldError:
                yield self._too_old(seen)
                return
            self.after = max(self.after, seen)
            if loop.time() >= ends:
                return
            if loop.time() >= bookmark_due:
                bookmark_due = loop.time() + self.cluster.bookmark_interval
                if self._bookmarks:
                    yield self._bookmark()
            await store.wait_beyond(seen, min(ends, bookmark_due) - loop.time())

    @property
    def _bookmarks(self) -> bool:
        return self.call.query.flag("allowWatchBookmarks")

    def _initial(self) -> Iterator[bytes]:
        if not self.initial:
            return
        with self.cluster.store.locked():
            self.after = self.cluster.store.revision
            items = self.cluster.store.items(self.call.target.resource, self.call.target.namespace)
        for item in filter(self.wanted, items):
            yield self._event("ADDED", item)
        if self.marked and self._bookmarks:
            yield self._bookmark({INITIAL_EVENTS_END: "true"})

    def _changed(self, change: Change) -> bytes | None:
        """The event for a change; an object that stops matching is deleted for this watch, one that starts is added."""
        was = change.previous is not None and self.wanted(change.previous)
        stays = change.type != "DELETED" and self.wanted(change.item)
        if stays:
            return self._event("MODIFIED" if was else "ADDED", change.item)
        if not was or change.previous is None:
            return None
        metadata = change.previous["metadata"] | {"resourceVersion": str(change.revision)}
        return self._event("DELETED", change.previous | {"metadata": metadata})

    def _bookmark(self, annotations: dict[str, str] | None = None) -> bytes:
        metadata: dict[str, Any] = {"resourceVersion": str(self.after)}
        metadata |= {"annotations": annotations} if annotations else {}
        resource = self.call.target.resource
        return self._event(
            "BOOKMARK", {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
        )

    def _event(self, kind: str, item: KubernetesObject) -> bytes:
        view = replace(self.view, moment=self.cluster.store.clock())
        event = render_event(kind, item, view, headers=self.headers_due)
        self.headers_due = False
        return encode(event)

    def _too_old(self, revision: int) -> bytes:
        error = statuses.expired(f"too old resource version: {self.after} ({revision})")
        return self._event("ERROR", error.status())


def open_watch(cluster: Cluster, call: Call) -> AsyncIterator[bytes]:
    """The stream of a watch; raises ApiError (400, 406, 422) before it starts."""
    view, wanted = view_of(cluster, call), selected(call)
    asked = "sendInitialEvents" in call.query
    _check_match(call, asked=asked)
    call.query.number("timeoutSeconds")
    since = revision_of(call.query.first("resourceVersion"))
    marked = asked and call.query.flag("sendInitialEvents")
    initial = marked if asked else since == 0
    after = cluster.store.revision if since == 0 else since
    watch = Watch(cluster=cluster, call=call, view=view, wanted=wanted, initial=initial, marked=marked, after=after)
    return watch.stream()


def _check_match(call: Call, *, asked: bool) -> None:
    match = call.query.first("resourceVersionMatch")
    if asked and match != "NotOlderThan":
        why = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    elif match and not asked:
        why = "Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"
    else:
        return
    cause = Cause(field="resourceVersionMatch", message=why, reason="FieldValueForbidden")
    raise statuses.invalid("ListOptions", "meta.k8s.io", "", [cause])
