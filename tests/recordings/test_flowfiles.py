"""Flow files of sessions."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.flowfiles import FlowFiles, Part, file_stem

NOW = 1_800_000_000.0


@pytest.fixture
def files(tmp_path: Path) -> FlowFiles:
    """Parts of 20 bytes, two of them open at a time."""
    return FlowFiles(tmp_path, part_size=20, open_files=2)


def write(files: FlowFiles, now: float = NOW, **flows: bytes) -> dict[str, Part]:
    """One batch with a flow per session."""
    plan = files.plan(flows, now)
    files.begin(plan)
    for session, flow in flows.items():
        files.append(plan.targets[session], [flow], now)
    files.commit(plan)
    files.tidy()
    return plan.targets


@given(st.text(max_size=80))
def test_a_session_cannot_choose_a_path(session: str) -> None:
    """Whatever a session is called, its file lies where all do."""
    assert re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,52})", file_stem(session))


@given(st.text(max_size=60), st.text(max_size=60))
def test_two_sessions_have_two_files(one: str, other: str) -> None:
    """Also where only harmless characters tell them apart."""
    assert (file_stem(one) == file_stem(other)) is (one == other)


def test_a_session_keeps_its_file_until_it_is_full(files: FlowFiles, tmp_path: Path) -> None:
    """Flows stand behind each other; the next part has the next number, and the full one is read-only."""
    names = [write(files, s=b"0123456789")["s"].name for _ in range(4)]
    assert len(dict.fromkeys(names)) == 2
    assert [name.rpartition("-")[2] for name in names] == ["1.flow", "1.flow", "2.flow", "2.flow"]
    assert names[0].startswith("recordings/2027-01-15/s-")
    assert (tmp_path / names[0]).read_bytes() == b"0123456789" * 2
    assert (tmp_path / names[0]).stat().st_mode & 0o777 == 0o400
    assert (tmp_path / names[2]).stat().st_mode & 0o777 == 0o600


def test_references_say_where_flows_stand(files: FlowFiles, tmp_path: Path) -> None:
    """Offset, length and hash of each flow of a batch."""
    plan = files.plan(["s"], NOW)
    files.begin(plan)
    refs = files.append(plan.targets["s"], [b"abc", b"defgh"], NOW)
    assert [(ref.offset, ref.length) for ref in refs] == [(0, 3), (3, 5)]
    assert refs[0].file == plan.targets["s"].name


def test_few_descriptors_serve_many_sessions(files: FlowFiles, tmp_path: Path) -> None:
    """A file that was closed to make room is opened again where it was left."""
    for _ in range(2):
        for session in ("a", "b", "c", "d"):
            write(files, **{session: session.encode() * 4})
    found = {part.session: (tmp_path / part.name).read_bytes() for part in files.all()}
    assert found == {session: session.encode() * 8 for session in ("a", "b", "c", "d")}
    assert sum(part.file is not None for part in files.all()) == 2


def test_a_batch_can_be_taken_back(files: FlowFiles, tmp_path: Path, disk: Any) -> None:
    """New files go, old ones are cut, and the session writes on where it was."""
    old = write(files, a=b"1234")["a"]
    plan = files.plan(["a", "b"], NOW)
    files.begin(plan)
    files.append(plan.targets["a"], [b"5678"], NOW)
    disk.room = 2
    with pytest.raises(OSError, match="No space"):
        files.append(plan.targets["b"], [b"5678"], NOW)
    disk.room = None
    files.rollback(plan)
    assert not (tmp_path / plan.targets["b"].name).exists()
    assert (tmp_path / old.name).read_bytes() == b"1234"
    write(files, a=b"x", b=b"y")
    assert (tmp_path / old.name).read_bytes() == b"1234x"


def test_quiet_sessions_are_found(files: FlowFiles) -> None:
    """Those that were not written to since then."""
    write(files, NOW, a=b"1")
    write(files, NOW + 10, b=b"2")
    assert [part.session for part in files.quiet(NOW + 5)] == ["a"]
    files.seal(files.quiet(NOW + 5))
    assert [part.session for part in files.all()] == ["b"]


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("harm", ["removed", "replaced", "longer"])
def test_a_changed_file_is_given_up(files: FlowFiles, tmp_path: Path, harm: str, closed: bool) -> None:
    """Its session gets a new one; what others did to it stays to be seen."""
    old = write(files, a=b"1")["a"]
    path = tmp_path / old.name
    if closed:
        write(files, b=b"2", c=b"3")
        assert old.file is None
    if harm == "removed":
        path.unlink()
    elif harm == "replaced":
        path.rename(path.with_suffix(".old"))
        path.write_bytes(b"22")
    else:
        with path.open("ab") as file:
            file.write(b"x")
    assert files.changed(closed=closed) == [old]
    new = write(files, a=b"2")["a"]
    assert (tmp_path / new.name).read_bytes() == b"2"
    assert new.name != old.name


def test_what_was_closed_is_synced_too(files: FlowFiles, disk: Any) -> None:
    """A file that made room for others owes its sync, which the next one pays; sealing pays it at once."""
    for session in ("a", "b", "c", "d"):
        write(files, **{session: b"1"})
    assert disk.syncs == 0
    files.sync()
    assert disk.syncs == 4
    files.sync()
    assert disk.syncs == 4
    write(files, a=b"2")
    write(files, b=b"2", c=b"2", d=b"2")
    files.seal([part for part in files.all() if part.session == "a"])
    assert disk.syncs == 5


def test_the_name_of_a_part_is_not_given_twice(files: FlowFiles, tmp_path: Path) -> None:
    """A part that was deleted leaves its number; so does, after a start, every part that is not the last one."""
    names = [write(files, s=b"0123456789" * 2)["s"].name for _ in range(3)]
    (tmp_path / names[0]).unlink()
    (tmp_path / names[2]).unlink()
    assert write(files, s=b"x")["s"].name.endswith("-4.flow")
    again = FlowFiles(tmp_path, part_size=20, open_files=2)
    assert write(again, s=b"x")["s"].name.endswith("-5.flow")
    assert write(again, t=b"y", now=NOW + 86_400)["t"].name.endswith("-1.flow")
