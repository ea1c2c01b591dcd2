from gatehold.store import Store, outbox
from gatehold.store.revocations import Reach, in_force, lift, revoke


def test_a_revocation_lasts_until_it_is_lifted(store: Store) -> None:
    """Without a time it stays in force; lifting it is an event, as making it was."""
    with store.writing() as connection:
        made = revoke(connection, Reach.SUBJECT, "a1", issuer="corp", by="os:root", now=1.0)
    with store.reading() as connection:
        assert in_force(connection, now=1e12) == [made]
    with store.writing() as connection:
        assert lift(connection, {made.id}, by="os:root", now=2.0) == [made]
        assert lift(connection, {made.id}, by="os:root", now=3.0) == []
        assert in_force(connection, now=2.0) == []
    told = [(event.event["action"], event.event["value"], event.event["by"]) for event in outbox.waiting(store)]
    assert told == [("revoke", "a1", "os:root"), ("lift", "a1", "os:root")]


def test_a_revocation_for_a_time_ends_by_itself(store: Store) -> None:
    """At its time it is over, not a moment before."""
    with store.writing() as connection:
        made = revoke(connection, Reach.ALL, until=10.0, by="os:root", now=1.0)
        assert in_force(connection, now=9.9) == [made]
        assert in_force(connection, now=10.0) == []
