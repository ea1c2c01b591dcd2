"""Watches."""

import json
from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import pytest

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.requests import Call, Query, parse_target
from gatehold.demo.kubernetes.resources import CONFIGMAPS
from gatehold.demo.kubernetes.statuses import ApiError
from gatehold.demo.kubernetes.storage import Store
from gatehold.demo.kubernetes.watches import open_watch

PATH = "/api/v1/namespaces/prod/configmaps"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"


def watch(cluster: Cluster, query: str, *, path: str = PATH, accept: str = "application/json") -> AsyncIterator[bytes]:
    target = parse_target(path)
    assert target is not None
    return open_watch(cluster, Call(method="GET", target=target, query=Query(query), headers={"accept": accept}))


async def take(stream: AsyncIterator[bytes], count: int) -> list[dict[str, Any]]:
    events = []
    for _ in range(count):
        line = await anext(stream)
        assert line.endswith(b"\n")
        events.append(json.loads(line))
    return events


async def everything(stream: AsyncIterator[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) async for line in stream]


def put(store: Store, name: str, **labels: str) -> dict[str, Any]:
    """Create or relabel a config map."""
    old = store.find(CONFIGMAPS, "prod", name)
    if old is None:
        metadata = {"name": name, "namespace": "prod", "labels": labels}
        return store.create(CONFIGMAPS, {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata})
    new = deepcopy(old)
    new["metadata"]["labels"] = labels
    return store.replace(CONFIGMAPS, new)


async def test_what_exists_comes_first(ticking_cluster: Cluster) -> None:
    """Without a version, or from 0, the objects that exist are added first, then changes follow."""
    for query in ("watch=1", "watch=1&resourceVersion=0"):
        stream = watch(ticking_cluster, query)
        (first,) = await take(stream, 1)
        assert (first["type"], first["object"]["metadata"]["name"]) == ("ADDED", "shop-settings")
        assert first["object"]["kind"] == "ConfigMap"
        put(ticking_cluster.store, f"new{len(query)}")
        (second,) = await take(stream, 1)
        assert second["type"] == "ADDED"
        ticking_cluster.store.remove(CONFIGMAPS, "prod", f"new{len(query)}")


async def test_changes_after_a_version_are_replayed(ticking_cluster: Cluster) -> None:
    """From a version on, every change comes once and in order, with the kind of change."""
    store = ticking_cluster.store
    since = store.revision
    put(store, "a")
    put(store, "a", x="1")
    store.remove(CONFIGMAPS, "prod", "a")
    events = await take(watch(ticking_cluster, f"resourceVersion={since}"), 3)
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(event["object"]["metadata"]["resourceVersion"]) for event in events]
    assert versions == [since + 1, since + 2, since + 3]


async def test_selectors_make_objects_come_and_go(ticking_cluster: Cluster) -> None:
    """One that starts to match is added, one that stops is deleted; the others are never seen."""
    store = ticking_cluster.store
    stream = watch(ticking_cluster, f"resourceVersion={store.revision}&labelSelector=x%3D1")
    put(store, "a")
    put(store, "a", x="1")
    put(store, "a", x="1", y="2")
    put(store, "a", x="2")
    put(store, "a", x="3")
    events = await take(stream, 3)
    assert [event["type"] for event in events] == ["ADDED", "MODIFIED", "DELETED"]
    gone = events[-1]["object"]["metadata"]
    assert (gone["labels"], int(gone["resourceVersion"])) == ({"x": "1", "y": "2"}, store.revision - 1)


async def test_one_object_by_name(ticking_cluster: Cluster) -> None:
    """metadata.name as a field selector, and the old path, watch one object."""
    store, since = ticking_cluster.store, ticking_cluster.store.revision
    by_field = watch(ticking_cluster, f"resourceVersion={since}&fieldSelector=metadata.name%3Db")
    by_path = watch(ticking_cluster, f"resourceVersion={since}", path="/api/v1/watch/namespaces/prod/configmaps/b")
    put(store, "a")
    put(store, "b")
    for stream in (by_field, by_path):
        assert (await take(stream, 1))[0]["object"]["metadata"]["name"] == "b"


async def test_initial_events_end_with_a_bookmark(ticking_cluster: Cluster) -> None:
    """A watch list sends what exists, then a bookmark that says so, then changes."""
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
    stream = watch(ticking_cluster, query)
    added, mark = await take(stream, 2)
    assert (added["type"], mark["type"]) == ("ADDED", "BOOKMARK")
    assert mark["object"]["kind"] == "ConfigMap"
    assert mark["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert int(mark["object"]["metadata"]["resourceVersion"]) == ticking_cluster.store.revision
    put(ticking_cluster.store, "a")
    assert (await take(stream, 1))[0]["type"] == "ADDED"


async def test_bookmarks_come_by_the_clock(ticking_cluster: Cluster) -> None:
    """A silent watch that allows bookmarks gets them; one that does not ends in silence."""
    ticking_cluster.bookmark_interval = 0
    put(ticking_cluster.store, "a")
    query = f"resourceVersion={ticking_cluster.store.revision}&timeoutSeconds=1"
    (mark,) = await take(watch(ticking_cluster, f"{query}&allowWatchBookmarks=true"), 1)
    assert mark["object"]["metadata"] == {"resourceVersion": str(ticking_cluster.store.revision)}
    ticking_cluster.bookmark_interval = 60
    assert await everything(watch(ticking_cluster, query)) == []


async def test_tables_name_their_columns_once(ticking_cluster: Cluster) -> None:
    """Events of a Table watch are tables of one row; only the first has columns."""
    stream = watch(ticking_cluster, "watch=1", accept=TABLE)
    put(ticking_cluster.store, "a")
    first, second = await take(stream, 2)
    assert first["object"]["kind"] == "Table"
    assert [column["name"] for column in first["object"]["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert second["object"]["columnDefinitions"] is None
    assert len(second["object"]["rows"]) == 1


async def test_a_lost_past_is_an_error_event(ticking_cluster: Cluster) -> None:
    """From a version that the log no longer has, the watch answers Expired and ends."""
    ticking_cluster.store = Store(history=1)
    put(ticking_cluster.store, "a")
    put(ticking_cluster.store, "b")
    (event,) = await everything(watch(ticking_cluster, "resourceVersion=1"))
    assert (event["type"], event["object"]["code"], event["object"]["reason"]) == ("ERROR", 410, "Expired")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("resourceVersion=x", 400),
        ("timeoutSeconds=x", 400),
        ("labelSelector=%3D%3D", 400),
        ("sendInitialEvents=true", 422),
        ("resourceVersionMatch=NotOlderThan", 422),
    ],
)
def test_bad_options_are_refused_at_once(ticking_cluster: Cluster, query: str, code: int) -> None:
    """The error is an answer, not an event."""
    with pytest.raises(ApiError) as error:
        watch(ticking_cluster, query)
    assert error.value.code == code
