"""Is one writer's chain whole, from its first line to its last?

Every line follows its predecessor, every checkpoint fits the line it names, every file begins and ends as files do,
and the flows (``recordings.flowcheck``) are where the lines say.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from recordings.checkpoints import Checkpoint, read_checkpoints
from recordings.deletioncheck import DeletionCheck
from recordings.findings import BrokenError, Report
from recordings.flowcheck import Elsewhere, FlowCheck
from recordings.journal import file_number, journal_files
from recordings.lines import GENESIS, Line, could_be_torn, parse
from recordings.ocsf import Kind
from recordings.regular import LONGEST, NotRegularError, descriptor_of, lines_of, open_regular

_MOST_UNSIGNED: Final = 100_000
"""Lines that are kept in mind because they may be signed while they are read; a gateway signs every second."""
_PATIENCE: Final = (0.0, 0.05, 0.2)
"""Seconds to wait for the checkpoint of a seal: a gateway that is running may be just about to write it."""


class ChainCheck:
    """One writer's journal, walked from its first line to its last."""

    def __init__(  # noqa: PLR0913 (what it needs)
        self,
        data_dir: Path,
        directory: Path,
        keys: Sequence[Ed25519PublicKey],
        report: Report,
        elsewhere: Elsewhere | None,
        *,
        is_copy: bool = False,
    ) -> None:
        self.id = ""
        self.seq = 0
        self._deletions = DeletionCheck(directory)
        self.flows = FlowCheck(data_dir, self._deletions, elsewhere, is_copy=is_copy)
        self._is_copy = is_copy
        self.pending: dict[str, None] = {}
        self._digest = GENESIS
        self._directory = directory
        self._files = journal_files(directory)
        self._base = data_dir
        self._keys = keys
        self._report = report
        self._signed: dict[int, list[tuple[str, Checkpoint]]] = {}
        self._numbers: dict[int, str] = {}
        """Hashes of the checkpoints by number."""
        self._last_number = 0
        self._lines_read: dict[Path, int] = {}
        self._sizes_read: dict[Path, int] = {}
        self._torn_checkpoints: dict[str, int] = {}
        """Line at which the checkpoints of a journal file are torn; 0: they are not."""
        self._last_signed = 0
        self._newest = 0
        """The last event for which some checkpoint vouches."""
        self._unsigned: dict[int, str] = {}
        """Hashes of lines behind the last checkpoint that is known: a gateway that is running may sign them yet."""

    def run(self, anchors: Sequence[Checkpoint]) -> None:
        """Walk all files; ``BrokenError`` at the first bad place."""
        self._check_names()
        self._begin()
        self._read_checkpoints()
        for anchor in anchors:
            self._expect(anchor)
        for path in self._files:
            if path == self._files[-1]:
                self._check_finished_are_signed()
            self._read(path, last=path == self._files[-1])
        self._check_unreached()

    def _check_names(self) -> None:
        """All files are there, and no others."""
        for path in self._directory.rglob("*.jsonl"):
            if path not in self._files:
                raise BrokenError(self._name(path), 0, "not a file of this journal")
            self._check_regular(path)
        numbers = [file_number(path) for path in self._files]
        if numbers and not self._deletions.begin(numbers[0]):
            raise BrokenError(self._name(self._directory), 0, "file 000001 is missing")
        for expected, number in enumerate(numbers, start=numbers[0] if numbers else 1):
            if number != expected:
                raise BrokenError(self._name(self._directory), 0, f"file {expected:06d} is missing")
        for path in self._directory.rglob("*.checkpoint"):
            if not path.with_suffix(".jsonl").exists() and not self._is_left_over(path):
                raise BrokenError(self._name(path), 0, "belongs to no journal file")
            self._check_regular(path)

    def _check_regular(self, path: Path) -> None:
        """It is a file, and stands here."""
        try:
            os.close(descriptor_of(path))
        except NotRegularError as error:
            raise BrokenError(self._name(path), 0, str(error)) from None

    def _is_left_over(self, path: Path) -> bool:
        """Do these checkpoints belong to a journal file that was deleted, by a gateway that was killed in between?"""
        number, base = file_number(path.with_suffix(".jsonl")), self._deletions.base
        return base is not None and path.parent == self._directory and 0 < number <= base.number

    def _begin(self) -> None:
        """Where retention deleted the oldest files, go on from what stood at their end."""
        base = self._deletions.base
        if base is None:
            return
        self.id, self.seq, self._digest = base.chain, base.last, base.head
        self._last_number, self._numbers = base.checkpoint[0], {base.checkpoint[0]: base.checkpoint[1]}
        self._report.deleted = base.last
        self._report.notes.append(f"events 1 to {base.last} were deleted by retention (event {base.event})")

    def _expect(self, anchor: Checkpoint) -> None:
        """An anchor for an event that was deleted is not asked any more, except about where the journal goes on."""
        if anchor.chain == self.id and anchor.seq < self.seq:
            self._report.notes.append(f"event {anchor.seq}, for which an anchor vouches, was deleted by retention")
        elif anchor.chain == self.id and anchor.seq == self.seq:
            if anchor.sha256 != self._digest:
                name = self._name(self._directory)
                raise BrokenError(name, 0, f"event {anchor.seq} is not the one that an anchor vouches for")
            self._report.anchored = max(self._report.anchored, anchor.seq)
        else:
            self._signed.setdefault(anchor.seq, []).append(("anchor", anchor))

    def _read(self, path: Path, *, last: bool) -> None:
        name, number, sealed, torn = self._name(path), 0, False, b""
        with open_regular(path) as file:
            for number, raw in enumerate(lines_of(file), start=1):
                if sealed:
                    raise BrokenError(name, number, "something follows the end of a sealed file")
                if len(raw) >= LONGEST:
                    raise BrokenError(name, number, f"the line after event {self.seq} is longer than lines are")
                if not raw.endswith(b"\n"):
                    torn = raw
                    break
                sealed = self._follow(name, number, raw[:-1], first=number == 1)
        if torn and not (last and could_be_torn(torn)):
            raise BrokenError(name, number, f"a torn line after event {self.seq}")
        if torn:
            self._report.notes.append(f"{name}: open, ends in a torn line of {len(torn)} bytes")
        if not sealed and not last:
            raise BrokenError(name, 0, f"ends with event {self.seq} and is not sealed, though another file follows")
        if sealed:
            self._check_finished(name, number)

    def _check_finished(self, name: str, number: int) -> None:
        """With a journal file its checkpoints and flow files are sealed."""
        self._read_checkpoints()
        if line := self._torn_checkpoints.get(name):
            raise BrokenError(f"{name.removesuffix('.jsonl')}.checkpoint", line, "a torn checkpoint in a sealed file")
        if unsealed := self.flows.unsealed():
            raise BrokenError(name, number, f"{unsealed[0]} was never sealed")

    def check_flow_ends(self, present: dict[str, int]) -> None:
        """Nothing stands behind the last flow of a file, but where it is still open."""
        for name, message in self.flows.check_ends(present, self._report.notes):
            raise BrokenError(name, 0, message)
        if problem := self._deletions.problem(self._last_signed):
            raise BrokenError(self._name(self._directory), 0, problem)
        self._tell_uploaded()
        if gone := len(self._deletions.flows - self._deletions.uploaded - self.flows.fetched):
            self._report.deleted_flows += gone
            self._report.notes.append(f"flow files deleted by retention: {gone}")

    def _tell_uploaded(self) -> None:
        uploaded, fetched = len(self._deletions.uploaded), len(self.flows.fetched)
        self._report.uploaded_flows += uploaded
        self._report.fetched_flows += fetched
        if uploaded and not self._is_copy:
            read = f"{fetched} were read from there" if fetched else "they were not read (--fetch)"
            files = "file is" if uploaded == 1 else "files are"
            self._report.notes.append(f"{uploaded} {files} only in the bucket; {read}")

    def _follow(self, name: str, number: int, raw: bytes, *, first: bool) -> bool:
        """Check one line; returns whether it seals its file."""
        line = parse(raw)
        if line is None:
            raise BrokenError(name, number, f"the line after event {self.seq} was changed: it is no journal line")
        self.id = self.id or line.chain
        if line.seq != self.seq + 1 or line.prev != self._digest or line.chain != self.id:
            raise BrokenError(name, number, self._mismatch(line))
        if first != (line.kind == Kind.JOURNAL_OPEN):
            raise BrokenError(name, number, f"event {line.seq}: a journal file begins with its opening, and only there")
        self.seq, self._digest = line.seq, line.digest
        self._report.events += 1
        self._check_signed(name, number, line.chain, line.seq, line.digest)
        if line.seq > self._newest and len(self._unsigned) < _MOST_UNSIGNED:
            self._unsigned[line.seq] = line.digest
        try:
            self._take(name, number, line)
        except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
            raise BrokenError(name, number, f"event {line.seq} cannot be read") from None
        return line.kind == Kind.JOURNAL_SEAL

    def _take(self, name: str, number: int, line: Line) -> None:
        """What the line says of flows, calls and files."""
        if line.flow is not None:
            if problem := self.flows.check(line.flow):
                raise BrokenError(name, number, f"event {line.seq}: {problem}")
            gone = self._deletions.flows
            self._report.flows += line.flow.file not in gone or line.flow.file in self.flows.fetched
        if line.kind == Kind.INTENT:
            self.pending[line.decision] = None
        elif line.kind in (Kind.OUTCOME, Kind.REFUSAL):
            self.pending.pop(line.decision, None)
        elif line.kind == Kind.JOURNAL_SEAL:
            self._check_seal(name, number, line)
        elif line.kind in (Kind.FLOWS_OPEN, Kind.FLOWS_SEAL, Kind.JOURNAL_OPEN, Kind.RETENTION):
            self._manage(name, number, line)

    def _manage(self, name: str, number: int, line: Line) -> None:
        own = line.event()["unmapped"]["gatehold"]
        if line.kind == Kind.JOURNAL_OPEN:
            if own["file"] != name.rpartition("/")[2]:
                raise BrokenError(name, number, f"event {line.seq}: this file was called {own['file']}")
            said = own.get("checkpoint")
            if said and self._numbers.get(said["number"]) != said["sha256"]:
                raise BrokenError(name, number, f"event {line.seq}: checkpoint {said['number']} is missing")
            return
        if line.kind == Kind.RETENTION:
            here = file_number(Path(name))
            if problem := self._deletions.meet(line.seq, own, self.flows.sealed, here):
                raise BrokenError(name, number, f"event {line.seq}: {problem}")
            return
        for file in own["files"]:
            is_open = line.kind == Kind.FLOWS_OPEN
            if problem := self.flows.open(file["file"]) if is_open else self.flows.seal(file, self._report.notes):
                raise BrokenError(name, number, f"event {line.seq}: {problem}")

    def _mismatch(self, line: Line) -> str:
        if line.chain != self.id:
            return f"event {line.seq} belongs to another chain"
        if line.seq != self.seq + 1:
            return f"event {line.seq} follows event {self.seq}: lines were removed, inserted or moved"
        if line.seq == 1:
            return "event 1 has a predecessor"
        return f"event {line.seq} does not follow from event {self.seq}, which was changed"

    def _read_checkpoints(self) -> None:
        """Read what was not read before; a gateway that is running adds more."""
        for journal in self._files:
            path = journal.with_suffix(".checkpoint")
            if path.exists() and path.stat().st_size != self._sizes_read.get(path):
                self._read_checkpoint_file(path, self._name(journal))

    def _read_checkpoint_file(self, path: Path, journal: str) -> None:
        self._sizes_read[path] = path.stat().st_size
        try:
            found, torn = read_checkpoints(path)
        except NotRegularError as error:
            raise BrokenError(self._name(path), 0, str(error)) from None
        known = self._lines_read.get(path, 0)
        for line, checkpoint in enumerate(found[known:], start=known + 1):
            number = self._last_number + 1
            problem = self._problem(checkpoint, number, journal.rpartition("/")[2])
            if checkpoint is None or problem:
                raise BrokenError(self._name(path), line, problem)
            self._numbers[number] = checkpoint.digest
            self._last_number = number
            self._sign(number, checkpoint)
            self._report.checkpoints += 1
        self._lines_read[path] = len(found)
        self._torn_checkpoints[journal] = len(found) + 1 if torn else 0

    def _sign(self, number: int, checkpoint: Checkpoint) -> None:
        """Keep a checkpoint until its line is read, or hold it against that line, where it was read before."""
        self._signed.setdefault(checkpoint.seq, []).append((f"checkpoint {number}", checkpoint))
        self._newest = max(self._newest, checkpoint.seq)
        digest = self._unsigned.get(checkpoint.seq)
        if digest is not None:
            self._check_signed(self._name(self._directory), 0, self.id, checkpoint.seq, digest)
            self._unsigned = {seq: each for seq, each in self._unsigned.items() if seq > checkpoint.seq}

    def _problem(self, checkpoint: Checkpoint | None, number: int, journal: str) -> str:
        if checkpoint is None:
            return f"checkpoint {number} was changed"
        if checkpoint.file != journal:
            return f"checkpoint {checkpoint.number} is one of {checkpoint.file}"
        previous = self._numbers.get(number - 1) or GENESIS
        if checkpoint.number != number or checkpoint.prev != previous:
            return f"checkpoint {checkpoint.number} does not follow checkpoint {number - 1}"
        if self._keys and not checkpoint.signed_by(self._keys):
            return f"checkpoint {number} is not signed by a given key"
        return ""

    def _check_seal(self, name: str, number: int, line: Line) -> None:
        """Whoever seals a file signs it; what a crash left is sealed by the next start, and signed with its opening."""
        if line.event()["unmapped"]["gatehold"]["reason"] == "recovered":
            return
        for pause in _PATIENCE:
            if self._last_signed == line.seq:
                return
            time.sleep(pause)
            self._read_checkpoints()
        unsigned = f"event {line.seq} seals this file, but its checkpoint is missing"
        # What a kill between the two leaves looks the same; the next start signs it.
        raise BrokenError(name, number, unsigned + " (was the gateway killed as it stopped? then start it once)")

    def _check_finished_are_signed(self) -> None:
        """A new file is begun only when all before it is signed, or signed at once: else others have gone on."""
        for pause in _PATIENCE:
            if not self._report.events or self._newest >= self.seq:
                return
            time.sleep(pause)
            self._read_checkpoints()
        unsigned = f"another file follows event {self.seq}, for which no checkpoint vouches"
        # What a kill between the opening and its checkpoint leaves looks the same; the next start signs it.
        name = self._name(self._files[-2])
        raise BrokenError(name, 0, unsigned + " (was the gateway killed as it started? then start it once)")

    def _check_signed(self, name: str, number: int, chain: str, seq: int, digest: str) -> None:
        for what, checkpoint in self._signed.pop(seq, ()):
            if (checkpoint.chain, checkpoint.sha256) != (chain, digest):
                if what == "anchor" and checkpoint.chain != chain:
                    continue
                raise BrokenError(name, number, f"event {seq} is not the one that {what} vouches for")
            if what == "anchor":
                self._report.anchored = max(self._report.anchored, seq)
            else:
                self._last_signed = max(self._last_signed, seq)
            self._report.vouched = max(self._report.vouched, seq)

    def _check_unreached(self) -> None:
        """What was signed and is not there any more."""
        for seq, signed in sorted(self._signed.items()):
            for what, checkpoint in signed:
                if what != "anchor" or checkpoint.chain == self.id:
                    message = f"ends with event {self.seq}, but {what} vouches for event {seq}: it was cut off"
                    raise BrokenError(self._name(self._directory), 0, message)

    def _name(self, path: Path) -> str:
        return path.relative_to(self._base).as_posix()
