"""Law: a list tells how each session stands, by what is known of it and of what was revoked."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.sessions.limits import Bounds
from gatehold.sessions.presenting import span, state_of
from gatehold.sessions.rows import AgentSession
from gatehold.store.revocations import Reach, Revocation
from policy.model import SessionId

SESSION = AgentSession(
    issuer="corp", subject="a1", session=SessionId("s1"), groups=(), started=100.0, seen=110.0, token_expires=1000.0
)


def _revocation(reach: Reach, value: str = "", issuer: str = "", before: float | None = None) -> Revocation:
    return Revocation(id="r", reach=reach, value=value, issuer=issuer, until=None, created=1.0, issued_before=before)


@pytest.mark.parametrize(
    ("session", "revocations", "state"),
    [
        (SESSION, [], "active"),
        (replace(SESSION, ended=120.0), [_revocation(Reach.ALL)], "ended"),
        (replace(SESSION, bounds=Bounds(idle=20.0)), [], "over"),
        (replace(SESSION, token_expires=130.0), [], "over"),
        (SESSION, [_revocation(Reach.ALL)], "revoked"),
        (SESSION, [_revocation(Reach.ISSUER, "corp")], "revoked"),
        (SESSION, [_revocation(Reach.ISSUER, "other")], "active"),
        (SESSION, [_revocation(Reach.SUBJECT, "a1", "other")], "active"),
        (SESSION, [_revocation(Reach.SUBJECT, "a1", "corp")], "revoked"),
        (SESSION, [_revocation(Reach.SUBJECT, "a1", "corp", 500.0)], "active"),
        (SESSION, [_revocation(Reach.SESSION, "s1")], "revoked"),
        (SESSION, [_revocation(Reach.SESSION, "s2"), _revocation(Reach.SUBJECT, "s1")], "active"),
    ],
)
def test_states(session: AgentSession, revocations: list[Revocation], state: str) -> None:
    """Ended goes before revoked, revoked before over; one of old tokens alone does not make a session revoked."""
    assert state_of(session, revocations, now=130.0) == state


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5.0, "0s"), (0.9, "0s"), (59.0, "59s"), (61.0, "1m01s"), (7500.0, "2h05m"), (90000.0, "1d01h")],
)
def test_spans(seconds: float, words: str) -> None:
    """Two units at most."""
    assert span(seconds) == words


@given(st.floats(0, 1e9))
def test_spans_are_short(seconds: float) -> None:
    """Whatever the time."""
    assert len(span(seconds)) <= 9
