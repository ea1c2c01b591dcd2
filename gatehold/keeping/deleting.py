"""Deletes recordings that are too old or too many: announced in the journal, signed, and only then removed."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gatehold.config.recordings import AuditSpec, RecordingsSpec
from gatehold.objects.ledger import Ledger
from gatehold.sinks.serving import needed_from
from gatehold.store import Store
from gatehold.store.errors import StoreError
from gatehold.store.legal_holds import holds
from policy.model import SessionId
from recordings.errors import RecorderUnavailable
from recordings.recorder import Recorder
from recordings.retention import Kept, Plan, Retention, Wanted

logger = logging.getLogger(__name__)

EVERY: Final = 600.0
"""Seconds between two looks."""
EVERY_BY_SIZE: Final = 60.0
"""The same where the bytes are bound: they may come fast."""
AT_ONCE: Final = 1000
"""Files that are deleted together; journal files come after their flow files."""


def wanted(spec: RecordingsSpec) -> Wanted:
    """What the configuration says."""
    return Wanted(retain=spec.retain, keep=spec.keep)


def kept(store: Store, data_dir: Path, audit: AuditSpec, spec: RecordingsSpec) -> Kept:
    """What has to stay at this moment. Raises StoreError, OSError: then nothing is deleted."""
    with store.reading() as connection:
        sessions = frozenset(each.session for each in holds(connection))
    needed = needed_from(data_dir, audit)
    if spec.url == "file":
        return Kept(sessions=sessions, journal_from=needed)
    copied = Ledger(data_dir, spec.url)
    return Kept(
        sessions=sessions,
        journal_from=needed,
        flows=lambda name: name not in copied,
        journals=lambda name: not copied.has_journal(name),
    )


class Deleting:
    """The task of a gateway."""

    def __init__(  # noqa: PLR0913 (what it needs)
        self,
        spec: RecordingsSpec,
        audit: AuditSpec,
        data_dir: Path,
        *,
        store: Store,
        recorder: Recorder,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._spec = spec
        self._wanted = wanted(spec)
        self._audit = audit
        self._data_dir = data_dir
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._retention = Retention(data_dir)
        self._every = EVERY if spec.keep is None else EVERY_BY_SIZE
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._told: frozenset[str] = frozenset()

    def start(self) -> None:
        """Begin, where anything is ever to be deleted; waits for nobody."""
        if self._wanted:
            self._task = asyncio.create_task(self._run(), name="gatehold retention")

    async def close(self) -> None:
        """End; what was begun is finished."""
        self._stopping.set()
        if self._task is not None:
            await self._task

    async def turn(self) -> Plan:
        """Delete what is due. Raises StoreError, OSError, RecorderUnavailable: then nothing was deleted, or not all."""
        now = self._clock()
        plan = await asyncio.to_thread(self._plan, now)
        self._tell(plan)
        if not plan.doomed or self._stopping.is_set():
            return plan
        events = await asyncio.to_thread(self._retention.events, plan, now=now)
        await self._recorder.append(events=events, session=SessionId(""), signed=True)
        await asyncio.to_thread(self._carry_out, plan, now)
        return plan

    def _plan(self, now: float) -> Plan:
        plan = self._retention.plan(self._wanted, kept(self._store, self._data_dir, self._audit, self._spec), now=now)
        plan.doomed = plan.doomed[:AT_ONCE]
        self._retention.sift(plan)
        return plan

    def _carry_out(self, plan: Plan, now: float) -> None:
        """Unless a hold came in between, or the event did not arrive: what is announced need not be done."""
        if not self._retention.is_announced(plan):
            raise RecorderUnavailable("the journal did not take the event of a deletion")
        sessions = kept(self._store, self._data_dir, self._audit, self._spec).sessions
        if not plan.touches(sessions):
            self._retention.carry_out(plan, now=now)

    def _tell(self, plan: Plan) -> None:
        stuck = frozenset(plan.stuck)
        for words in sorted(stuck - self._told):
            logger.warning("gatehold: retention: %s", words)
        self._told = stuck

    async def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                while len((await self.turn()).doomed) == AT_ONCE and not self._stopping.is_set():
                    pass
            except (StoreError, OSError, RecorderUnavailable) as error:
                logger.warning("gatehold: nothing was deleted: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._stopping.wait()
