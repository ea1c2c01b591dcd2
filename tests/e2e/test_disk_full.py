"""Law: where nothing more can be written, ``required`` refuses calls and loses nothing, ``best-effort`` tells of the gap.

The data directory is on a small file system of its own (tmpfs), which is filled to the last byte.
"""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from recordings.checkpoints import signing_key
from recordings.listing import Row, rows
from recordings.verify import verify
from tests.e2e.harness import Answer, Installation, installation, running
from tests.requiring import lacking

CRM = "https://crm.corp.example"
DISK = "16m"
PATIENCE = 120
"""Seconds for one call: the first ones come while the gateway still loads its detectors."""
pytestmark = pytest.mark.timeout(900)


@pytest.fixture(params=["required", "best-effort"])
def mode(request: pytest.FixtureRequest) -> str:
    """Of recording."""
    return str(request.param)


@pytest.fixture
def installed(tmp_path: Path, mode: str) -> Iterator[Installation]:
    """The standard configuration with that mode, its data on a disk of their own."""
    with installation(tmp_path) as made:
        made.configure()
        path = made.config / "gateway.yaml"
        path.write_text(path.read_text().replace("spec:\n", f"spec:\n  recordings: {{mode: {mode}}}\n", 1))
        made.data.mkdir(mode=0o700)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK},mode=0700", "tmpfs", str(made.data)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            lacking("mount", "a file system cannot be mounted here")
        try:
            yield made
        finally:
            subprocess.run(["umount", str(made.data)], check=True)


@contextmanager
def full(data: Path) -> Iterator[None]:
    """Not a byte is left, until the block ends."""
    filler = data / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65536, 1):
            with contextlib.suppress(OSError):
                while True:
                    file.write(bytes(size))
    try:
        yield
    finally:
        filler.unlink()


def test_a_full_disk(installed: Installation, mode: str) -> None:
    """Refused with a 503 that says why, or answered; and afterwards all is as it was before."""
    with running(installed) as process:
        token = installed.token()
        before = [installed.curl(f"{CRM}/echo", token=token, timeout=PATIENCE) for _ in range(4)]
        with full(installed.data):
            meanwhile = [installed.curl(f"{CRM}/echo", token=token, timeout=PATIENCE) for _ in range(6)]
        after = [installed.curl(f"{CRM}/echo", token=token, timeout=PATIENCE) for _ in range(4)]
        reached = len(list(installed.customers.received))
        output = process.output
    report = verify(installed.data, keys=[signing_key(installed.data).public_key()])
    assert report.intact, report.summary()
    lines = list(rows(installed.data))
    ended = {row.decision: row for row in lines if row.kind == "outcome"}
    assert [answer.status for answer in before] == [200] * len(before), output
    assert after[-1].status == 200
    assert _decision(after[-1]) in ended
    assert {_decision(answer) for answer in before} <= ended.keys()
    if mode == "required":
        _check_required(meanwhile, ended, reached)
    else:
        _check_best_effort(meanwhile, lines)


def _check_required(meanwhile: list[Answer], ended: dict[str, Row], reached: int) -> None:
    """Who was answered is recorded; who was not was told why, and nothing was sent unannounced."""
    refused = [answer for answer in meanwhile if answer.status == 503]
    assert len(refused) >= 4
    for answer in refused:
        assert json.loads(answer.body)["code"] == "recorder-unavailable"
    for answer in meanwhile:
        assert (answer.status == 200) == (_decision(answer) in ended)
    assert reached <= len(ended) + 1  # the one whose outcome did not fit


def _check_best_effort(meanwhile: list[Answer], lines: list[Row]) -> None:
    """All were answered; how many are missing is said, by the gateway itself."""
    assert [answer.status for answer in meanwhile] == [200] * len(meanwhile)
    told = [row.raw["event"]["unmapped"]["gatehold"] for row in lines if "recording again after" in row.message]
    assert told
    # Intent and outcome are recorded one after the other.
    assert sum(each["calls"] for each in told) >= len(meanwhile)


def _decision(answer: Answer) -> str:
    return answer.headers["gatehold-decision"]
