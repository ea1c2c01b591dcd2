"""Every edit of what was recorded is found."""

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recordings.acts import file_event
from recordings.chaincheck import ChainCheck
from recordings.checkpoints import Checkpoint, Signer, signing_key
from recordings.flowcheck import FlowCheck
from recordings.journal import JournalLimits, journal_files
from recordings.lines import GENESIS, Entry, FlowRef, Line, canonical, compose, parse
from recordings.ocsf import Kind
from recordings.verify import Report, read_anchors, verify
from recordings.writer import Record, Writer, WriterLimits

type Make = Callable[..., Record]
SMALL = WriterLimits(journal=JournalLimits(file_size=14_000, checkpoint_events=6), part_size=250)
EDITS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No gateway is running that could be about to write a checkpoint."""
    monkeypatch.setattr("recordings.chaincheck._PATIENCE", (0.0,))


def build(data_dir: Path, make: Callable[..., Record], *, stop: bool) -> Path:
    """A record of 24 calls in three sessions over several files; without ``stop`` as a crash leaves it."""
    writer = Writer.open(data_dir, limits=SMALL)
    for number in range(0, 24, 2):
        writer.write([record_of(make, n) for n in (number, number + 1)])
        writer.sync()
        writer.tidy()
    writer.close(seal=stop)
    return data_dir


def record_of(make: Callable[..., Record], number: int) -> Record:
    """Some with a flow, some without; some intents."""
    return make(number, session=f"s-{number % 3}", flow=number % 4 > 0, kind="intent" if number % 8 == 0 else "outcome")


@pytest.fixture
def stopped(tmp_path: Path, record: Make) -> Path:
    """A record after a clean stop."""
    return build(tmp_path / "stopped", record, stop=True)


@pytest.fixture
def crashed(tmp_path: Path, record: Make) -> Path:
    """A record that is still open."""
    return build(tmp_path / "crashed", record, stop=False)


def public(data_dir: Path) -> Ed25519PublicKey:
    """The key to verify with."""
    return signing_key(data_dir).public_key()


def files(data_dir: Path, *kinds: str) -> list[Path]:
    """All files of these kinds, in order."""
    return sorted(path for kind in kinds for path in data_dir.rglob(f"*.{kind}"))


def last_checkpoint(data_dir: Path) -> Checkpoint:
    """The newest one."""
    lines = [line for path in files(data_dir, "checkpoint") for line in path.read_bytes().splitlines()]
    found = Checkpoint.parse(lines[-1])
    assert found
    return found


class Edited:
    """Files that are put back after each try."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self._content = {path: path.read_bytes() for path in files(data_dir, "jsonl", "flow", "checkpoint")}

    def write(self, path: Path, content: bytes) -> None:
        """Change one."""
        path.chmod(0o600)
        path.write_bytes(content)

    def restore(self) -> None:
        """As they were."""
        for path, content in self._content.items():
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.unlink(missing_ok=True)
                path.write_bytes(content)
        for path in set(files(self.data_dir, "jsonl", "flow", "checkpoint")) - self._content.keys():
            path.unlink()


def assert_found(data_dir: Path, *, key: bool = True) -> Report:
    """Verify finds something bad, and says where."""
    report = verify(data_dir, keys=[public(data_dir)] if key else [])
    assert not report.intact
    assert report.first_break is not None
    assert report.first_break.message
    assert "intact" not in report.summary()
    return report


@pytest.mark.parametrize("stop", [True, False])
def test_what_was_written_is_intact(tmp_path: Path, record: Make, stop: bool) -> None:
    """Stopped or still open: all events, flows and checkpoints are counted."""
    data_dir = build(tmp_path / "x", record, stop=stop)
    report = verify(data_dir, keys=[public(data_dir)])
    lines = [line for path in files(data_dir, "jsonl") for line in path.read_bytes().splitlines()]
    assert report.intact, report.summary()
    assert report.events == len(lines)
    assert report.flows == 18
    assert report.signatures
    assert report.summary() == f"{report.events} events, 18 flows, {report.checkpoints} checkpoints: intact"
    assert report.vouched == (report.events if stop else last_checkpoint(data_dir).seq)
    assert report.notes == []
    assert report.open_intents == ["d-0", "d-8", "d-16"]
    assert len(files(data_dir, "jsonl")) > 2
    assert len(files(data_dir, "flow")) > 3


