"""What a crash leaves, and what becomes of it."""

import io
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings.acts import file_event
from recordings.checkpoints import signing_key
from recordings.errors import JournalDamagedError
from recordings.journal import journal_files
from recordings.lines import compose, parse
from recordings.ocsf import Kind
from recordings.recovery import whole_flows
from recordings.verify import verify
from recordings.writer import Record, Writer
from tests.recordings.strangers import Stranger

type Make = Callable[..., Record]


def flow_files(data_dir: Path) -> list[Path]:
    """All flow files."""
    return sorted((data_dir / "recordings").rglob("*.flow"))


def last_journal(data_dir: Path) -> Path:
    """The newest journal file."""
    return journal_files(data_dir / "journal" / "main")[-1]


def own(line: bytes) -> dict[str, Any]:
    """What a line of ours says beyond OCSF."""
    words: dict[str, Any] = json.loads(line)["event"]["unmapped"]["gatehold"]
    return words


@pytest.fixture
def crashed(tmp_path: Path, record: Make) -> Path:
    """A directory whose writer stopped without sealing, after four calls of two sessions."""
    writer = Writer.open(tmp_path)
    writer.write([record(1, session="a"), record(2, session="b")])
    writer.write([record(3, session="a"), record(4, session="b", flow=False)])
    writer.sync()
    writer.close(seal=False)
    return tmp_path


def test_after_a_clean_stop_there_is_nothing_to_do(tmp_path: Path, record: Make) -> None:
    """The next start goes on with the next file of the same chain."""
    Writer.open(tmp_path).close()
    before = last_journal(tmp_path).read_bytes()
    writer = Writer.open(tmp_path)
    assert writer.left.sealed
    writer.write([record(1)])
    writer.close()
    assert journal_files(tmp_path / "journal" / "main")[0].read_bytes() == before
    report = verify(tmp_path)
    assert report.intact, report.summary()
    assert (report.flows, report.notes) == (1, [])


def test_a_crash_between_batches_loses_nothing(crashed: Path) -> None:
    """What was open is sealed as it stands."""
    assert verify(crashed).intact
    Writer.open(crashed).close()
    report = verify(crashed)
    assert report.intact, report.summary()
    assert report.flows == 3
    assert report.notes == []


@pytest.mark.parametrize("torn", [b"{", b'{"chain":"', b"\0" * 100])
def test_a_torn_line_is_cut_off(crashed: Path, torn: bytes) -> None:
    """Verify tells of it; the next start cuts it off, says so in the seal, and goes on."""
    path = last_journal(crashed)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    report = verify(crashed)
    assert report.intact, report.summary()
    assert len(report.notes) == 1
    Writer.open(crashed).close()
    assert path.read_bytes().startswith(whole)
    seal = own(path.read_bytes().splitlines()[-1])
    assert (seal["reason"], seal["torn"]) == ("recovered", len(torn))
    assert verify(crashed).intact


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
def test_a_torn_flow_is_cut_off(tmp_path_factory: pytest.TempPathFactory, record: Make, data: st.DataObject) -> None:
    """Whatever part of a flow, or of several, stands behind the last one that has an event."""
    base = tmp_path_factory.mktemp("data")
    writer = Writer.open(base)
    writer.write([record(1)])
    writer.close(seal=False)
    [path] = flow_files(base)
    whole, extra = path.read_bytes(), b"".join(record(n).flow or b"" for n in (2, 3))
    kept = data.draw(st.integers(0, len(extra)))
    path.write_bytes(whole + extra[:kept])
    assert verify(base).intact
    Writer.open(base).close()
    step = len(extra) // 2
    assert path.read_bytes() == whole + extra[: kept // step * step]
    report = verify(base)
    assert report.intact, report.summary()
    assert len(report.notes) == kept // step + (kept % step > 0)


def test_a_flow_file_that_was_announced_only(crashed: Path) -> None:
    """The crash came between the announcement and the file: nothing is missed."""
    Writer.open(crashed).close()
    writer = Writer.open(crashed)
    plan = writer._flows.plan(["new"], writer._clock())
    writer._journal.append(list(writer._listing(Kind.FLOWS_OPEN, plan.opened())))
    writer.close(seal=False)
    assert verify(crashed).intact
    Writer.open(crashed).close()
    report = verify(crashed)
    assert report.intact, report.summary()


def test_a_lost_flow_file_is_a_break(crashed: Path) -> None:
    """Recovery does not make good what was removed."""
    flow_files(crashed)[0].unlink()
    assert not verify(crashed).intact
    Writer.open(crashed).close()
    assert not verify(crashed).intact


def test_a_file_without_a_line_is_none(crashed: Path, record: Make) -> None:
    """The crash came while the next journal file was created."""
    path = last_journal(crashed)
    path.with_name(f"000009-{path.name[7:]}").write_bytes(b'{"chain":')
    path.with_name(f"000009-{path.name[7:]}").with_suffix(".checkpoint").touch()
    writer = Writer.open(crashed)
    writer.write([record(9)])
    writer.close()
    assert verify(crashed).intact
    assert [path.name[:6] for path in journal_files(crashed / "journal" / "main")] == ["000001", "000002"]


def test_a_torn_checkpoint_is_cut_off(crashed: Path) -> None:
    """The next one follows the last whole one."""
    path = last_journal(crashed).with_suffix(".checkpoint")
    path.write_bytes(path.read_bytes() + b'{"chain"')
    assert verify(crashed).intact
    Writer.open(crashed).close()
    report = verify(crashed)
    assert report.intact, report.summary()
    assert report.checkpoints == 3


def test_a_journal_that_cannot_be_continued_stops_the_start(crashed: Path) -> None:
    """Where the last whole line is none, a person has to look."""
    path = last_journal(crashed)
    path.write_bytes(path.read_bytes() + b"rubbish\n")
    with pytest.raises(JournalDamagedError, match="cannot be continued"):
        Writer.open(crashed)


def test_a_sealed_file_is_not_touched(tmp_path: Path) -> None:
    """What somebody wrote behind a seal stays, for verify to find."""
    Writer.open(tmp_path).close()
    path = last_journal(tmp_path)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes() + b"{")
    Writer.open(tmp_path).close()
    assert path.read_bytes().endswith(b"\n{")
    assert not verify(tmp_path).intact


