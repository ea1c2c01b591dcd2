"""Law: a sink is told every line of its kinds at least once, in order, whatever happens to it or to the gateway."""

import asyncio
import contextlib
from collections.abc import Collection
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gatehold.sinks.model import NotTaken
from gatehold.sinks.position import load, position_file
from gatehold.sinks.pump import LONGEST_PAUSE, Pump, backoff
from gatehold.sinks.serving import USUAL
from recordings.acts import GatewayMove
from tests.gatehold.sinks.conftest import JournalUnderTest, Told


class Teller:
    """Remembers which events were to be written."""

    def __init__(self) -> None:
        self.moves: list[GatewayMove] = []

    async def __call__(self, move: GatewayMove, message: str, details: dict[str, object]) -> None:
        assert message
        assert details["sink"] == "siem"
        self.moves.append(move)


def pump(
    data_dir: Path, told: Told, teller: Teller | None = None, *, kinds: Collection[str] = USUAL, sound: bool = True
) -> Pump:
    """One that serves a sink called siem."""
    tell = teller or Teller()
    return Pump("siem", told, data_dir, kinds=kinds, is_sound=lambda: sound, tell=tell, chance=lambda: 0.0)


async def drain(this: Pump) -> None:
    """Until there is nothing more."""
    while await this.turn():
        pass


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(
    steps=st.lists(
        st.sampled_from(["write", "turn", "refused", "new pump", "lost position", "restart"]), min_size=3, max_size=14
    )
)
def test_nothing_is_lost(tmp_path_factory: pytest.TempPathFactory, steps: list[str]) -> None:
    """Refusals, restarts of the gateway, and a crash between a message and its position."""
    journal = JournalUnderTest(tmp_path_factory.mktemp("pump") / "data", file_size=5000)
    told = Told()
    kinds = {"gateway", "journal-open", "journal-seal"}
    this = pump(journal.data_dir, told, kinds=kinds)
    asyncio.run(drain(this))
    for step in steps:
        match step:
            case "write":
                journal.write(2)
            case "turn":
                asyncio.run(this.turn())
            case "refused":
                told.refuses = True
                with contextlib.suppress(NotTaken):
                    asyncio.run(this.turn())
                told.refuses = False
            case "new pump":
                this = pump(journal.data_dir, told, kinds=kinds)
            case "lost position":
                saved = position_file(journal.data_dir, "siem").read_bytes()
                asyncio.run(this.turn())
                position_file(journal.data_dir, "siem").write_bytes(saved)
                this = pump(journal.data_dir, told, kinds=kinds)
            case _:
                journal.restart()
    asyncio.run(drain(this))
    assert list(dict.fromkeys(told.seqs)) == list(range(1, journal.last + 1))
    journal.writer.close()


def test_kinds_are_chosen(journal: JournalUnderTest, told: Told) -> None:
    """Files are not told of unless they are asked for; the position goes on all the same."""
    journal.write(3)
    asyncio.run(drain(pump(journal.data_dir, told)))
    assert {line.kind for batch in told.batches for line in batch} == {"gateway"}
    position = load(position_file(journal.data_dir, "siem"))
    assert position is not None
    assert position.seq == journal.last


def test_a_journal_at_fault_is_not_read(journal: JournalUnderTest, told: Told) -> None:
    """What stands in it may be taken back."""
    journal.write(3)
    assert asyncio.run(pump(journal.data_dir, told, sound=False).turn()) is False
    assert told.batches == []


def test_a_sink_that_fails_is_an_event_and_so_is_its_return(
    journal: JournalUnderTest, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One each, however long it takes."""
    pauses: list[float] = []
    journal.write(2)
    told.refuses = True
    teller = Teller()
    this = pump(journal.data_dir, told, teller)

    async def rests(seconds: float) -> bool:
        pauses.append(seconds)
        told.refuses = len(pauses) < 6
        return len(pauses) == 8

    monkeypatch.setattr(this, "_rests", rests)
    asyncio.run(this._run())
    assert teller.moves == [GatewayMove.SINK_FAULT, GatewayMove.SINK_RECOVERED]
    assert pauses[:6] == sorted(pauses[:6])
    assert told.seqs
    assert this.reason == ""


def test_pauses_grow_to_a_bound() -> None:
    """From half a second to five minutes."""
    pauses = [backoff(attempts, 0.5) for attempts in range(1, 40)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (1.0, LONGEST_PAUSE)


def test_the_last_lines_are_told_at_a_stop(journal: JournalUnderTest, told: Told) -> None:
    """If the sink takes them at once."""
    this = pump(journal.data_dir, told)
    journal.write(4)

    async def run() -> None:
        this.start()
        await this.close(5.0)

    asyncio.run(run())
    assert len(told.seqs) == 4


def test_a_position_that_cannot_be_read_loses_nothing(journal: JournalUnderTest, told: Told) -> None:
    """Somebody spoiled it while the gateway was away: all there is comes again, from the oldest line on."""
    journal.write(20)
    assert len(journal.files) > 1
    path = position_file(journal.data_dir, "siem")
    path.parent.mkdir()
    path.write_bytes(b"\0" * 60)
    this = pump(journal.data_dir, told, kinds={"gateway", "journal-open", "journal-seal"})
    asyncio.run(drain(this))
    assert told.seqs == list(range(1, journal.last + 1))