def test_nothing_recorded_is_intact(tmp_path: Path) -> None:
    """An empty directory has nothing wrong."""
    assert verify(tmp_path).summary() == "0 events, 0 flows, 0 checkpoints: intact"


@EDITS
@given(data=st.data())
def test_no_byte_can_be_changed(stopped: Path, data: st.DataObject) -> None:
    """Of any journal, flow or checkpoint file."""
    this = Edited(stopped)
    path = data.draw(st.sampled_from(files(stopped, "jsonl", "flow", "checkpoint")))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    this.write(path, bytes(content))
    try:
        assert_found(stopped)
    finally:
        this.restore()


@EDITS
@given(data=st.data())
def test_no_line_can_be_removed_inserted_or_moved(stopped: Path, data: st.DataObject) -> None:
    """Of any journal or checkpoint file."""
    this = Edited(stopped)
    path = data.draw(st.sampled_from(files(stopped, "jsonl", "checkpoint")))
    before = path.read_bytes()
    lines = before.splitlines(keepends=True)
    at, other = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    match data.draw(st.sampled_from(["remove", "repeat", "insert", "swap"])):
        case "remove":
            lines.pop(at)
        case "repeat":
            lines.insert(other, lines[at])
        case "insert":
            lines.insert(at, data.draw(st.sampled_from([b"\n", b"{}\n", lines[at].replace(b"a1", b"a2")])))
        case "swap":
            lines[at], lines[other] = lines[other], lines[at]
    this.write(path, b"".join(lines))
    try:
        if path.read_bytes() != before:
            assert_found(stopped)
    finally:
        this.restore()


@EDITS
@given(data=st.data())
def test_nothing_can_be_cut_off_a_sealed_file(stopped: Path, data: st.DataObject) -> None:
    """A torn end is a break where the gateway stopped cleanly; so is anything that follows."""
    this = Edited(stopped)
    path = data.draw(st.sampled_from(files(stopped, "jsonl", "flow", "checkpoint")))
    content = path.read_bytes()
    kept = data.draw(st.integers(0, len(content) - 1))
    this.write(path, content[:kept] if data.draw(st.booleans()) else content + data.draw(st.binary(min_size=1)))
    try:
        assert_found(stopped)
    finally:
        this.restore()


@EDITS
@given(data=st.data())
def test_no_file_can_be_removed_or_added(stopped: Path, data: st.DataObject) -> None:
    """Journal and checkpoint files are numbered, flow files announced."""
    this = Edited(stopped)
    path = data.draw(st.sampled_from(files(stopped, "jsonl", "flow", "checkpoint")))
    if data.draw(st.booleans()):
        path.unlink()
    else:
        shutil.copy(path, path.with_stem(path.stem + data.draw(st.sampled_from(["x", "-1", "2"]))))
    try:
        assert_found(stopped)
    finally:
        this.restore()


@EDITS
@given(data=st.data())
def test_of_an_open_file_only_the_end_can_be_cut(crashed: Path, data: st.DataObject) -> None:
    """What a crash could have left is reported; cutting what was signed, or a flow with an event, is found."""
    this = Edited(crashed)
    path = data.draw(st.sampled_from(files(crashed, "jsonl", "flow")))
    content = path.read_bytes()
    kept = data.draw(st.integers(0, len(content) - 1))
    this.write(path, content[:kept])
    try:
        report = verify(crashed, keys=[public(crashed)])
        if report.intact:
            assert path == files(crashed, "jsonl")[-1]
            assert report.events >= last_checkpoint(crashed).seq
            assert report.notes or content[:kept].endswith(b"\n") or not kept
    finally:
        this.restore()


@EDITS
@given(data=st.data())
def test_no_byte_of_an_open_record_can_be_changed(crashed: Path, data: st.DataObject) -> None:
    """Not even in the last line, which nothing follows yet."""
    this = Edited(crashed)
    path = data.draw(st.sampled_from(files(crashed, "jsonl", "flow", "checkpoint")))
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    this.write(path, bytes(content))
    try:
        report = verify(crashed, keys=[public(crashed)])
        assert not report.intact or (path.suffix == ".checkpoint" and at == len(content) - 1)
    finally:
        this.restore()


