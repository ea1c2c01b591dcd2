"""Tells open pages that something changed: one look at the store for all browsers, and only while one is listening.

A page hears what is open for its person and a number that changes whenever anything did; it then asks for the parts
that it shows. That something was recorded it hears as well, but not what, and not more often than ``RECORDED``.
A stream ends when its person is no longer signed in: that is looked at with every change and every ``HEARTBEAT``,
without counting as use of the session.
"""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from gatehold.console.pulse import Pulse
from gatehold.people.model import SignedIn
from gatehold.store import Store
from gatehold.store.errors import StoreUnavailable
from recordings.journal import JOURNAL, WRITER, journal_files

INTERVAL: Final = 0.5
"""Seconds between two looks."""
HEARTBEAT: Final = 15.0
"""Seconds after which an unchanged stream says so, and finds out whether anybody still reads."""
RECORDED: Final = 2.0
"""Seconds between two messages that something was recorded."""
MOST_STREAMS: Final = 200
"""Open at the same time; the listener has 512 connections for everything."""
MOST_IDS: Final = 500
"""Questions that one message names."""

logger = logging.getLogger(__name__)

type Finding = Callable[[], SignedIn | None]
type Looking = Callable[[], object]
_UNSEEN: Final = object()


def journal_end(data_dir: Path) -> object:
    """What differs once something more was recorded; blocks."""
    try:
        files = journal_files(data_dir / JOURNAL / WRITER)
        return (files[-1].name, files[-1].stat().st_size) if files else None
    except OSError:  # cleared away meanwhile
        return None


class Live:
    """The streams of one console. Belongs to one event loop. ``recorded`` differs once something was recorded."""

    def __init__(
        self,
        store: Store,
        recorded: Looking = lambda: None,
        *,
        interval: float = INTERVAL,
        heartbeat: float = HEARTBEAT,
        pause: float = RECORDED,
    ) -> None:
        self._store = store
        self._recorded = recorded
        self._interval = interval
        self._heartbeat = heartbeat
        self._pause = pause
        self._end: object = _UNSEEN
        self._records = 0
        """Counts messages that something was recorded."""
        self._look_again = 0.0
        self._pulse: Pulse | None = None
        self._turn = 0
        self._changed = asyncio.Condition()
        self._streams = 0
        self._looking: asyncio.Task[None] | None = None
        self._stopped = False

    def __repr__(self) -> str:
        return f"<Live {'stopped' if self._stopped else 'open'}, {self._streams} streams>"

    @property
    def is_full(self) -> bool:
        """Are there as many streams as there may be?"""
        return self._streams >= MOST_STREAMS or self._stopped

    async def stream(self, who: Finding) -> AsyncIterator[bytes]:
        """Server-sent events until the person has left or the console stops. ``who`` may block."""
        self._streams += 1
        self._start()
        seen, records = 0, self._records
        try:
            while not self._stopped:
                signed_in = await asyncio.to_thread(who)
                if signed_in is None:
                    yield b"event: over\ndata: {}\n\n"
                    return
                if seen != self._turn and self._pulse is not None:
                    seen = self._turn
                    yield _message(self._pulse, signed_in)
                elif records != self._records:
                    records = self._records
                    yield b"event: recorded\ndata: {}\n\n"
                else:
                    yield b": still here\n\n"
                await self._wait(seen, records)
        finally:
            self._streams -= 1

    async def stop(self) -> None:
        """End all streams."""
        self._stopped = True
        async with self._changed:
            self._changed.notify_all()
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    def _start(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look_while_needed(), name="gatehold live")

    async def _wait(self, seen: int, records: int) -> None:
        """Until something is newer than these, or the heartbeat."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._heartbeat), self._changed:
                await self._changed.wait_for(lambda: (self._turn, self._records) != (seen, records) or self._stopped)

    async def _look_while_needed(self) -> None:
        while self._streams and not self._stopped:
            try:
                pulse = await asyncio.to_thread(Pulse.read, self._store, self._pulse)
            except StoreUnavailable:
                # Pages keep what they show; the heartbeat tells them apart from those of a gateway that is gone.
                logger.warning("gatehold: the console cannot read the store")
            else:
                await self._tell(pulse)
            await self._look_at_records()
            await asyncio.sleep(self._interval)

    async def _look_at_records(self) -> None:
        if time.monotonic() < self._look_again:
            return
        end, before = await asyncio.to_thread(self._recorded), self._end
        self._look_again, self._end = time.monotonic() + self._pause, end
        if before is not _UNSEEN and end != before:
            async with self._changed:
                self._records += 1
                self._changed.notify_all()

    async def _tell(self, pulse: Pulse) -> None:
        if pulse == self._pulse:
            return
        async with self._changed:
            self._pulse = pulse
            self._turn += 1
            self._changed.notify_all()


def _message(pulse: Pulse, signed_in: SignedIn) -> bytes:
    mine = pulse.waiting_for(signed_in.person)
    told = {"mine": len(mine), "open": len(pulse.standing), "ids": mine[-MOST_IDS:], "answers": pulse.answers}
    return f"event: pulse\ndata: {json.dumps(told, ensure_ascii=True)}\n\n".encode()