@given(st.lists(st.binary(max_size=30), max_size=5), st.integers(0, 200))
def test_whole_flows_end_where_a_record_ends(bodies: list[bytes], cut: int) -> None:
    """Cut anywhere: the whole records before the cut are found, nothing of the torn one."""
    records = [b"%d:%b}" % (len(body), body) for body in bodies]
    data = b"".join(records)[:cut]
    found = list(whole_flows(io.BytesIO(data), 0))
    ends = [sum(map(len, records[: n + 1])) for n in range(len(records))]
    assert [offset + length for offset, length in found] == [end for end in ends if end <= len(data)]


@given(st.binary(max_size=60))
def test_anything_else_is_no_flow(data: bytes) -> None:
    """Whatever bytes there are: no exception, nothing beyond the end."""
    assert all(offset + length <= len(data) for offset, length in whole_flows(io.BytesIO(data), 0))


LOAD = textwrap.dedent(
    """
    import asyncio, sys
    from pathlib import Path
    from recordings.acts import GatewayMove, gateway_event
    from recordings.journal import JournalLimits
    from recordings.recorder import Recorder, RecorderLimits
    from recordings.recorder.processes import ScribeProcess
    from recordings.writer import WriterLimits

    JOURNAL = JournalLimits(file_size=400_000, checkpoint_events=50, checkpoint_seconds=0.1)
    LIMITS = RecorderLimits(
        interval=0.02, writer=WriterLimits(journal=JOURNAL, part_size=60_000, open_files=6, quiet=0.5)
    )

    async def caller(recorder, name):
        number = 0
        while True:
            number += 1
            body = f"{name}-{number}".encode() * 50
            flow = b"%d:%b}" % (len(body), body)
            event = gateway_event(GatewayMove.FAULT, time=1.0, details={"call": f"{name}-{number}"})
            durable = number % 7 == 0
            await recorder.append(events=[event], flow=flow, session=name, durable=durable)
            print(f"{name}-{number}", flush=True)

    async def main():
        hand = ScribeProcess(Path(sys.argv[1]), LIMITS)
        recorder = Recorder(Path(sys.argv[1]), limits=LIMITS, hand=hand)
        recorder.start(asyncio.get_running_loop())
        print(hand.pid, flush=True)
        await asyncio.gather(*(caller(recorder, name) for name in "abcdefgh"))

    asyncio.run(main())
    """
)


