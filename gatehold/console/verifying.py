"""Verifies journal and flow files when somebody asks, in a process of its own, and remembers what was found.

One at a time: it reads everything. What it found is kept in memory until the next one.
"""

import asyncio
import contextlib
import json
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

PATIENCE: Final = 900.0
"""Seconds after which a verification is given up."""
_MOST_OUTPUT: Final = 64 * 1024 * 1024
MOST_NOTES: Final = 20

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What one verification found."""

    by: str
    started: float
    """Unix seconds."""
    ended: float
    intact: bool
    summary: str
    """The counts, or the first bad place; or why nothing is known."""
    failed: bool = False
    """It could not be done, so nothing is known."""
    notes: tuple[str, ...] = ()
    open_intents: tuple[str, ...] = ()
    """Calls that were to be sent and of which no end is known."""


class Verifying:
    """The verifications of one console. Belongs to one event loop."""

    def __init__(self, clock: Callable[[], float], *, patience: float = PATIENCE) -> None:
        self._clock = clock
        self._patience = patience
        self._task: asyncio.Task[None] | None = None
        self.last: Verified | None = None
        self.since: float | None = None
        """When the one that runs began; None: none does."""

    def __repr__(self) -> str:
        return f"<Verifying {'now' if self.since else 'nothing'}>"

    def start(self, data_dir: Path, by: str) -> bool:
        """Begin one; False where one runs already."""
        if self.since is not None:
            return False
        self.since = self._clock()
        self._task = asyncio.create_task(self._run(data_dir, by), name="gatehold verify")
        return True

    async def done(self) -> None:
        """Wait until none runs."""
        if self._task is not None:
            await self._task

    async def _run(self, data_dir: Path, by: str) -> None:
        began = self._clock()
        try:
            found = await self._report(data_dir)
        except (OSError, ValueError, TimeoutError) as error:
            logger.warning("gatehold: the record could not be verified: %s", type(error).__name__)
            found = None
        finally:
            self.since = None
        self.last = _verified(found, by, began, self._clock())

    async def _report(self, data_dir: Path) -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "recordings",
            str(data_dir),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_MOST_OUTPUT,
        )
        try:
            async with asyncio.timeout(self._patience):
                told, _ = await process.communicate()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        found: dict[str, Any] = json.loads(told)
        return found


def _verified(found: dict[str, Any] | None, by: str, began: float, ended: float) -> Verified:
    if found is None:
        words = "It could not be done; try `gatehold audit verify` on the gateway's machine."
        return Verified(by=by, started=began, ended=ended, intact=False, summary=words, failed=True)
    return Verified(
        by=by,
        started=began,
        ended=ended,
        intact=found["intact"] is True,
        summary=str(found["summary"]),
        notes=tuple(map(str, found["notes"])),
        open_intents=tuple(map(str, found["open_intents"])),
    )
