from gatehold.store import Store, outbox
from gatehold.store.seldom import EVERY, SeldomEvents


def told(store: Store, now: float) -> list[tuple[str, int]]:
    rows = outbox.take(store, now=now)
    outbox.done(store, [row.id for row in rows])
    return [(row.event["objection"], row.event["count"]) for row in rows]


def test_a_flood_is_one_event_in_a_while(store: Store) -> None:
    """The first is told at once; the next one that is told counts all since then, itself included."""
    now = 1_000.0
    events = SeldomEvents(store, lambda: now)
    for objection in ("first", "second", "third"):
        events.note({"kind": "form-refused", "objection": objection})
    assert told(store, now) == [("first", 1)]
    now += EVERY
    events.note({"kind": "form-refused", "objection": "fourth"})
    assert told(store, now) == [("fourth", 3)]
    now += EVERY
    events.note({"kind": "form-refused", "objection": "fifth"})
    assert told(store, now) == [("fifth", 1)]
