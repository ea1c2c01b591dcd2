"""Keys of agents without an identity provider: shown once, stored as SHA-256.

``ghk_`` and 256 random bits. Whoever shows a key is the subject that it was made for, with the groups that it was
given; its issuer is ``api-keys``. A session of a key is a day (UTC) of it. What the store says of a key is believed for
a minute; that a key was revoked counts within a second all the same, for its end leaves a revocation of the key, which
cuts open streams and held calls as well.
"""

import asyncio
import re
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gatehold.identity import api_key_rows as rows
from gatehold.identity.api_key_rows import ApiKey, digest_of, end_of_day
from gatehold.identity.refusals import Reason, refused
from gatehold.identity.vouching import API_KEY_PREFIX
from gatehold.store import Store
from gatehold.store.errors import StoreError
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent

BELIEVED: Final = 60.0
"""Seconds for which what the store said of a key is believed."""
REMEMBERED: Final = 4096
"""Keys that are remembered; the one not seen for longest goes first."""

_AT_ONCE: Final = 2
"""Looks at the store at the same time, each in a thread: so many for keys that were good before, so many for others, so
that nobody who tries keys keeps agents waiting."""
_SHAPE: Final = re.compile(re.escape(API_KEY_PREFIX) + r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class _Seen:
    agent: Agent
    read_at: float
    """On the monotonic clock."""
    until: float
    """Unix seconds: the end of the key, or of the day."""


class ApiKeys:
    """The keys in one store, for the verifier. Belongs to one event loop."""

    def __init__(
        self, store: Store, clock: Callable[[], float] = time.time, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock = clock
        self._monotonic = monotonic
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._readers = {known: asyncio.Semaphore(_AT_ONCE) for known in (True, False)}

    def __repr__(self) -> str:
        return f"<ApiKeys: {len(self._seen)} known>"

    def find_cached(self, key: str) -> Agent | None:
        """The agent of a key that was found before and still counts; None: ``find`` has to say."""
        digest = digest_of(key)
        seen = self._seen.get(digest)
        if seen is None or self._monotonic() - seen.read_at >= BELIEVED or self._clock() >= seen.until:
            return None
        self._seen.move_to_end(digest)
        return seen.agent

    async def find(self, key: str) -> Agent:
        """The agent of a key. Raises Refusal: ``unknown-key``, ``expired``; ``gateway-error`` without the store."""
        if not _SHAPE.fullmatch(key):
            raise refused(Reason.UNKNOWN_KEY)
        digest, began = digest_of(key), self._monotonic()
        try:
            async with self._readers[digest in self._seen]:
                found = await asyncio.to_thread(self._look_up, digest)
        except StoreError as error:
            told = "It cannot be told now which API keys count."
            raise Refusal(Code.GATEWAY_ERROR, told, retry_after=1) from error
        now = self._clock()
        if found is None or not found.is_good(now):
            self._seen.pop(digest, None)
            raise refused(Reason.EXPIRED if found is not None and found.revoked is None else Reason.UNKNOWN_KEY)
        agent = found.agent(now)
        self._seen[digest] = _Seen(agent, began, min(found.expires, end_of_day(now)))
        self._seen.move_to_end(digest)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        return agent

    def _look_up(self, digest: str) -> ApiKey | None:
        """The key of a digest; that it was used is noted once a minute."""
        now = self._clock()
        with self._store.reading() as connection:
            key = rows.find(connection, digest)
        if key is not None and key.is_good(now) and (key.last_used is None or now - key.last_used >= BELIEVED):
            with self._store.writing() as connection:
                rows.note_use(connection, key.id, now=now)
        return key