def rewritten(data_dir: Path, change: Callable[[bytes], bytes]) -> None:
    """Edit all events and compute the chain anew, as somebody without the private key can."""
    previous = GENESIS
    for path in journal_files(data_dir / "journal" / "main"):
        lines = []
        for raw in path.read_bytes().splitlines():
            line = parse(raw)
            assert line is not None
            body = change(raw[raw.index(b'"event":') + 8 : raw.rindex(b',"flow"' if line.flow else b',"kind"')])
            made, previous = compose(_entry(line, body), chain=line.chain, seq=line.seq, prev=previous, time=line.time)
            lines.append(made)
        path.chmod(0o600)
        path.write_bytes(b"".join(lines))


def _entry(line: Line, body: bytes) -> Entry:
    return Entry(kind=line.kind, body=body, decision=line.decision, session=line.session, flow=line.flow)


def test_a_chain_that_was_computed_anew_is_found(stopped: Path) -> None:
    """The first checkpoint over a changed line does not fit, with the key or without."""
    rewritten(stopped, lambda body: body.replace(b'"a1"', b'"a2"'))
    for key in (True, False):
        report = assert_found(stopped, key=key)
        assert "checkpoint" in report.summary()


def test_checkpoints_that_were_signed_anew_are_found_with_the_key(stopped: Path) -> None:
    """Chain, checkpoints and signatures replaced, with a key of the forger: only the true key tells."""
    true_key = public(stopped)
    rewritten(stopped, lambda body: body.replace(b'"a1"', b'"a2"'))
    forge(stopped, Ed25519PrivateKey.generate())
    assert not verify(stopped, keys=[true_key]).intact
    assert "not signed by a given key" in verify(stopped, keys=[true_key]).summary()


def forge(data_dir: Path, key: Ed25519PrivateKey) -> None:
    """Sign the lines as they are now with another key."""
    signer = Signer(key)
    digests = {}
    for path in journal_files(data_dir / "journal" / "main"):
        digests |= {line.seq: line for raw in path.read_bytes().splitlines() if (line := parse(raw))}
    for path in files(data_dir, "checkpoint"):
        made = []
        for old in [found for line in path.read_bytes().splitlines() if (found := Checkpoint.parse(line))]:
            new = signer.sign(
                chain=old.chain, file=old.file, seq=old.seq, digest=digests[old.seq].digest, time=old.time
            )
            signer.advance(new)
            made.append(new.line() + b"\n")
        path.chmod(0o600)
        path.write_bytes(b"".join(made))


def test_a_roll_back_of_everything_is_found_against_an_anchor(tmp_path: Path, record: Make) -> None:
    """An old copy of the whole directory is intact by itself; the anchor knows what came later."""
    data_dir = build(tmp_path / "now", record, stop=True)
    shutil.copytree(data_dir, tmp_path / "old")
    writer = Writer.open(data_dir, limits=SMALL)
    writer.write([record(100)])
    writer.close()
    anchor = last_checkpoint(data_dir)
    key = public(data_dir)
    report = verify(data_dir, keys=[key], anchors=[anchor])
    assert report.intact, report.summary()
    assert report.anchored == anchor.seq == report.events
    assert verify(tmp_path / "old", keys=[key]).intact
    rolled_back = verify(tmp_path / "old", keys=[key], anchors=[anchor])
    assert "it was cut off" in rolled_back.summary()
    assert not verify(tmp_path / "empty", keys=[key], anchors=[anchor]).intact


def test_an_anchor_of_another_line_is_found(stopped: Path) -> None:
    """It does not vouch for what stands there; one with a wrong signature vouches for nothing."""
    anchor = last_checkpoint(stopped)
    assert not verify(stopped, anchors=[replace(anchor, sha256="ab" * 32)]).intact
    assert not verify(stopped, keys=[public(stopped)], anchors=[replace(anchor, time=1)]).intact


def test_anchors_are_read_from_a_file(stopped: Path, tmp_path: Path) -> None:
    """A copied checkpoint file, or some lines of it; anything else is refused."""
    path = tmp_path / "anchor"
    path.write_bytes(last_checkpoint(stopped).line() + b"\n\n")
    assert read_anchors(path) == [last_checkpoint(stopped)]
    for rubbish in (b"", b"{}\n", last_checkpoint(stopped).line() + b"\nrubbish\n"):
        path.write_bytes(rubbish)
        with pytest.raises(ValueError, match="checkpoints"):
            read_anchors(path)


