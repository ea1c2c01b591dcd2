"""Law: a watch knows what its client was shown before, and no more; the memory is bounded."""

import dataclasses
import sys
from concurrent.futures import ThreadPoolExecutor

from gatehold.shown import Listing, ShownObjects, WatchedObjects
from masking.filtering.sight import Identity
from policy.model import SessionId, TargetName

PODS = Listing(
    session=("corp", "planner-1", SessionId("s1")),
    target=TargetName("main"),
    group="",
    resource="pods",
    namespace="prod",
)
OTHER = dataclasses.replace(PODS, session=("corp", "planner-1", SessionId("s2")))


def _one(name: str, revision: int = 1) -> Identity:
    return Identity(name=name, uid=name, revision=str(revision))


def test_a_watch_knows_what_was_listed() -> None:
    """By the same session, of the same kind and place."""
    memory = ShownObjects()
    memory.listed(PODS, shown=[_one("a")])
    assert "a" in memory.watched(PODS, "5")
    assert "b" not in memory.watched(PODS, "5")
    assert "a" not in memory.watched(OTHER, "5")
    assert "a" not in memory.watched(dataclasses.replace(PODS, namespace=""), "5")


def test_a_watch_that_begins_with_all_objects_knows_none() -> None:
    """Its client starts anew."""
    memory = ShownObjects()
    memory.listed(PODS, shown=[_one("a")])
    assert "a" not in memory.watched(PODS, "")
    assert "a" not in memory.watched(PODS, "0")


def test_watches_share_what_they_show_but_not_what_they_hide() -> None:
    """One that began earlier still has to tell; one that begins later finds what was shown since."""
    memory = ShownObjects()
    memory.listed(PODS, shown=[_one("a")])
    first, second = memory.watched(PODS, "5"), memory.watched(PODS, "5")
    first.add("b")
    first.discard("a", "10")
    assert "a" not in first
    assert "a" in second
    assert "b" not in second
    assert "b" in memory.watched(PODS, "7")


def test_a_watch_from_before_an_object_was_hidden_still_knows_it() -> None:
    """Its client was not told yet; one from after it was."""
    memory = ShownObjects()
    memory.listed(PODS, shown=[_one("a")])
    memory.watched(PODS, "5").discard("a", "10")
    assert "a" in memory.watched(PODS, "9")
    assert "a" not in memory.watched(PODS, "10")
    memory.listed(PODS, shown=[_one("a", 12)])
    assert "a" in memory.watched(PODS, "12")


def test_a_list_that_holds_an_object_back_tells_so() -> None:
    """Its client does not have it; nothing is remembered of an object that was never shown."""
    memory = ShownObjects()
    memory.listed(PODS, shown=[_one("a")])
    memory.listed(PODS, shown=[], hidden=[_one("a", 20), _one("never", 20)])
    assert "a" in memory.watched(PODS, "19")
    assert "a" not in memory.watched(PODS, "20")
    assert "never" not in memory.watched(PODS, "1")


def test_a_revision_that_is_no_number_is_told_again() -> None:
    """Once too often is safe."""
    memory = ShownObjects()
    memory.listed(PODS, shown=[_one("a")])
    memory.watched(PODS, "5").discard("a", "x")
    assert "a" in memory.watched(PODS, "y")


def test_the_memory_is_bounded() -> None:
    """The list used longest ago loses its oldest objects first."""
    memory = ShownObjects(limit=4)
    memory.listed(OTHER, shown=[_one("x"), _one("y")])
    memory.listed(PODS, shown=[_one("a"), _one("b"), _one("c")])
    assert len(memory) == 4
    assert "x" not in memory.watched(OTHER, "5")
    assert "y" in memory.watched(OTHER, "5")
    memory.listed(PODS, shown=[_one(name) for name in "defgh"])
    assert len(memory) == 4
    assert "y" not in memory.watched(OTHER, "5")
    assert "h" in memory.watched(PODS, "5")


def test_objects_that_are_gone_are_forgotten() -> None:
    """The longest gone first, however many are still there: in a cluster they come and go without end."""
    memory = ShownObjects(gone=3)
    memory.listed(PODS, shown=[_one("a"), _one("b")])
    watch = memory.watched(PODS, "1")
    for number in range(10, 60):
        watch.add(f"pod-{number}")
        watch.discard(f"pod-{number}", str(number))
    memory.listed(PODS, shown=[], hidden=[_one("b", 60)])
    assert len(memory) == 4
    again = memory.watched(PODS, "1")
    assert [key for key in ("a", "b", "pod-57", "pod-58", "pod-59") if key in again] == ["a", "b", "pod-58", "pod-59"]
    watch.add("pod-58")
    assert len(memory) == 4
    watch.add("pod-70")
    watch.discard("pod-70", "70")
    watch.add("pod-71")
    watch.discard("pod-71", "71")
    assert "pod-59" not in memory.watched(PODS, "1")
    assert "pod-58" in memory.watched(PODS, "1")


def test_nothing_is_left_of_a_list_whose_objects_are_forgotten() -> None:
    """Neither its objects nor its session."""
    memory = ShownObjects(gone=1)
    memory.watched(OTHER, "1").add("x")
    memory.discard(OTHER, "x", "5")
    memory.listed(PODS, shown=[_one("a")])
    memory.discard(PODS, "a", "6")
    assert len(memory) == 1
    memory.discard(PODS, "a", "x")
    memory.discard(PODS, "a", "7")
    assert len(memory) == 1
    assert "x" not in memory.watched(OTHER, "1")


def test_watches_of_several_threads_share_the_memory() -> None:
    """Long chunks are worked off in threads, while lists and other watches begin on the loop."""
    memory, before = ShownObjects(limit=600, gone=50), sys.getswitchinterval()

    def watch(name: str) -> int:
        told = 0
        for number in range(2000):
            mine = memory.watched(PODS, "1") if number % 20 == 0 else memory.watched(OTHER, "1")
            mine.add(f"{name}-{number}")
            mine.discard(f"{name}-{number - 5}", str(number + 2))
            memory.listed(PODS, shown=[_one(f"{name}-{number}")], hidden=[_one(f"{name}-{number - 9}", number + 2)])
            told += 1
        return told

    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            assert list(threads.map(watch, "abcd")) == [2000] * 4
    finally:
        sys.setswitchinterval(before)
    assert len(memory) <= 600


def test_a_watch_is_bounded() -> None:
    """It forgets what it showed longest ago."""
    watch = WatchedObjects(ShownObjects(), PODS, ["a"], limit=2)
    watch.add("b")
    watch.add("c")
    assert "a" not in watch
    assert "b" in watch
    assert "c" in watch
