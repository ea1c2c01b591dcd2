"""Law: what stands in the journal stands in the file or comes out of the pipe, whole; a slow reader holds up nobody."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gatehold.sinks.model import NotTaken
from gatehold.sinks.streams import AppendedFile, StandardOutput
from recordings.lines import Line

type Lines = Callable[[int], list[Line]]


def raw(lines: list[Line]) -> bytes:
    """As they stand in the journal."""
    return b"".join(line.raw + b"\n" for line in lines)


def test_a_file_grows(tmp_path: Path, make_lines: Lines) -> None:
    """Appended to, for its owner; made anew after it was moved away."""
    path, lines = tmp_path / "audit.jsonl", make_lines(4)
    place = AppendedFile(path)
    asyncio.run(place.put(lines[:2]))
    asyncio.run(place.put(lines[2:]))
    assert path.read_bytes() == raw(lines)
    assert path.stat().st_mode & 0o777 == 0o600
    path.rename(tmp_path / "audit.jsonl.1")
    asyncio.run(place.put(lines[:1]))
    assert path.read_bytes() == raw(lines[:1])


def test_a_full_disk_leaves_whole_lines(tmp_path: Path, make_lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not fit is taken back, and told later."""
    path, lines = tmp_path / "audit.jsonl", make_lines(3)
    place = AppendedFile(path)
    asyncio.run(place.put(lines[:1]))
    write, calls = os.write, []

    def full(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, bytes(data)[:10])

    with monkeypatch.context() as patched:
        patched.setattr("gatehold.sinks.streams.os.write", full)
        with pytest.raises(NotTaken, match="No space left"):
            asyncio.run(place.put(lines[1:]))
    assert path.read_bytes() == raw(lines[:1])
    asyncio.run(place.put(lines[1:]))
    assert path.read_bytes() == raw(lines)


def test_a_torn_line_of_another_is_ended(tmp_path: Path, make_lines: Lines) -> None:
    """Ours begin on lines of their own."""
    path, lines = tmp_path / "audit.jsonl", make_lines(1)
    path.write_bytes(b"torn")
    asyncio.run(AppendedFile(path).put(lines))
    assert path.read_bytes() == b"torn\n" + raw(lines)


@pytest.mark.parametrize("kind", ["link", "pipe", "directory", "nowhere"])
def test_what_is_no_file_is_not_written_to(tmp_path: Path, make_lines: Lines, kind: str) -> None:
    """Nor waited for."""
    path = tmp_path / "place"
    match kind:
        case "link":
            path.symlink_to(tmp_path / "elsewhere")
        case "pipe":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case _:
            path = tmp_path / "no" / "place"
    with pytest.raises(NotTaken):
        asyncio.run(AppendedFile(path).put(make_lines(1)))
    assert not (tmp_path / "elsewhere").exists()


def test_a_pipe_that_nobody_empties_blocks_nobody(make_lines: Lines) -> None:
    """The loop goes on; when somebody reads, all of it comes, in order."""
    lines = make_lines(40) * 5
    reading, writing = os.pipe()
    ticks = 0

    async def run() -> None:
        nonlocal ticks
        task = asyncio.create_task(StandardOutput(writing).put(lines))
        while ticks < 50:
            await asyncio.sleep(0)
            ticks += 1
        assert not task.done()
        reader.start()
        await task

    got: list[bytes] = []
    wanted = len(raw(lines))

    def read() -> None:
        while sum(map(len, got)) < wanted:
            got.append(os.read(reading, 65536))

    reader = threading.Thread(target=read)
    assert wanted > 65536
    try:
        asyncio.run(run())
        reader.join(timeout=30)
    finally:
        os.close(reading)
        os.close(writing)
    assert b"".join(got) == raw(lines)


def test_nobody_reads_any_more(make_lines: Lines) -> None:
    """A broken pipe is told, and tried again."""
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(NotTaken, match="standard output"):
        asyncio.run(StandardOutput(writing).put(make_lines(1)))
    os.close(writing)
