"""Law: every call of the flow files is read once, the oldest first; what is none, or is torn, is counted."""

from pathlib import Path

import pytest
from mitmproxy.test import tflow

from gatehold.config import load
from gatehold.history.reading import NoRecordings, read
from recordings.flows import encode_flow
from tests.gatehold.history.recorded import Camera, write

BASIC = Path(__file__).parents[3] / "examples" / "basic"


@pytest.fixture(scope="module")
def camera() -> Camera:
    return Camera(load(BASIC))


def told(path: Path, since: float | None = None) -> list[str]:
    return [call.decision for call in read(path, since=since).calls()]


def test_in_the_order_of_time(camera: Camera, tmp_path: Path) -> None:
    """Over all files; a file, a directory of files and a data directory are all read."""
    record = {
        name: camera.record("/customers/1", at=float(at), decision=name) for at, name in enumerate("abcd", start=10)
    }
    write(tmp_path, {"one-1": [record["a"], record["d"]], "two-1": [record["b"], record["c"]]})
    assert told(tmp_path) == ["a", "b", "c", "d"]
    assert told(tmp_path / "recordings") == ["a", "b", "c", "d"]
    assert told(tmp_path / "recordings" / "2026-01-31" / "two-1.flow") == ["b", "c"]
    assert told(tmp_path, since=12.0) == ["c", "d"]


def test_parts_of_streams_are_one_call(camera: Camera, tmp_path: Path) -> None:
    """Whichever file the parts lie in."""
    parts = [
        camera.record("/customers/1", at=5.0, decision="s", part=part, noted="" if part > 1 else "{}")
        for part in (1, 2, 3)
    ]
    write(tmp_path, {"a-10": parts[1:], "a-9": parts[:1]})
    assert told(tmp_path) == ["s"]


def test_what_is_torn(camera: Camera, tmp_path: Path) -> None:
    """A file that is being written, or was cut: what is whole is read, and the file is named."""
    records = [camera.record("/customers/1", at=1.0), camera.record("/customers/2", at=2.0)[:-7]]
    write(tmp_path, {"a-1": records, "b-1": [], "c-1": [b"no flow"]})
    history = read(tmp_path)
    assert len(list(history.calls())) == 1
    assert [path.stem for path in history.unreadable] == ["a-1", "c-1"]


def test_flows_of_others(camera: Camera, tmp_path: Path) -> None:
    """Flows without our remarks, and of nobody, are passed over and counted."""
    write(tmp_path, {"a-1": [encode_flow(tflow.tflow(), metadata={}), camera.record("/customers/1")]})
    history = read(tmp_path)
    assert len(list(history.calls())) == 1
    assert history.foreign == 1


def test_calls_without_input(camera: Camera, tmp_path: Path) -> None:
    """Recordings of earlier versions are read; their input is not made up."""
    write(tmp_path, {"a-1": [camera.record("/customers/1", noted="")]})
    (call,) = read(tmp_path).calls()
    assert call.input is None


def test_many_files(camera: Camera, tmp_path: Path) -> None:
    """More than are open at a time."""
    write(tmp_path, {f"s{n}-1": [camera.record("/customers/1", at=float(n % 7), decision=f"d{n}")] for n in range(80)})
    assert len(told(tmp_path)) == 80


def test_nothing_there(tmp_path: Path) -> None:
    """Said, not taken for an empty history."""
    with pytest.raises(NoRecordings):
        read(tmp_path)


def test_the_answer_is_measured(camera: Camera, tmp_path: Path) -> None:
    """For budgets of bytes."""
    write(tmp_path, {"a-1": [camera.record("/customers/1", answer=b"x" * 77)]})
    assert [call.answered for call in read(tmp_path).calls()] == [77]
