"""Law: a recorder that is killed fifty times under load has lost nothing that it acknowledged.

In turn the gateway is killed alone, whose scribe then writes what had reached it while the next gateway starts; the
gateway and then its scribe; and the scribe and then its gateway.
"""

import os
import random
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from recordings.checkpoints import signing_key
from recordings.listing import rows
from recordings.reading import record
from recordings.verify import verify
from tests.recordings.strangers import Stranger

KILLS = 50
MOST = 120
"""Acknowledged calls before a kill, at most."""


@pytest.mark.timeout(900)
def test_nothing_that_was_acknowledged_is_lost(tmp_path: Path) -> None:
    """Every call has its outcome and its flow, byte for byte; the chain goes on over all starts and verifies."""
    chance, answered = random.Random(3), set[str]()
    data_dir = tmp_path / "data"
    with ExitStack() as scribes:
        for number in range(KILLS):
            answered |= _killed(data_dir, number, chance.randint(0, MOST), scribes)
    report = verify(data_dir, keys=[signing_key(data_dir).public_key()])
    assert report.intact, report.summary()
    lines = list(rows(data_dir))
    ended = {row.decision: row for row in lines if row.kind == "outcome"}
    announced = {row.decision for row in lines if row.kind == "intent"}
    assert len(answered) > KILLS * 10
    assert answered <= ended.keys()
    for decision in answered:
        assert f"{decision} ".encode() in record(data_dir, ended[decision])
    assert set(report.open_intents) == announced - ended.keys()
    assert {row.decision.split("-")[1] for row in lines if row.decision} <= {str(number) for number in range(KILLS)}
    assert sum(row.message == "start" for row in lines if row.kind == "journal-open") <= KILLS


def _killed(data_dir: Path, number: int, calls: int, scribes: ExitStack) -> set[str]:
    """What one run acknowledged before it was killed, which is after so many calls or as many as a pipe holds."""
    command = [sys.executable, "-m", "tests.recordings.killed", str(data_dir), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2], env=dict(os.environ)) as run:
        assert run.stdout is not None
        scribe = scribes.enter_context(Stranger(int(run.stdout.readline())))
        lines = [run.stdout.readline() for _ in range(calls + 1)]
        if number % 3 == 2:
            scribe.send(signal.SIGKILL)
        run.kill()
        if number % 3 == 1:
            scribe.send(signal.SIGKILL)
        lines += run.stdout.readlines()
    return {line.decode().strip() for line in lines if line.endswith(b"\n")}
