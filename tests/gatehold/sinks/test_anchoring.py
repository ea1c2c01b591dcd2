"""Law: the newest checkpoint is copied at every turn; that it cannot be is an event once, and so is that it can again."""

import asyncio
from pathlib import Path

import pytest

from gatehold.sinks.anchoring import Anchor
from gatehold.sinks.anchors import Directory, newest_checkpoint
from recordings.acts import GatewayMove
from tests.gatehold.sinks.conftest import JournalUnderTest


def test_faults_are_told_once(journal: JournalUnderTest, tmp_path: Path) -> None:
    """Away, away, back, back."""
    directory, moves = tmp_path / "anchors", list[GatewayMove]()

    async def tell(move: GatewayMove, message: str, details: dict[str, object]) -> None:
        assert details == {"anchor": "elsewhere"}
        assert "anchor elsewhere" in message
        moves.append(move)

    anchor = Anchor("elsewhere", Directory(directory), journal.data_dir, every=600, tell=tell)
    with pytest.raises(FileNotFoundError):
        anchor.behind()
    for _ in range(2):
        asyncio.run(anchor.turn())
    directory.mkdir()
    for _ in range(2):
        journal.write(6)
        asyncio.run(anchor.turn())
    assert moves == [GatewayMove.ANCHOR_FAULT, GatewayMove.ANCHOR_RECOVERED]
    newest = newest_checkpoint(journal.data_dir)
    assert newest is not None
    assert Directory(directory).newest() == {newest.chain: newest}
    assert len(list(directory.iterdir())) == 2


def test_the_end_is_copied(journal: JournalUnderTest, tmp_path: Path) -> None:
    """Where the journal ends when the gateway stops."""

    async def tell(move: GatewayMove, message: str, details: dict[str, object]) -> None:
        raise AssertionError(message)

    async def run() -> None:
        anchor = Anchor("elsewhere", Directory(tmp_path), journal.data_dir, every=600, tell=tell)
        anchor.start()
        journal.write(3)
        journal.writer.close()
        await anchor.close()

    asyncio.run(run())
    assert [each.seq for each in Directory(tmp_path).newest().values()] == [journal.last]
