"""Removes flow files here that are in the bucket: looked at there, announced in the journal, signed, and only then.

As retention does, with ``uploaded`` for a reason; so a verifier knows that a file may be gone, and what its hash was.
Journal files stay, and so does what is under legal hold.
"""

import asyncio
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path
from typing import Final

from gatehold.objects.aside import aside
from gatehold.objects.ledger import Ledger, Uploaded
from gatehold.objects.place import ObjectDiffers, ObjectPlace
from gatehold.store.errors import StoreError
from policy.model import SessionId
from recordings.deletions import UPLOADED
from recordings.errors import RecorderUnavailable
from recordings.recorder import Recorder
from recordings.retention import Doomed, Kept, Plan, Retention, Wanted

AT_ONCE: Final = 200
"""Files that are removed together."""
_ANYTHING: Final = Wanted(retain=0.0)


class Dropping:
    """What follows an upload. ``held``: sessions under legal hold, or StoreError."""

    def __init__(  # noqa: PLR0913 (what it needs)
        self,
        data_dir: Path,
        place: ObjectPlace,
        ledger: Ledger,
        *,
        recorder: Recorder,
        held: Callable[[], Collection[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._data_dir = data_dir
        self._place = place
        self._ledger = ledger
        self._recorder = recorder
        self._held = held
        self._clock = clock
        self._retention = Retention(data_dir)
        self._refused: set[str] = set()
        """Files that are not the ones in the bucket, and of which that was said."""

    async def turn(self) -> list[str]:
        """Drop what may go; returns what was found wrong. Raises BucketUnavailable, OSError."""
        now = self._clock()
        try:
            plan = await asyncio.to_thread(self._plan, now)
            problems = await self._keep_what_differs(plan)
            problems += await asyncio.to_thread(self._keep_evidence, plan)
            if plan.doomed:
                events = await asyncio.to_thread(self._retention.events, plan, now=now)
                await self._recorder.append(events=events, session=SessionId(""), signed=True)
                await asyncio.to_thread(self._carry_out, plan, now)
        except (StoreError, RecorderUnavailable):
            return []  # both say themselves what is wrong; nothing is dropped in doubt
        return problems

    def _plan(self, now: float) -> Plan:
        plan = self._retention.plan(_ANYTHING, self._kept(), now=now)
        plan.doomed = [replace(each, reason=UPLOADED) for each in plan.doomed[:AT_ONCE]]
        return plan

    def _kept(self) -> Kept:
        return Kept(sessions=frozenset(self._held()), flows=self._stays, journals=lambda _: True)

    def _stays(self, name: str) -> bool:
        return name not in self._ledger or name in self._refused

    async def _keep_what_differs(self, plan: Plan) -> list[str]:
        """Hold every file against the ledger and the bucket."""
        problems, good = [], []
        for each in plan.doomed:
            try:
                await self._check(each, self._ledger.entries[each.name])
            except ObjectDiffers as error:
                self._refused.add(each.name)
                problems.append(f"{error}: the file here stays")
            else:
                good.append(each)
        plan.doomed = good
        return problems

    def _keep_evidence(self, plan: Plan) -> list[str]:
        """What was altered before it was copied; told once, since later plans leave it out."""
        before = [each.name for each in plan.doomed]
        self._retention.sift(plan)
        left = {each.name for each in plan.doomed}
        return [f"{name} was changed before it was copied: the file here stays" for name in before if name not in left]

    async def _check(self, doomed: Doomed, entry: Uploaded) -> None:
        if await asyncio.to_thread(_sha256, self._data_dir / doomed.name) != entry.sha256:
            raise ObjectDiffers(f"{doomed.name} was changed here after it was copied")
        await aside(self._place.check, entry.key, entry.size, entry.sha256)

    def _carry_out(self, plan: Plan, now: float) -> None:
        if not self._retention.is_announced(plan):
            raise RecorderUnavailable("the journal did not take the event of a deletion")
        if not plan.touches(self._held()):
            self._retention.carry_out(plan, now=now)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
