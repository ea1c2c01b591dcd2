"""Law: a watch knows what its client was shown before, and no more; the memory is bounded."""

import dataclasses

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


def test_a_watch_is_bounded() -> None:
    """It forgets what it showed longest ago."""
    watch = WatchedObjects(ShownObjects(), PODS, ["a"], limit=2)
    watch.add("b")
    watch.add("c")
    assert "a" not in watch
    assert "b" in watch
    assert "c" in watch
