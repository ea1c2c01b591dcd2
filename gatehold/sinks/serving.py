"""The sinks and anchors of one gateway."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gatehold.config.gateway import GatewaySpec
from gatehold.config.recordings import AnchorSpec, AuditSpec, RecordingsSpec, SinkSpec
from gatehold.sinks.anchoring import Anchor
from gatehold.sinks.anchors import Behind, Directory, Store
from gatehold.sinks.model import Place
from gatehold.sinks.position import load, position_file
from gatehold.sinks.pump import Pump
from gatehold.sinks.streams import AppendedFile, StandardOutput
from gatehold.sinks.syslog import Syslog
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.errors import RecorderUnavailable
from recordings.ocsf import Kind
from recordings.recorder import Recorder

logger = logging.getLogger(__name__)

LAST_TRY: Final = 3.0
"""Seconds that a stop waits for a sink to take the last lines."""
ANCHOR_PATIENCE: Final = 30.0
"""Seconds that a start waits for an anchor."""
_OF_FILES: Final = frozenset({Kind.JOURNAL_OPEN, Kind.JOURNAL_SEAL, Kind.FLOWS_OPEN, Kind.FLOWS_SEAL})
USUAL: Final = frozenset(kind.value for kind in Kind if kind not in _OF_FILES)
"""Kinds that a sink gets where it names none."""


class AuditReach:
    """Everything under ``audit:``."""

    def __init__(
        self, spec: GatewaySpec, data_dir: Path, recorder: Recorder, clock: Callable[[], float] = time.time
    ) -> None:
        """Opens nothing; ValueError where a bucket cannot be."""
        self._recorder = recorder
        self._clock = clock
        self._stopped = False
        self._pumps = [
            Pump(
                each.name,
                place(each),
                data_dir,
                kinds=each.kinds or USUAL,
                is_sound=lambda: self._stopped or recorder.healthy,
                tell=self._tell,
            )
            for each in spec.audit.sinks
        ]
        self._anchors = [
            Anchor(each.name, anchor_store(each, spec.recordings), data_dir, every=each.every, tell=self._tell)
            for each in spec.audit.anchors
        ]

    async def start(self, start_recorder: Callable[[], None]) -> None:
        """Hold the journal against its anchors, start the recorder, begin; waits for no sink."""
        found = [await _asked(anchor) for anchor in self._anchors]
        start_recorder()
        for anchor, answer in zip(self._anchors, found, strict=True):
            if isinstance(answer, OSError):
                await anchor.failed(answer)
            elif answer is not None:
                await self._rolled_back(anchor.name, answer)
        for pump in self._pumps:
            pump.start()
        for anchor in self._anchors:
            anchor.start()

    async def close(self) -> None:
        """End, once the recorder has: sinks get the last lines if they take them now, anchors the last checkpoint."""
        self._stopped = True
        await asyncio.gather(*(pump.close(LAST_TRY) for pump in self._pumps))
        for anchor in self._anchors:
            await anchor.close()

    def describe(self) -> str:
        """Names of those that fail now, and why; for operators."""
        return "; ".join(f"{pump.name}: {pump.reason}" for pump in self._pumps if pump.reason)

    async def _rolled_back(self, anchor: str, behind: Behind) -> None:
        logger.warning("gatehold: anchor %s: %s", anchor, behind)  # an error would end the process
        details: dict[str, object] = {"anchor": anchor, "event": behind.anchor.seq, "chain": behind.anchor.chain}
        await self._tell(GatewayMove.ROLLED_BACK, str(behind), details)

    async def _tell(self, move: GatewayMove, message: str, details: dict[str, object]) -> None:
        event = gateway_event(move, time=self._clock(), message=message, details=details)
        with contextlib.suppress(RecorderUnavailable):  # the recorder says itself what is wrong
            await self._recorder.append(events=[event], session=SessionId(""))


async def _asked(anchor: Anchor) -> Behind | OSError | None:
    """What an anchor says; an error where it does not say anything in time."""
    try:
        async with asyncio.timeout(ANCHOR_PATIENCE):
            return await asyncio.to_thread(anchor.behind)
    except OSError as error:  # TimeoutError is one
        return error


def needed_from(data_dir: Path, spec: AuditSpec) -> int | None:
    """Number of the first journal file that some sink has not passed; None: there is no sink that has begun."""
    positions = (load(position_file(data_dir, each.name)) for each in spec.sinks)
    return min((position.number for position in positions if position is not None), default=None)


def place(spec: SinkSpec) -> Place:
    """Where a sink's lines go."""
    if spec.file is not None:
        return AppendedFile(spec.file)
    if spec.syslog is not None:
        return Syslog(spec.syslog)
    if spec.webhook is not None:
        from gatehold.sinks.webhook import EventWebhook  # noqa: PLC0415 - brings an HTTP client

        return EventWebhook(spec.webhook)
    return StandardOutput()


def anchor_store(spec: AnchorSpec, recordings: RecordingsSpec) -> Store:
    """Where an anchor's copies are kept. Raises ValueError."""
    if spec.directory is not None:
        return Directory(spec.directory)
    from gatehold.sinks.buckets import Bucket  # noqa: PLC0415 - brings a client of object stores

    return Bucket(str(spec.url), recordings.object_store if recordings.object_store.model_fields_set else None)
