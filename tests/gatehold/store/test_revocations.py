from gatehold.identity import api_key_rows
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


def test_a_key_that_was_ended_for_good_is_not_given_back(store: Store) -> None:
    """Lifting is for keys that were suspended: what the gateway remembers of an ended one would count for a minute."""
    wanted = api_key_rows.Wanted(subject="ci", ttl=3600.0)
    with store.writing() as connection:
        keys = [api_key_rows.create(connection, wanted, by="os:root", now=1.0).key.id for _ in range(2)]
        suspended = [revoke(connection, Reach.KEY, key, by="os:root", now=2.0) for key in keys]
        api_key_rows.revoke(connection, keys[1], by="os:root", now=3.0)
        ids = {each.id for each in in_force(connection, now=4.0)}
        assert len(ids) == 3
        assert lift(connection, ids, by="os:root", now=4.0) == suspended[:1]
        assert {each.value for each in in_force(connection, now=4.0)} == {keys[1]}
