"""The keys of one issuer, kept fresh without ever making the event loop or known agents wait.

A set is **fresh** for the source's interval. After that it is fetched again beside the traffic, and **goes on** serving
for ``STALE_LIMIT`` while the issuer does not answer; then it counts for nothing. A token whose ``kid`` is unknown
asks for one fetch, at most every ``MISS_INTERVAL`` seconds whoever asks; whoever comes while a fetch is under way waits
for that one.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Collection

from gatehold.identity.keyset import Key, KeySet, parse_keys
from gatehold.identity.refusals import Reason, refused
from gatehold.identity.sources import Source, SourceError

STALE_LIMIT = 3600.0
"""Seconds past its freshness for which a key set is used while no newer one can be had."""
MISS_INTERVAL = 10.0
"""Seconds between fetches that unknown keys or failures cause."""
MAX_BACKOFF = 60.0

_log = logging.getLogger(__name__)
_NONE = KeySet()


class KeyRing:
    """One issuer's keys. Bound to the event loop that first uses it."""

    def __init__(
        self, name: str, source: Source, algorithms: Collection[str], *, monotonic: Callable[[], float]
    ) -> None:
        self._name = name
        self._source = source
        self._algorithms = algorithms
        self._monotonic = monotonic
        self._keys = _NONE
        self._document = b""
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._task: asyncio.Task[None] | None = None
        self.failures = 0
        """Fetches that failed since the last one that did not."""
        self.problem = ""
        """Why the last fetch failed; empty if it did not."""

    def __repr__(self) -> str:
        return f"<KeyRing {self._name}: {self.keys!r}{', ' + self.problem if self.problem else ''}>"

    @property
    def keys(self) -> KeySet:
        """The keys that count now."""
        age = self._monotonic() - self._fetched_at
        return self._keys if age <= self._source.interval + STALE_LIMIT else _NONE

    async def find(self, key_id: str | None, algorithm: str) -> Key:
        """The key that a token names. Raises ``Refusal``: ``unknown-key``, ``algorithm``."""
        if self._monotonic() - self._fetched_at > self._source.interval:
            await self._renew()
        key = self._pick(key_id, algorithm)
        if key is None and self._may_fetch():
            await self.refresh()
            key = self._pick(key_id, algorithm)
        if key is None:
            raise refused(Reason.UNKNOWN_KEY)
        if algorithm not in key.algorithms:
            raise refused(Reason.ALGORITHM)
        return key

    async def refresh(self) -> None:
        """Fetch now, or wait for the fetch under way. Never raises for a source that fails: see ``problem``."""
        await asyncio.shield(self._fetching())

    async def keep_fresh(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Fetch at the source's interval, after failures with growing pauses, until cancelled."""
        while True:
            await self.refresh()
            backoff = min(MAX_BACKOFF, 2.0 ** min(self.failures - 1, 10)) if self.failures else self._source.interval
            await sleep(backoff * random.uniform(0.8, 1.0))  # noqa: S311 - spreads load, guards nothing

    async def close(self) -> None:
        """End a fetch that is under way."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _renew(self) -> None:
        """The set is due: a file is read now, anything else beside the call if there are keys to go on with."""
        if not self._may_fetch():
            return
        if len(self.keys) and self._source.interval > MISS_INTERVAL:
            self._fetching()
        else:
            await self.refresh()

    def _pick(self, key_id: str | None, algorithm: str) -> Key | None:
        keys = self.keys
        return keys.only(algorithm) if key_id is None else keys.named(key_id)

    def _may_fetch(self) -> bool:
        return self._is_fetching() or self._monotonic() - self._tried_at >= min(MISS_INTERVAL, self._source.interval)

    def _is_fetching(self) -> bool:
        return self._task is not None and not self._task.done()

    def _fetching(self) -> asyncio.Task[None]:
        if self._task is None or self._task.done():
            self._tried_at = self._monotonic()
            self._task = asyncio.get_running_loop().create_task(self._fetch(), name=f"jwks {self._name}")
        return self._task

    async def _fetch(self) -> None:
        started = self._monotonic()
        try:
            document = await self._source.fetch()
            if document != self._document:
                self._keys, self._document = parse_keys(document, self._algorithms), document
        except (SourceError, ValueError) as error:
            self._failed(str(error))
            return
        self._fetched_at = started
        if self.failures:
            _log.info("issuer %s: its keys can be had again", self._name)
        self.failures, self.problem = 0, ""

    def _failed(self, problem: str) -> None:
        self.failures += 1
        if problem != self.problem:
            _log.warning("issuer %s: its keys cannot be had: %s", self._name, problem)
        self.problem = problem
