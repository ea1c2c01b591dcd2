"""Law: the index follows the journal beside the calls, and what is wrong with it stops nothing."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gatehold.keeping.indexing import BUSY, LEFT_OUT, Indexing
from policy.model import SessionId
from recordings.acts import GatewayMove, gateway_event
from recordings.index.asking import Index
from recordings.index.schema import INDEX
from recordings.writer import Record, Writer


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A journal."""
    writer = Writer.open(tmp_path)
    event = gateway_event(GatewayMove.START, time=1.0)
    writer.write([Record(entries=(event.entry(),), session=SessionId(""))])
    writer.close()
    return tmp_path


async def test_it_is_fed(data_dir: Path) -> None:
    """By turns, until it is closed; twice is once."""
    indexing = Indexing(data_dir)
    indexing.start()
    while not (data_dir / INDEX).exists():  # noqa: ASYNC110 (what is waited for happens in a thread)
        await asyncio.sleep(0.001)
    await indexing.close()
    await indexing.close()
    with Index(data_dir) as index:
        assert index.size()["lines"] == 3


async def test_a_fault_is_told_once(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Something else stands in its place: the calls go on, and once it is gone, so does the index."""
    (data_dir / INDEX).mkdir()
    indexing = Indexing(data_dir)
    await indexing.turn()
    await indexing.turn()
    assert len([each for each in caplog.records if "cannot be used" in each.message]) == 1
    (data_dir / INDEX).rmdir()
    await indexing.turn()
    await indexing.close()
    with Index(data_dir) as index:
        assert index.size()["lines"] == 3


async def test_most_turns_are_left_out_while_much_is_called(data_dir: Path) -> None:
    """The journal grows fast: one turn in ten reads on; it grows no more: the next one does."""
    indexing, writer = Indexing(data_dir), Writer.open(data_dir)
    await indexing.turn()
    fast = 2 * (LEFT_OUT + 1) + 1
    known = []
    for turn in range(fast + 1):
        if turn < fast:
            grow(writer)
        await indexing.turn()
        known.append(lines(data_dir))
    await indexing.close()
    writer.close()
    fed = [turn for turn in range(1, len(known)) if known[turn] > known[turn - 1]]
    assert fed == [LEFT_OUT, 2 * LEFT_OUT + 1, fast]


def grow(writer: Writer) -> None:
    """As much as is written in a second while much is called."""
    event = gateway_event(GatewayMove.START, time=1.0, details={"text": "x" * 40_000})
    records = [Record(entries=(event.entry(),), session=SessionId("")) for _ in range(BUSY // 40_000 + 1)]
    writer.write(records)


def lines(data_dir: Path) -> int:
    """How many the index knows, without bringing it up to date."""
    with closing(sqlite3.connect(f"file:{data_dir / INDEX}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM lines").fetchone()[0])
