"""The sessions of agents as this process knows them.

Calls note themselves in memory; once a second what was noted goes to the store, together with that of every other
gateway, and sessions that are over by their bounds are ended there. The first call of a session in this process, and
one that seems to come too late, asks the store, for another gateway may know more. The registry belongs to the event
loop; what a thread does gets its values and gives values back.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection

from gatehold.sessions import rows
from gatehold.sessions.limits import UNBOUND, Bounds
from gatehold.sessions.rows import AgentSession, Key, key_of
from gatehold.store import Store, revocations
from gatehold.store.errors import StoreError
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionObligation

GATEHOLD: Final = "gatehold"
"""Who ends a session that is over by its bounds."""
OVERLAP: Final = 60.0
"""Seconds by which the clocks of two gateways may differ."""
_SWEEP: Final = 3600.0
"""Seconds from one clearing of the store to the next."""


@dataclass(slots=True, kw_only=True, eq=False)
class _Known:
    """One session in memory; ``calls``, ``denied`` and ``held`` are those that are not in the store yet."""

    key: Key
    groups: tuple[str, ...]
    started: float
    seen: float
    token_expires: float
    bounds: Bounds = UNBOUND
    calls: int = 0
    denied: int = 0
    held: int = 0

    def take(self) -> AgentSession:
        """What the store is to add; from now on that is counted anew."""
        issuer, subject, session = self.key
        taken = AgentSession(
            issuer=issuer,
            subject=subject,
            session=session,
            groups=self.groups,
            started=self.started,
            seen=self.seen,
            calls=self.calls,
            denied=self.denied,
            held=self.held,
            token_expires=self.token_expires,
            bounds=self.bounds,
        )
        self.calls = self.denied = self.held = 0
        return taken

    def give_back(self, taken: AgentSession) -> None:
        """It did not come to the store."""
        self.calls, self.denied, self.held = (
            self.calls + taken.calls,
            self.denied + taken.denied,
            self.held + taken.held,
        )

    def merge(self, stored: AgentSession) -> None:
        """Learn what other gateways saw."""
        self.started, self.seen = min(self.started, stored.started), max(self.seen, stored.seen)
        self.token_expires = max(self.token_expires, stored.token_expires)
        self.bounds = self.bounds.with_bounds(stored.bounds)


class SessionRegistry:
    """Every session whose tokens count."""

    def __init__(self, store: Store, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._known: dict[Key, _Known] = {}
        self._dirty: dict[Key, _Known] = {}
        self._ended: dict[Key, str] = {}
        self._read_until = clock() - OVERLAP
        self._swept = clock()
        self.on_end: Callable[[], None] = lambda: None
        """Called when sessions ended, on the loop."""

    def __repr__(self) -> str:
        return f"<SessionRegistry: {len(self._known)} sessions, {len(self._ended)} ended>"

    async def start(self) -> None:
        """Read back the sessions whose tokens count. Raises StoreError."""
        now = self._clock()
        for stored in await asyncio.to_thread(self._under_way, now):
            self._meet(stored)

    def why_ended(self, agent: Agent) -> str:
        """Why the session of an agent ended, as far as is known now; empty while it goes on."""
        return self._ended.get(key_of(agent), "") if self._ended else ""

    def note(self, agent: Agent, asked: SessionObligation | None = None, *, held: bool = False) -> bool:
        """Note one call; False, and not noted, where ``enter`` has to find out whether the session goes on."""
        known = self._known.get(key_of(agent))
        if known is None or known.key in self._ended:
            return False
        now, bounds = self._clock(), known.bounds
        if asked is not None:
            known.bounds = bounds = bounds.with_those_of(asked)
        if now >= bounds.end(started=known.started, seen=known.seen):
            return False
        known.seen, known.calls = now, known.calls + 1
        known.token_expires = max(known.token_expires, agent.expires_at)
        if held:
            known.held += 1
        self._dirty[known.key] = known
        return True

    async def enter(self, agent: Agent, asked: SessionObligation | None = None, *, held: bool = False) -> None:
        """Note one call, with a look at the store. Raises Refusal where the session ended, or that cannot be known."""
        if self.note(agent, asked, held=held):
            return
        key = key_of(agent)
        is_new = key not in self._known
        known = self._known.get(key) or self._begin(agent)
        known.bounds = known.bounds.with_those_of(asked)
        taken = known.take()
        try:
            stored = await asyncio.to_thread(self._settle, taken, is_new=is_new)
        except StoreError as error:
            known.give_back(taken)
            told = "It cannot be told now whether this session goes on."
            raise Refusal(Code.GATEWAY_ERROR, told, retry_after=1) from error
        known = self._meet(stored)
        known.token_expires = max(known.token_expires, agent.expires_at)
        if stored.ended is not None or not self.note(agent, asked, held=held):
            raise session_ended(self._ended.get(key, ""))

    def touch(self, agent: Agent) -> None:
        """The agent said something in a call that is open: its session is not idle."""
        known = self._known.get(key_of(agent))
        if known is not None and known.key not in self._ended:
            now = self._clock()
            if now < known.bounds.end(started=known.started, seen=known.seen):
                known.seen = now
                self._dirty[known.key] = known

    def deny(self, agent: Agent) -> None:
        """A call was refused."""
        known = self._known.get(key_of(agent))
        if known is not None:
            known.denied += 1
            self._dirty[known.key] = known

    async def turn(self) -> None:
        """Write what was noted, end what is over, and forget what nobody needs. Raises StoreError."""
        now = self._clock()
        late = {each.key for each in self._known.values() if each.key not in self._ended and _is_over(each, now)}
        sent = {key: self._known[key].take() for key in {*self._dirty, *late} if key in self._known}
        self._dirty = {}
        sweep = now >= self._swept + _SWEEP
        try:
            found = await asyncio.to_thread(self._write, sent, late, now, sweep=sweep) if sent or sweep else ()
        except BaseException:
            for key, taken in sent.items():
                self._known[key].give_back(taken)
                self._dirty[key] = self._known[key]
            raise
        for stored in found:
            self._meet(stored)
        self._swept = now if sweep else self._swept
        self._forget(now)

    def read(self, connection: Connection) -> tuple[float, Mapping[Key, str]]:
        """What ended elsewhere; in a thread, in the caller's transaction. ``take`` gets it."""
        now = self._clock()
        return now, rows.ended_since(connection, self._read_until)

    def take(self, view: tuple[float, Mapping[Key, str]]) -> None:
        """Know from now on what ended elsewhere."""
        read_at, ended = view
        self._read_until = read_at - OVERLAP
        self._end((key, why) for key, why in ended.items() if key in self._known)

    def _begin(self, agent: Agent) -> _Known:
        now = self._clock()
        return _Known(key=key_of(agent), groups=agent.groups, started=now, seen=now, token_expires=agent.expires_at)

    def _meet(self, stored: AgentSession) -> _Known:
        known = self._known.get(stored.key)
        if known is None:
            known = self._known[stored.key] = _Known(
                key=stored.key,
                groups=stored.groups,
                started=stored.started,
                seen=stored.seen,
                token_expires=stored.token_expires,
                bounds=stored.bounds,
            )
        known.merge(stored)
        if stored.ended is not None:
            self._end([(stored.key, stored.why)])
        return known

    def _end(self, ended: Iterable[tuple[Key, str]]) -> None:
        new = {key: why for key, why in ended if key not in self._ended}
        self._ended |= new
        if new:
            self.on_end()

    def _forget(self, now: float) -> None:
        for key in [each.key for each in self._known.values() if each.token_expires <= now]:
            if key not in self._dirty:
                del self._known[key]
                self._ended.pop(key, None)

    def _under_way(self, now: float) -> list[AgentSession]:
        with self._store.reading() as connection:
            return rows.under_way(connection, now=now)

    def _settle(self, seen: AgentSession, *, is_new: bool) -> AgentSession:
        """One session as all gateways know it, ended where it is over.

        Where it is new to this process, the call that is made now must not count as its last one before.
        """
        now = self._clock()
        with self._store.reading() as connection:
            stored = rows.find(connection, [seen.key]).get(seen.key)
        if stored is not None and stored.ended is not None:
            return stored
        if is_new and stored is not None:
            seen = replace(seen, started=stored.started, seen=stored.seen)
        with self._store.writing() as connection:
            rows.add(connection, [seen])
            return _settled(connection, [seen.key], now)[0]

    def _write(
        self, sent: Mapping[Key, AgentSession], late: Iterable[Key], now: float, *, sweep: bool
    ) -> list[AgentSession]:
        """Add what was noted; the sessions that seem to be over, as all gateways know them."""
        with self._store.writing() as connection:
            rows.add(connection, list(sent.values()))
            found = _settled(connection, late, now)
            if sweep:
                rows.forget(connection, now=now)
                revocations.forget(connection, now=now)
        return found


def session_ended(why: str) -> Refusal:
    """The refusal of a call whose session ended."""
    told = f"The session ended: {why}; get a new token." if why else "The session ended; get a new token."
    return Refusal(Code.REVOKED, told, reason="session-ended")


def _settled(connection: Connection, keys: Iterable[Key], now: float) -> list[AgentSession]:
    """Sessions as they stand; those that are over are ended now, by whoever sees it first."""
    found: list[AgentSession] = []
    for stored in rows.find(connection, list(keys)).values():
        why = "" if stored.ended is not None else stored.bounds.why(started=stored.started, seen=stored.seen, now=now)
        if why and rows.end(connection, stored.key, why, by=GATEHOLD, now=now):
            found.append(replace(stored, ended=now, why=why))
        else:
            found.append(stored)
    return found


def _is_over(known: _Known, now: float) -> bool:
    return now >= known.bounds.end(started=known.started, seen=known.seen)
