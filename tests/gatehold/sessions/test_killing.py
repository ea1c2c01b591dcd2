"""Law: a killed session is over for good, and so are the tokens of its agent from before; both are on record."""

from dataclasses import replace

import pytest

from gatehold.sessions import rows
from gatehold.sessions.killing import MARGIN, WHY, UnknownSession, kill
from gatehold.sessions.rows import AgentSession
from gatehold.store import Store, outbox
from gatehold.store.revocations import Reach, in_force, revoke
from policy.model import SessionId

SEEN = AgentSession(
    issuer="corp",
    subject="a1",
    session=SessionId("s1"),
    groups=(),
    started=100.0,
    seen=110.0,
    token_expires=1000.0,
)


@pytest.fixture(autouse=True)
def seen(store: Store) -> None:
    with store.writing() as connection:
        rows.add(connection, [SEEN, replace(SEEN, session=SessionId("s2"))])


def test_what_is_ended_and_refused(store: Store) -> None:
    """This session alone is ended; tokens of its subject count again once they are issued after the margin."""
    with store.writing() as connection:
        (killed,) = kill(connection, "s1", by="os:root", now=500.0, reason="it went astray")
    assert (killed.session.session, killed.issued_before) == ("s1", 500.0 + MARGIN)
    with store.reading() as connection:
        (revocation,) = in_force(connection, now=501.0)
        assert [each.session for each in rows.listing(connection, now=501.0)] == ["s2"]
        assert rows.ended_since(connection, 0.0) == {SEEN.key: WHY}
    assert (revocation.reach, revocation.value, revocation.issuer) == (Reach.SUBJECT, "a1", "corp")
    assert (revocation.issued_before, revocation.until) == (500.0 + MARGIN, None)
    ended, refused = (each.event for each in outbox.waiting(store))
    assert (ended["kind"], ended["reason"], ended["by"]) == ("session", "it went astray", "os:root")
    assert (refused["kind"], refused["action"], refused["issuedBefore"]) == ("revocation", "revoke", 500.0 + MARGIN)


def test_a_refusal_that_need_not_last(store: Store) -> None:
    """Where tokens of the issuer live no longer than so, nor does the refusal of those from before."""
    with store.writing() as connection:
        (killed,) = kill(connection, "s1", by="os:root", now=500.0, margin=10.0, lasting={"corp": 3600.0, "other": 1.0})
    assert killed.revocation.until == 500.0 + 10.0 + 3600.0


def test_again_and_again(store: Store) -> None:
    """A second time replaces what the first one refused, and nothing else; the end stays the first."""
    with store.writing() as connection:
        kept = [
            revoke(connection, Reach.SUBJECT, "a1", issuer="corp", by="os:root", now=400.0),
            revoke(connection, Reach.SUBJECT, "a1", issuer="other", issued_before=450.0, by="os:root", now=400.0),
        ]
        kill(connection, "s1", by="os:root", now=500.0)
        (killed,) = kill(connection, "s1", by="os:root", now=600.0)
        assert {each.id for each in in_force(connection, now=600.0)} == {
            killed.revocation.id,
            *(each.id for each in kept),
        }
        assert rows.find(connection, [SEEN.key])[SEEN.key].ended == 500.0


def test_an_unknown_session(store: Store) -> None:
    """Is told by its name, as it could be seen."""
    with store.writing() as connection, pytest.raises(UnknownSession, match=r"no session is named 's3\\x1b'"):
        kill(connection, "s3\x1b", by="os:root", now=500.0)
