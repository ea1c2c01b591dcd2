"""Recorders of a configuration whose scribe works in a thread: too many are started here for processes."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatehold.config.recordings import RecordingsSpec
from gatehold.keeping.recorder import writer_limits
from recordings.events import Event
from recordings.lines import Entry
from recordings.recorder import Recorder, RecorderLimits
from recordings.recorder.jobs import Frames, Gap, Job, pack, unpack
from recordings.said import Said
from tests.recordings.scribe_thread import ScribeThread


def recorder_in_thread(spec: RecordingsSpec, data_dir: Path, *, clock: Callable[[], float] = time.time) -> Recorder:
    """As ``recorder_of``, but for where the scribe works."""
    limits = RecorderLimits(writer=writer_limits(spec))
    hand = CheckedThread(data_dir, limits, clock)
    return Recorder(data_dir, mode=spec.mode, sync=spec.sync, limits=limits, hand=hand)


class CheckedThread(ScribeThread):
    """Its jobs come to it as they would come to a process, and must be the same there."""

    def give(self, job: Job | Gap) -> int:
        """Write what has been there and back."""
        *bodies, plain = Frames().feed(b"".join(pack(job)))
        came = unpack(plain, bodies)
        if isinstance(job, Job) and isinstance(came, Job):
            assert [told(event) for event in came.events] == [told(event) for event in job.events]
            assert came.record().flow == job.record().flow
            # Of the same kind: nothing had to be made on the event loop because it has no plain form.
            assert [*map(type, came.events), type(came.flow)] == [*map(type, job.events), type(job.flow)]
        return super().give(came)


def told(event: Said | Event | Entry) -> Any:
    """What an event says, but for the name that it gets as it is made."""
    if isinstance(event, Entry):
        return event
    made = event.event() if isinstance(event, Said) else event
    said = {**made.data, "metadata": {**made.data["metadata"], "uid": ""}}
    return made.kind, said, made.decision, made.session
