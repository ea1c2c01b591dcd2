"""Calls that wait until their agent may not act any more: one look for each agent, however many of its calls wait."""

import asyncio
from collections.abc import Callable, Hashable
from functools import partial
from typing import Final

from policy.errors import Refusal
from policy.model import Agent

SLACK: Final = 0.01
"""Seconds, so that what is to be too old at the next look is."""

type _Future = asyncio.Future[Refusal]


class Watch:
    """Who waits. Belongs to one event loop."""

    def __init__(self, check: Callable[[Agent], None], key: Callable[[Agent], Hashable]) -> None:
        """``check`` raises Refusal, and answers alike for all agents of one ``key``."""
        self._check = check
        self._key = key
        self._waiting: dict[Hashable, tuple[Agent, set[_Future]]] = {}
        self._alarm: asyncio.TimerHandle | None = None

    def __repr__(self) -> str:
        return f"<Watch: {len(self._waiting)} agents>"

    async def refused(self, agent: Agent, *, patience: float) -> Refusal:
        """Wait until a look finds that an agent is refused; one is made after ``patience`` seconds without any."""
        refusal = self._refusal(agent)
        if refusal is not None:
            return refusal
        key = self._key(agent)
        _, futures = self._waiting.setdefault(key, (agent, set()))
        future: _Future = asyncio.get_running_loop().create_future()
        futures.add(future)
        if self._alarm is None:
            self._rest(patience)
        try:
            return await future
        finally:
            futures.discard(future)
            if not futures:
                del self._waiting[key]
            if not self._waiting:
                self._stop_resting()

    def look(self, *, patience: float) -> None:
        """Something was learned: tell those who are refused. Call it in the loop."""
        for agent, futures in self._waiting.values():
            refusal = self._refusal(agent)
            if refusal is None:
                continue
            for future in futures:
                if not future.done():
                    future.set_result(refusal)
        if self._waiting:
            self._rest(patience)

    def _refusal(self, agent: Agent) -> Refusal | None:
        try:
            self._check(agent)
        except Refusal as refusal:
            return refusal
        return None

    def _rest(self, patience: float) -> None:
        """Look again later, whether or not anything is learned."""
        self._stop_resting()
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(patience + SLACK, partial(self.look, patience=patience))

    def _stop_resting(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
