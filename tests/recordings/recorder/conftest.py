"""Recorders for the tests of this package."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from recordings.events import Call, Event, outcome
from recordings.recorder import Mode, Recorder, RecorderLimits
from tests.recordings.conftest import Clock
from tests.recordings.recorder.recording import NEVER
from tests.recordings.scribe_thread import ScribeThread


@pytest.fixture
def event(call: Call) -> Event:
    """The end of a call."""
    return outcome(call, status=200, time=call.time)


@pytest.fixture
async def started() -> AsyncIterator[Callable[[Recorder], Recorder]]:
    """Starts recorders, and stops them."""
    made: list[Recorder] = []

    def start(recorder: Recorder) -> Recorder:
        made.append(recorder)
        recorder.start(asyncio.get_running_loop())
        return recorder

    yield start
    for recorder in made:
        await recorder.stop()


@pytest.fixture
def running(tmp_path: Path, started: Callable[[Recorder], Recorder]) -> Callable[..., Recorder]:
    """Makes recorders that run, with a process each."""

    def make(mode: Mode = "required", **limits: Any) -> Recorder:
        return started(Recorder(tmp_path, mode=mode, limits=RecorderLimits(**({"interval": NEVER} | limits))))

    return make


@pytest.fixture
def within(tmp_path: Path, clock: Clock, started: Callable[[Recorder], Recorder]) -> Callable[..., Recorder]:
    """Makes recorders that run, with a thread each, where writes can be made to fail."""

    def make(mode: Mode = "required", **options: Any) -> Recorder:
        sync = options.pop("sync", "interval")
        limits = RecorderLimits(**({"interval": NEVER} | options))
        hand = ScribeThread(tmp_path, limits, clock)
        return started(Recorder(tmp_path, mode=mode, sync=sync, limits=limits, hand=hand))

    return make
