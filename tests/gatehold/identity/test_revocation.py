import asyncio
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gatehold.identity import revocation
from gatehold.identity.revocation import STALE, Revocations, View
from gatehold.sessions.registry import SessionRegistry
from gatehold.sessions.stopping import Stop
from gatehold.store import Store, open_store
from gatehold.store.revocations import KEPT, Reach, in_force, revoke
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId, SessionObligation

AGENT = Agent(issuer="corp", subject="a1", session=SessionId("s1"))


class Clock:
    """A clock that is set by hand."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store("sqlite", tmp_path) as opened:
        yield opened


def _revoke(store: Store, reach: Reach, value: str = "", issuer: str = "", until: float | None = None) -> None:
    with store.writing() as connection:
        revoke(connection, reach, value, issuer=issuer, until=until, by="os:root", now=time.time())


async def _refused(view: Revocations, agent: Agent = AGENT) -> Code | None:
    await view.refresh()
    try:
        view.check(agent)
    except Refusal as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize(
    ("reach", "value", "issuer", "refused"),
    [
        (Reach.ALL, "", "", True),
        (Reach.ISSUER, "corp", "", True),
        (Reach.ISSUER, "other", "", False),
        (Reach.SUBJECT, "a1", "", True),
        (Reach.SUBJECT, "a1", "corp", True),
        (Reach.SUBJECT, "a1", "other", False),
        (Reach.SUBJECT, "a2", "", False),
        (Reach.SESSION, "s1", "", True),
        (Reach.SESSION, "s2", "", False),
    ],
)
async def test_who_is_refused(store: Store, reach: Reach, value: str, issuer: str, refused: bool) -> None:
    """A revocation reaches whom it names and nobody else; a subject belongs to its issuer."""
    view = Revocations(store)
    assert await _refused(view) is None
    _revoke(store, reach, value, issuer)
    assert await _refused(view) is (Code.REVOKED if refused else None)


async def test_one_that_is_over_refuses_nobody(store: Store) -> None:
    """Its time is compared at each check: no new look at the store is needed for it to end."""
    clock = Clock()
    view = Revocations(store, clock)
    _revoke(store, Reach.ALL, until=101.0)
    assert await _refused(view) is Code.REVOKED
    clock.now = 101.0
    view.check(AGENT)


async def test_a_view_that_is_too_old_refuses_everybody(store: Store) -> None:
    """What was not read could name anyone; before the first reading, too."""
    instant = Clock()
    view = Revocations(store, monotonic=instant)
    with pytest.raises(Refusal) as unread:
        view.check(AGENT)
    await view.refresh()
    view.check(AGENT)
    instant.now += STALE + 0.1
    with pytest.raises(Refusal) as stale:
        view.check(AGENT)
    assert unread.value.code is stale.value.code is Code.GATEWAY_ERROR


class Listening(Revocations):
    """Says when it has seen a revocation."""

    heard: asyncio.Event

    def _take(self, view: View) -> None:
        super()._take(view)
        if view.in_force:
            self.heard.set()


async def test_another_process_is_heard(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once started, the view follows the store by itself."""
    monkeypatch.setattr(revocation, "INTERVAL", 0.01)
    view = Listening(store)
    view.heard = asyncio.Event()
    await view.start()
    try:
        view.check(AGENT)
        _revoke(store, Reach.SUBJECT, "a1")
        async with asyncio.timeout(10):
            await view.heard.wait()
        with pytest.raises(Refusal, match="revoked"):
            view.check(AGENT)
    finally:
        await view.close()


async def test_who_waits_is_told(store: Store) -> None:
    """A held call learns of a revocation by the view that shows it, and not before."""
    view = Revocations(store)
    await view.refresh()
    waiting = asyncio.ensure_future(view.refused(AGENT))
    await view.refresh()
    await asyncio.sleep(0)
    assert not waiting.done()
    _revoke(store, Reach.SESSION, "s1")
    await view.refresh()
    async with asyncio.timeout(10):
        assert (await waiting).code is Code.REVOKED


async def test_who_waits_is_told_too_when_the_store_is_gone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A view that gets too old ends the wait, although no new one comes."""
    monkeypatch.setattr(revocation, "STALE", 0.01)
    view = Revocations(store)
    await view.refresh()
    async with asyncio.timeout(10):
        assert (await view.refused(AGENT)).code is Code.GATEWAY_ERROR


@pytest.mark.parametrize(
    ("claims", "refused"),
    [
        ({"iat": 99}, True),
        ({"iat": 100}, False),
        ({"iat": 100.5}, False),
        ({}, True),
        ({"iat": True}, True),
        ({"iat": "200"}, True),
    ],
)
async def test_tokens_from_before(store: Store, claims: dict[str, object], refused: bool) -> None:
    """Only they are refused, and what does not say when it was issued; the agent is told what helps."""
    view, agent = Revocations(store), replace(AGENT, claims=claims)
    with store.writing() as connection:
        revoke(connection, Reach.SUBJECT, "a1", issuer="corp", issued_before=100.0, by="os:root", now=99.0)
    await view.refresh()
    assert view.is_revoked(agent) is refused
    if refused:
        with pytest.raises(Refusal, match="revoked") as told:
            view.check(agent)
        assert told.value.detail == "Access was revoked; tokens that are issued after 1970-01-01T00:01:40Z count again."
    _revoke(store, Reach.SUBJECT, "a1")
    await view.refresh()
    with pytest.raises(Refusal) as told:
        view.check(agent)
    assert told.value.detail == "Access was revoked."


async def test_a_session_that_ended(store: Store) -> None:
    """Is refused by its reason, like one that was revoked, as soon as any gateway ended it."""
    clock = Clock()
    sessions, others = SessionRegistry(store, clock), SessionRegistry(store, clock)
    view = Revocations(store, clock, sessions=sessions)
    agent = replace(AGENT, expires_at=1000.0)
    for registry in (sessions, others):
        await registry.enter(agent, SessionObligation(idle=60.0))
    await view.refresh()
    view.check(agent)
    waiting = asyncio.ensure_future(view.refused(agent))
    clock.now += 60
    await others.turn()
    await view.refresh()
    async with asyncio.timeout(10):
        refusal = await waiting
    assert (refusal.code, refusal.detail) == (Code.REVOKED, "The session ended: idle for 1m; get a new token.")
    assert view.is_revoked(agent)
    view.check(replace(agent, subject="a2"))


async def test_the_emergency_stop_needs_no_store(store: Store, tmp_path: Path) -> None:
    """It refuses everybody, before anything that would have to be read; who waits is woken."""
    stop = Stop(tmp_path)
    view = Revocations(store, stop=stop)
    with pytest.raises(Refusal) as unread:
        view.check(AGENT)
    assert unread.value.reason == "stopped"
    stop.look()
    await view.refresh()
    waiting = asyncio.ensure_future(view.refused(AGENT))
    await asyncio.sleep(0)
    stop.pull()
    view.wake()
    async with asyncio.timeout(10):
        assert (await waiting).reason == "stopped"


def test_a_session_is_not_revoked_for_ever(store: Store) -> None:
    """Its revocation lasts as long as its end would be remembered; that of a subject until it is lifted."""
    with store.writing() as connection:
        session = revoke(connection, Reach.SESSION, "s1", by="os:root", now=100.0)
        subject = revoke(connection, Reach.SUBJECT, "a1", by="os:root", now=100.0)
        assert (session.until, subject.until) == (100.0 + KEPT, None)
        assert in_force(connection, now=100.0 + KEPT) == [subject]
