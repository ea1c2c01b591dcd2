"""The store and its change log."""

import asyncio
import threading
from typing import Any

import pytest

from gatehold.demo.kubernetes.resources import CONFIGMAPS, DEPLOYMENTS
from gatehold.demo.kubernetes.statuses import ApiError
from gatehold.demo.kubernetes.storage import Store, TooOldError


def config_map(name: str, **data: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "n"}
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": metadata, "data": data}


def test_every_change_counts() -> None:
    """Revisions rise with every change and are the objects' versions; nothing changes, nothing counts."""
    store = Store()
    first = store.create(CONFIGMAPS, config_map("a"))
    second = store.replace(CONFIGMAPS, {**first, "data": {"x": "1"}})
    assert int(second["metadata"]["resourceVersion"]) == int(first["metadata"]["resourceVersion"]) + 1
    assert store.replace(CONFIGMAPS, dict(second)) is second
    gone = store.remove(CONFIGMAPS, "n", "a")
    assert int(gone["metadata"]["resourceVersion"]) == store.revision
    assert store.find(CONFIGMAPS, "n", "a") is None


def test_identity_is_given_once() -> None:
    """A new object gets uid, time and, where it counts, a generation; a name is taken once."""
    store = Store(seed=1)
    item = store.create(CONFIGMAPS, config_map("a"))
    assert {"uid", "creationTimestamp", "resourceVersion"} <= set(item["metadata"])
    assert "generation" not in item["metadata"]
    assert store.prepared(DEPLOYMENTS, {"metadata": {}})["metadata"]["generation"] == 1
    with pytest.raises(ApiError, match='configmaps "a" already exists'):
        store.create(CONFIGMAPS, config_map("a"))
    with pytest.raises(ApiError, match='configmaps "b" not found'):
        store.get(CONFIGMAPS, "n", "b")


def test_a_seed_makes_names_repeat() -> None:
    """Two stores with one seed agree, two without do not."""
    assert Store(seed=7).name_suffix() == Store(seed=7).name_suffix()
    uids = {Store().create(CONFIGMAPS, config_map("a"))["metadata"]["uid"] for _ in range(3)}
    assert len(uids) == 3


def test_the_log_replays_and_forgets() -> None:
    """Changes after a revision come in order with the state before; what was dropped is too old."""
    store = Store(history=3)
    start = store.revision
    item = store.create(CONFIGMAPS, config_map("a"))
    store.replace(CONFIGMAPS, {**item, "data": {"x": "1"}})
    store.remove(CONFIGMAPS, "n", "a")
    kinds = [(change.type, change.previous is not None) for change in store.changes(CONFIGMAPS, start)]
    assert kinds == [("ADDED", False), ("MODIFIED", True), ("DELETED", True)]
    assert store.changes(CONFIGMAPS, store.revision) == []
    store.create(CONFIGMAPS, config_map("b"))
    with pytest.raises(TooOldError):
        store.changes(CONFIGMAPS, start)
    assert len(store.changes(CONFIGMAPS, start + 1)) == 3


async def test_waiting_ends_with_a_change_from_another_thread() -> None:
    """A waiter in a loop is woken by a write in a thread, and not before."""
    store = Store()
    waiting = asyncio.create_task(store.wait_beyond(store.revision, 60))
    await asyncio.sleep(0)
    assert not waiting.done()
    thread = threading.Thread(target=store.create, args=(CONFIGMAPS, config_map("a")))
    thread.start()
    await asyncio.wait_for(waiting, 30)
    thread.join()
    await store.wait_beyond(store.revision - 1, 60)
    await store.wait_beyond(store.revision, 0)


def test_stored_objects_do_not_follow_their_source() -> None:
    """Changing what was handed in changes nothing inside."""
    store = Store()
    source = config_map("a", x="1")
    store.create(CONFIGMAPS, source)
    source["data"]["x"] = "2"
    assert store.get(CONFIGMAPS, "n", "a")["data"] == {"x": "1"}
    assert [item["metadata"]["name"] for item in store.items(CONFIGMAPS, "n")] == ["a"]
    assert store.items(CONFIGMAPS, "other") == []