def test_kill_9_under_load_loses_no_answered_call(tmp_path: Path) -> None:
    """Whatever was acknowledged is there, the chain is whole, and the next start goes on; ten times in a row.

    The gateway is killed alone, so that its scribe ends by itself, and together with its scribe, in turn.
    """
    dice, acknowledged = random.Random(7), set[str]()
    data_dir = tmp_path / "data"
    for turn in range(10):
        command = [sys.executable, "-c", LOAD, str(data_dir)]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
            assert process.stdout is not None
            with Stranger(int(process.stdout.readline())) as scribe:
                for _ in range(dice.randint(1, 600)):
                    acknowledged.add(process.stdout.readline().strip())
                process.send_signal(signal.SIGKILL)
                if turn % 2:
                    scribe.send(signal.SIGKILL)
            whole, _, _ = process.stdout.read().rpartition("\n")
        acknowledged |= set(whole.split())
        report = verify(data_dir)
        assert report.intact, report.summary()
    Writer.open(data_dir).close()
    report = verify(data_dir)
    assert report.intact, report.summary()
    lines = [line for path in journal_files(data_dir / "journal" / "main") for line in path.read_bytes().splitlines()]
    recorded = {own(line).get("call") for line in lines if json.loads(line)["kind"] == "gateway"}
    assert acknowledged - {""} <= recorded
    for path in flow_files(data_dir):
        with path.open("rb") as file:
            flows = list(whole_flows(file, 0))
        assert sum(length for _, length in flows) == path.stat().st_size


def test_a_seal_that_was_not_signed_is_signed_by_the_next_start(tmp_path: Path, record: Callable[..., Record]) -> None:
    """Killed between the end of a file and its checkpoint: until then verify cannot tell it from a removed one."""
    writer = Writer.open(tmp_path)
    writer.write([record(1)])
    writer.close()
    [checkpoints] = tmp_path.rglob("*.checkpoint")
    checkpoints.chmod(0o600)
    checkpoints.write_bytes(b"".join(checkpoints.read_bytes().splitlines(keepends=True)[:-1]))
    assert "its checkpoint is missing" in verify(tmp_path).summary()
    Writer.open(tmp_path).close()
    report = verify(tmp_path, keys=[signing_key(tmp_path).public_key()])
    assert report.intact, report.summary()
    assert report.vouched == report.events


def forged(path: Path, name: str) -> None:
    """Somebody adds a line that opens a flow file of this name."""
    last = parse(path.read_bytes().splitlines()[-1])
    assert last
    event = file_event(
        Kind.FLOWS_OPEN, time=1.0, name="recordings", details={"files": [{"file": name, "session": "x"}]}
    )
    line, _ = compose(event.entry(), chain=last.chain, seq=last.seq + 1, prev=last.digest, time=1)
    with path.open("ab") as file:
        file.write(line)


@pytest.mark.parametrize("name", ["../precious", "recordings/../../precious", "/etc/passwd"])
def test_files_elsewhere_are_not_recovered(tmp_path: Path, record: Make, name: str) -> None:
    """Whoever may add lines cannot have other files cut: nothing is touched, and a person has to look."""
    (precious := tmp_path / "precious").write_bytes(b"precious")
    precious.chmod(0o640)
    writer = Writer.open(tmp_path / "data")
    writer.write([record(1)])
    writer.close(seal=False)
    forged(last_journal(tmp_path / "data"), name)
    with pytest.raises(JournalDamagedError, match="none of ours"):
        Writer.open(tmp_path / "data")
    assert precious.read_bytes() == b"precious"
    assert precious.stat().st_mode & 0o777 == 0o640


def test_an_emptied_file_is_not_forgotten(crashed: Path) -> None:
    """A checkpoint vouches for lines in it: that is no crash, and the checkpoint stays."""
    path = last_journal(crashed)
    assert path.with_suffix(".checkpoint").read_bytes()
    os.truncate(path, 0)
    with pytest.raises(JournalDamagedError, match="vouches"):
        Writer.open(crashed)
    assert path.with_suffix(".checkpoint").read_bytes()


def test_a_pipe_holds_up_no_start(crashed: Path) -> None:
    """It is said what is wrong."""
    os.mkfifo(last_journal(crashed).with_name("000009-20260101.jsonl"))
    with pytest.raises(JournalDamagedError, match="not a regular file"):
        Writer.open(crashed)
