"""Laws of verifying: one at a time, beside the loop, and never for longer than it may take."""

from pathlib import Path

import pytest

from gatehold.console import verifying
from gatehold.console.verifying import Verifying


async def test_one_at_a_time(tmp_path: Path) -> None:
    """What was found is remembered with its times."""
    times = iter(range(100))
    made = Verifying(lambda: float(next(times)))
    assert made.start(tmp_path, "alice")
    assert not made.start(tmp_path, "bob")
    await made.done()
    assert made.since is None
    assert made.last is not None
    assert (made.last.intact, made.last.by, made.last.failed) == (True, "alice", False)
    assert made.last.started < made.last.ended
    assert made.start(tmp_path, "bob")
    await made.done()


@pytest.mark.parametrize("patience", [0.0, None])
async def test_what_cannot_be_done_is_told(
    tmp_path: Path, patience: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too slow, or no answer: nothing is known then, and that is no break."""
    if patience is None:
        monkeypatch.setattr(verifying.sys, "executable", "/bin/false")
    made = Verifying(lambda: 1.0, patience=60.0 if patience is None else patience)
    assert made.start(tmp_path, "alice")
    await made.done()
    assert made.last is not None
    assert (made.last.failed, made.last.intact) == (True, False)
    assert made.since is None