def test_a_flow_put_into_an_open_file_is_told(crashed: Path) -> None:
    """Behind the last flow that has an event, whole or torn."""
    path = files(crashed, "flow")[-1]
    path.chmod(0o600)
    with path.open("ab") as file:
        file.write(b"5:extra}")
    report = verify(crashed)
    assert report.intact
    assert [note.partition(":")[2] for note in report.notes] == [
        " open, 8 bytes follow the last flow that has an event"
    ]


def test_a_linked_flow_file_is_none(stopped: Path, tmp_path: Path) -> None:
    """Flow files are read where they are, never somewhere else."""
    path = files(stopped, "flow")[0]
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert "neither a file" in assert_found(stopped).summary()


def test_the_first_bad_place_is_named(stopped: Path) -> None:
    """File, line and event, so that a person can look."""
    path = journal_files(stopped / "journal" / "main")[1]
    path.chmod(0o600)
    lines = path.read_bytes().splitlines(keepends=True)
    lines[3] = lines[3].replace(b'"a1"', b'"a2"')
    path.write_bytes(b"".join(lines))
    report = assert_found(stopped)
    assert report.summary().startswith(f"journal/main/{path.name}:4: the line after event ")


def chain_of(path: Path, *entries: Entry, after: Line | None = None, chain: str = "") -> bytes:
    """Lines with right hashes, as everybody can make them."""
    seq, prev, made = (after.seq, after.digest, []) if after else (0, GENESIS, [])
    for entry in entries:
        seq += 1
        line, prev = compose(entry, chain=chain or (after.chain if after else "x"), seq=seq, prev=prev, time=1)
        made.append(line)
    path.parent.mkdir(parents=True, exist_ok=True)
    return b"".join(made)


def told(kind: Kind, **details: object) -> Entry:
    """An event about files."""
    return file_event(kind, time=1.0, name="x", details=details).entry()


def test_a_journal_beside_ours_is_none(stopped: Path, record: Make) -> None:
    """A chain of somebody else's making is whole by itself; readers would take its lines for ours."""
    path = stopped / "journal" / "other" / "000001-20260101.jsonl"
    opened = told(Kind.JOURNAL_OPEN, file=path.name, format=1, previous=None, reason="start")
    path.parent.mkdir()
    path.write_bytes(chain_of(path, opened, *record(99, flow=False).entries))
    assert "no gateway writes" in assert_found(stopped).summary()
    assert "no gateway writes" in assert_found(stopped, key=False).summary()


def test_a_journal_without_signatures_is_none(stopped: Path) -> None:
    """All lines written anew, with seals as after crashes, which need no signature of their own."""
    entries: dict[Path, list[Entry]] = {}
    for path in files(stopped, "jsonl"):
        for raw in path.read_bytes().splitlines():
            line = parse(raw)
            assert line
            own = (event := line.event())["unmapped"]["gatehold"]
            own |= {"reason": "recovered"} if line.kind == Kind.JOURNAL_SEAL else {}
            own.pop("checkpoint", None)
            body = canonical(event).encode()
            entry = Entry(kind=line.kind, body=body, decision=line.decision, session=line.session, flow=line.flow)
            entries.setdefault(path, []).append(entry)
    last = None
    for path, some in entries.items():
        path.with_suffix(".checkpoint").unlink()
        path.chmod(0o600)
        path.write_bytes(chain_of(path, *some, after=last))
        last = parse(path.read_bytes().splitlines()[-1])
    assert "no checkpoint vouches" in assert_found(stopped).summary()


def test_with_a_key_nothing_is_not_intact(tmp_path: Path, stopped: Path) -> None:
    """Somebody who has a key knows that there was something."""
    report = verify(tmp_path / "empty", keys=[public(stopped)])
    assert "nothing here that was signed" in report.summary()


@pytest.mark.parametrize("suffix", ["jsonl", "checkpoint", "flow"])
@pytest.mark.parametrize("kind", ["pipe", "directory", "link"])
def test_what_is_no_file_is_found(stopped: Path, tmp_path: Path, suffix: str, kind: str) -> None:
    """In the place of a file of ours; nobody waits for it."""
    path = files(stopped, suffix)[0]
    path.rename(tmp_path / "moved")
    match kind:
        case "pipe":
            os.mkfifo(path)
        case "directory":
            path.mkdir()
        case _:
            path.symlink_to(tmp_path / "moved")
    assert assert_found(stopped).first_break.file == path.relative_to(stopped).as_posix()  # type: ignore[union-attr]


