"""Laws of ending one session: that one, by its digest, and no other of its name."""

from pathlib import Path

import pytest

from gatehold.sessions import killing, rows
from gatehold.sessions.rows import AgentSession
from gatehold.store import open_store
from policy.model import SessionId


def test_one_of_two_ends(tmp_path: Path) -> None:
    """The other goes on; a longest life of tokens bounds the refusal."""
    sessions = [
        AgentSession(issuer="corp", subject=name, session=SessionId("s"), groups=(), started=1.0, seen=float(number), token_expires=99.0)
        for number, name in enumerate(("a1", "a2", "a3"))
    ]  # fmt: skip
    with open_store("sqlite", tmp_path) as store, store.writing() as connection:
        rows.add(connection, sessions)
        found = rows.of_id(connection, rows.row_id(sessions[0].key))
        assert found is not None
        assert found.key == sessions[0].key
        killed = killing.kill_one(connection, found, by="user:x", now=10.0, lasting={"corp": 100.0})
        assert (killed.issued_before, killed.revocation.until) == (70.0, 170.0)
        assert [each.subject for each in rows.listing(connection, now=20.0)] == ["a3", "a2"]
        assert [each.subject for each in rows.listing(connection, now=20.0, everything=True, limit=1)] == ["a3"]
        assert rows.of_id(connection, "none") is None
        with pytest.raises(killing.UnknownSession):
            killing.kill(connection, "other", by="user:x", now=10.0)
