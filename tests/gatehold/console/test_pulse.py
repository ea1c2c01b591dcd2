from typing import Any

from gatehold.console.pulse import Pulse


def test_it_is_read_anew_only_when_something_changed(site: Any, ask: Any) -> None:
    """An answer, a new question and one that ended are changes; what did not change is the very same."""
    empty = Pulse.read(site.store)
    assert Pulse.read(site.store, empty) is empty
    first = ask("one")
    opened = Pulse.read(site.store, empty)
    assert opened.ids == {first.id}
    assert Pulse.read(site.store, opened) is opened
    two = ask("two")
    both = Pulse.read(site.store, opened)
    assert both == Pulse.read(site.store) != opened
    site.desk.deny(two.id, "alice", channel="console", reason="no")
    after = Pulse.read(site.store, both)
    assert after == Pulse.read(site.store)
    assert after.ids == {first.id}
    assert after.answers != both.answers