def test_a_folder_of_recordings_elsewhere_is_found(stopped: Path, tmp_path: Path) -> None:
    """What lies there could not be seen."""
    [folder] = (stopped / "recordings").iterdir()
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    assert "neither a file nor a directory" in assert_found(stopped).summary()


def test_other_names_in_the_journal_are_found(stopped: Path) -> None:
    """Number 0 is that of no file; a checkpoint stands beside the file that it speaks of."""
    first, second = files(stopped, "jsonl")[:2]
    zero = first.with_name("000000-20260101.jsonl")
    zero.write_bytes(first.read_bytes())
    assert "not a file of this journal" in assert_found(stopped).summary()
    zero.unlink()
    one, two = first.with_suffix(".checkpoint"), second.with_suffix(".checkpoint")
    *before, last = one.read_bytes().splitlines(keepends=True)
    for path, content in ((one, b"".join(before)), (two, last + two.read_bytes())):
        path.chmod(0o600)
        path.write_bytes(content)
    assert f"one of {first.name}" in assert_found(stopped).summary()


NAMES = [
    "/etc/passwd",
    "/dev/zero",
    "recordings/../../x.flow",
    "recordings/a\0.flow",
    "recordings/\ud800.flow",
    7,
    None,
]


@pytest.mark.parametrize("name", NAMES)
def test_lines_cannot_lead_elsewhere(crashed: Path, name: object) -> None:
    """Behind what is signed anybody may add lines; none of them makes an auditor open a file of another place."""
    path = files(crashed, "jsonl")[-1]
    last = parse(path.read_bytes().splitlines()[-1])
    opened = told(Kind.FLOWS_OPEN, files=[{"file": name, "session": "x"}])
    sealed = told(Kind.FLOWS_SEAL, files=[{"file": name, "length": 0}])
    with path.open("ab") as file:
        file.write(chain_of(path, opened, sealed, after=last))
    assert "a flow file that is none" in assert_found(crashed).summary()


@pytest.mark.parametrize(
    "details",
    [
        {"files": [], "journal": [{"file": 5}], "reason": "age"},
        {"files": [{"file": ["x"], "length": "1", "sha256": 0}], "journal": [], "reason": "age"},
        {"files": {"a": 1}, "journal": 5},
        {},
    ],
)
def test_lines_of_another_form_are_found(crashed: Path, details: dict[str, object]) -> None:
    """They end no verification without a word."""
    path = files(crashed, "jsonl")[-1]
    last = parse(path.read_bytes().splitlines()[-1])
    with path.open("ab") as file:
        file.write(chain_of(path, told(Kind.RETENTION, **details), after=last))
    assert "cannot be read" in assert_found(crashed).summary()


def test_a_line_without_an_end_is_found(crashed: Path) -> None:
    """A file of any length is no reason to use memory of that length."""
    path = files(crashed, "jsonl")[-1]
    with path.open("r+b") as file:
        file.truncate(64 * 1024 * 1024)
    assert "longer than lines are" in assert_found(crashed).summary()
    path = files(crashed, "checkpoint")[-1]
    with path.open("r+b") as file:
        file.truncate(8 * 1024 * 1024 * 1024)
    assert "more than ever" in assert_found(crashed).summary()


def test_a_gateway_may_sign_what_was_read(crashed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints that are written while the journal is read: also for lines that were read before them."""
    path = files(crashed, "checkpoint")[-1]
    whole, read = path.read_bytes(), FlowCheck.check
    assert whole
    path.write_bytes(b"")
    reads = iter(range(10**6))

    def check(self: FlowCheck, flow: FlowRef) -> str:
        if next(reads) == 17:  # the last one: what is before it is signed by now
            path.write_bytes(whole)
        return read(self, flow)

    monkeypatch.setattr(FlowCheck, "check", check)
    monkeypatch.setattr(ChainCheck, "_check_unreached", again(ChainCheck._check_unreached))
    report = verify(crashed, keys=[public(crashed)])
    assert report.intact, report.summary()
    assert report.vouched == last_checkpoint(crashed).seq


def again(check: Callable[[ChainCheck], None]) -> Callable[[ChainCheck], None]:
    """As at the end of a file that is sealed while it is read."""

    def read_once_more(self: ChainCheck) -> None:
        self._read_checkpoints()
        check(self)

    return read_once_more
