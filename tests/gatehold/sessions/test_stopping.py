"""Law: while the file is there, or it cannot be told whether it is, everything is stopped."""

import asyncio
import errno
import logging
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gatehold.sessions import stopping
from gatehold.sessions.stopping import FILE_NAME, Stop, stop_event


class Told:
    """What a switch told, in order."""

    def __init__(self) -> None:
        self.moves: list[bool] = []
        self._moved = asyncio.Event()

    async def __call__(self, pulled: bool) -> None:
        self.moves.append(pulled)
        self._moved.set()

    async def next(self) -> bool:
        """The next move."""
        async with asyncio.timeout(10):
            await self._moved.wait()
        self._moved.clear()
        return self.moves[-1]


@pytest.fixture
async def stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Stop]:
    monkeypatch.setattr(stopping, "INTERVAL", 0.01)
    switch = Stop(tmp_path)
    yield switch
    await switch.close()


async def test_the_file_stops_and_its_end_lifts(stop: Stop) -> None:
    """Both are told; so it is stopped before the first look."""
    told = Told()
    assert stop.pulled
    await stop.start(told)
    assert (stop.pulled, told.moves) == (False, [])
    stop.file.touch()
    assert await told.next()
    assert stop.pulled
    stop.file.unlink()
    assert not await told.next()
    assert not stop.pulled


async def test_it_survives_a_restart(stop: Stop) -> None:
    """And is told at once."""
    told = Told()
    stop.file.touch()
    await stop.start(told)
    assert (stop.pulled, told.moves) == (True, [True])


@pytest.mark.parametrize("kind", ["directory", "dangling link"])
def test_anything_of_that_name_stops(tmp_path: Path, kind: str) -> None:
    """Also what cannot be read."""
    if kind == "directory":
        (tmp_path / FILE_NAME).mkdir()
    else:
        (tmp_path / FILE_NAME).symlink_to(tmp_path / "nothing")
    stop = Stop(tmp_path)
    stop.look()
    assert stop.pulled


@pytest.mark.parametrize("name", ["file", "gone"])
def test_a_look_that_fails_stops(tmp_path: Path, name: str) -> None:
    """A data directory that is none, or is not there: a volume that went away may hold the file."""
    (tmp_path / "file").touch()
    stop = Stop(tmp_path / name)
    stop.look()
    assert stop.pulled


async def test_the_signal(stop: Stop) -> None:
    """Stops at once, and leaves the file behind."""
    told = Told()
    await stop.start(told)
    stop.listen()
    try:
        os.kill(os.getpid(), signal.SIGRTMIN)
        assert await told.next()
        assert stop.file.exists()
        stop.file.unlink()
        assert not await told.next()
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGRTMIN)


async def test_a_signal_without_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the file cannot be made, nothing but a restart lifts it."""
    stop = Stop(tmp_path)
    stop.look()
    assert not stop.pulled

    def refuse(*_: object) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    with caplog.at_level(logging.CRITICAL), monkeypatch.context() as broken:
        broken.setattr(os, "open", refuse)
        stop.pull()
    stop.look()
    assert stop.pulled
    assert "until it is started anew" in caplog.text


async def test_nobody_looks_any_more(stop: Stop, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever ends the looking, it stops."""

    async def fail(pulled: bool) -> None:
        raise RuntimeError

    await stop.start(fail)
    task = stop._task
    assert task is not None
    stop.file.touch()
    with caplog.at_level(logging.CRITICAL):
        await asyncio.wait([task], timeout=10)
        await asyncio.sleep(0)
    stop.file.unlink()
    assert stop.pulled
    assert "nobody looks at the emergency stop: RuntimeError" in caplog.text


def test_the_record() -> None:
    """Says which way it went."""
    lines = [stop_event(pulled, time=1.0).data for pulled in (True, False)]
    assert [line["comment"] for line in lines] == ["everything is refused", "agents are served again"]
