"""Laws of the streams: one look for everybody, told at once, ended with the session and with the console."""

import asyncio
import json
import threading
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gatehold.console.live import Live, journal_end
from gatehold.console.pulse import Pulse
from gatehold.people.model import Person, Way
from gatehold.store.errors import StoreUnavailable
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.writer import Record, Writer


async def heard(stream: Any) -> Any:
    """The next message that is no comment."""
    async for message in stream:
        if not message.startswith(b":"):
            name, data = message.decode().strip().split("\n")
            return name.removeprefix("event: "), json.loads(data.removeprefix("data: "))
    return None


async def test_a_page_hears_what_waits_for_its_person(site: Any, ask: Any) -> None:
    """Calls of one command count once; others' are only counted."""
    session = site.console.web_sessions.open("alice", Way.PASSWORD)
    first = ask("one")
    site.clock.now += 1
    ask("two", together="k")
    ask("three", together="k")
    ask("own", people=frozenset({"alice"}))
    stream = site.console.live.stream(lambda: session.signed_in)
    assert await heard(stream) == ("pulse", {"mine": 2, "open": 4, "ids": [first.id, "k"], "answers": 0})
    site.desk.deny(first.id, "bob", channel="console", reason="no")
    assert await heard(stream) == ("pulse", {"mine": 1, "open": 3, "ids": ["k"], "answers": 1})
    await stream.aclose()


async def test_a_stream_ends_with_its_session(site: Any) -> None:
    """At the next heartbeat; listening keeps no session from being idle."""
    session = site.console.web_sessions.open("alice", Way.PASSWORD)
    stream = site.console.live.stream(lambda: site.console.web_sessions.find(session.cookie_value, use=False))
    assert (await heard(stream))[0] == "pulse"
    site.console.web_sessions.close(session.cookie_value)
    assert await heard(stream) == ("over", {})
    assert await heard(stream) is None
    assert repr(site.console.live) == "<Live open, 0 streams>"


async def test_one_look_for_all(site: Any, monkeypatch: Any) -> None:
    """However many listen; and none while nobody does."""
    looks, read = [], Pulse.read

    def counted(store: Any, before: Pulse | None) -> Pulse:
        looks.append(1)
        return read(store, before)

    monkeypatch.setattr("gatehold.console.live.Pulse.read", counted)
    session = site.console.web_sessions.open("alice", Way.PASSWORD)
    streams = [site.console.live.stream(lambda: session.signed_in) for _ in range(10)]
    for stream in streams:
        assert await heard(stream)
    assert len(looks) < 10
    for stream in streams:
        await stream.aclose()
    await site.console.live.stop()


async def test_pages_hear_that_something_was_recorded(site: Any) -> None:
    """Not what; everybody who listens, once for all that came meanwhile, and nobody who is signed in no longer."""
    end, looked, session = [1], threading.Event(), site.console.web_sessions.open("alice", Way.PASSWORD)

    def recorded() -> int:
        looked.set()
        return end[0]

    live = Live(site.store, recorded, interval=0.01, heartbeat=0.05, pause=0.0)
    streams = [live.stream(partial(site.console.web_sessions.find, session.cookie_value, use=False)) for _ in range(2)]
    for stream in streams:
        assert (await heard(stream))[0] == "pulse"
    assert await asyncio.to_thread(looked.wait, 5)
    await asyncio.sleep(0)
    end[0] = 7
    for stream in streams:
        assert await heard(stream) == ("recorded", {})
    end[0] = 8
    site.console.web_sessions.close(session.cookie_value)
    assert [await heard(stream) for stream in streams] == [("over", {})] * 2
    await live.stop()


async def test_what_was_recorded_is_not_told_too_often(site: Any) -> None:
    """However much comes, it is looked for once in a while."""
    looks: list[int] = []
    live = Live(site.store, lambda: looks.append(1), interval=0.0, heartbeat=0.01, pause=3600.0)
    session = site.console.web_sessions.open("alice", Way.PASSWORD)
    stream = live.stream(lambda: session.signed_in)
    messages = [await anext(stream) for _ in range(5)]
    assert (len(looks), b"recorded" in b"".join(messages)) == (1, False)
    await stream.aclose()
    await live.stop()


def test_the_end_of_the_journal_moves(tmp_path: Path) -> None:
    """With every record; where there is no journal there is no end."""
    assert journal_end(tmp_path) is None
    writer, seen = Writer.open(tmp_path), []
    for _ in range(3):
        seen.append(journal_end(tmp_path))
        event = gateway_event(GatewayMove.START, time=1.0)
        writer.write([Record(entries=(event.entry(),), flow=None, session=SessionId(""))])
    writer.close()
    assert len({*seen, journal_end(tmp_path)}) == 4


async def test_a_store_that_is_away_ends_no_stream(site: Any, monkeypatch: Any, caplog: Any) -> None:
    """It is told once it is back."""
    read, failing = Pulse.read, [True]

    def sometimes(store: Any, before: Pulse | None) -> Pulse:
        if failing:
            failing.pop()
            raise StoreUnavailable("away")
        return read(store, before)

    monkeypatch.setattr("gatehold.console.live.Pulse.read", sometimes)
    session = site.console.web_sessions.open("alice", Way.PASSWORD)
    stream = site.console.live.stream(lambda: session.signed_in)
    assert (await heard(stream))[0] == "pulse"
    assert "cannot read the store" in caplog.text
    await stream.aclose()


async def test_stopping_ends_all_streams(site: Any) -> None:
    """At once, and no new one begins."""
    session = site.console.web_sessions.open("alice", Way.PASSWORD)
    stream = site.console.live.stream(lambda: session.signed_in)
    assert await heard(stream)
    waiting = asyncio.create_task(heard(stream))
    await asyncio.sleep(0)
    await site.console.live.stop()
    assert await waiting is None
    assert site.console.live.is_full


async def test_streams_are_bounded(site: Any, alice: Any, monkeypatch: Any) -> None:
    """One too many is told so."""
    monkeypatch.setattr("gatehold.console.live.MOST_STREAMS", 0)
    assert (await alice.get("/live")).status_code == 503


@pytest.mark.parametrize(
    ("person", "waits"),
    [
        (Person(name="alice", groups=frozenset({"sre"})), True),
        (Person(name="carol", groups=frozenset({"security"})), False),
        (Person(name="OLGA", groups=frozenset({"sre"})), False),
        (Person(name="bob", groups=frozenset({"sre"})), False),
    ],
)
def test_who_is_asked(site: Any, ask: Any, person: Person, waits: bool) -> None:
    """Members, but those behind the call, and those who have answered."""
    from gatehold.approvals.approvers import Quorum

    approval = ask(quorum=Quorum(sets=(frozenset({"sre"}),), count=2))
    site.desk.approve(approval.id, "bob", channel="console")
    assert Pulse.read(site.store).waiting_for(person) == ((approval.id,) if waits else ())
