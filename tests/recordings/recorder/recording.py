"""What the tests of the recorder share."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from policy.model import SessionId
from recordings.events import Event
from recordings.journal import journal_files
from recordings.recorder import Recorder
from recordings.writer import Writer

FLOW = b"5:hello}"
NEVER = 1e6
"""An interval that does not end within a test."""


def put(recorder: Recorder, event: Event, *, flow: bytes | None = FLOW, durable: bool = False) -> asyncio.Future[None]:
    """One call."""
    return recorder.append(events=[event], flow=flow, session=SessionId("s-1"), durable=durable)


def numbered(event: Event, count: int) -> list[Event]:
    """So many events, whose message is their number."""
    return [Event(kind=event.kind, data={**event.data, "message": str(n)}, session="s-1") for n in range(count)]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens elsewhere."""
    while not condition():  # noqa: ASYNC110 (in a thread or a process)
        await asyncio.sleep(0.001)


def told(data_dir: Path) -> list[dict[str, Any]]:
    """All events of a journal."""
    lines = [line for path in journal_files(data_dir / "journal" / "main") for line in path.read_bytes().splitlines()]
    return [json.loads(line)["event"] for line in lines]


def numbers(data_dir: Path) -> list[int]:
    """What was ``numbered``, in the order of the journal."""
    return [int(event["message"]) for event in told(data_dir) if event.get("message", "").isdecimal()]


def moves(data_dir: Path) -> list[dict[str, Any]]:
    """What the gateway told of itself."""
    found = [event["unmapped"]["gatehold"] for event in told(data_dir)]
    return [words for words in found if "move" in words]


class Gate:
    """Holds up one method of the writer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self._entered, self._open = threading.Event(), threading.Event()
        method = getattr(Writer, name)

        def held(*arguments: Any) -> Any:
            self._entered.set()
            self._open.wait()
            return method(*arguments)

        monkeypatch.setattr(Writer, name, held)

    async def entered(self) -> None:
        """Wait until somebody stands before it."""
        await asyncio.to_thread(self._entered.wait)

    @contextmanager
    def opened(self) -> Iterator[None]:
        """Open it at the end."""
        try:
            yield
        finally:
            self._open.set()
