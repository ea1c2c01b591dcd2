"""What the last run left behind: read, cut to what is whole, and told to the next one.

After a clean stop the newest journal file ends in a seal, and there is nothing to do. After a crash it may end in the
middle of a line, a flow file in the middle of a flow, and whole flows may stand in a file without a line, because
flows are written first. The torn ends are cut off; whole flows stay, and the seal that is then written names them.
Nothing before the end is touched: whether it is right is the business of ``recordings.verify``.
"""

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

from recordings.checkpoints import Checkpoint, read_checkpoints
from recordings.errors import JournalDamagedError
from recordings.files import PRIVATE_FILE
from recordings.journal import Head, file_number, journal_files
from recordings.lines import Line, parse
from recordings.ocsf import Kind
from recordings.regular import NotRegularError, is_flow_file, lines_of, open_regular

_LENGTH_DIGITS: Final = 12
_DICT: Final = b"}"
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """Where the last run stopped."""

    head: Head
    sealed: bool
    torn: int = 0
    """Bytes that were cut off the journal file."""
    flows: tuple[dict[str, Any], ...] = ()
    """Per flow file that was still open: ``file``, ``length``, and where they apply ``torn`` (bytes cut off),
    ``unreferenced`` (whole flows without a line), ``missing``."""
    checkpoint: Checkpoint | None = None

    @property
    def seal_is_unsigned(self) -> bool:
        """Did it stop between the end of a file and the checkpoint of that end?"""
        signed = self.checkpoint.seq if self.checkpoint is not None else 0
        return self.sealed and signed < self.head.seq


def recover(data_dir: Path, journal: Path) -> Left:
    """Bring a journal directory and its open flow files into a state that can be continued.

    ``JournalDamagedError`` where the newest file has no readable last line, or is not as we leave files.
    """
    files = journal_files(journal)
    try:
        while files and not _has_line(files[-1]):
            _remove_empty(files.pop())
        if not files:
            return Left(head=Head(chain=secrets.token_hex(8)), sealed=True)
        run = _survey(files[-1])
    except NotRegularError as error:
        raise _damaged(journal, str(error)) from None
    last = run.last
    head = Head(chain=last.chain, seq=last.seq, digest=last.digest, number=file_number(files[-1]), file=files[-1].name)
    checkpoint = _last_checkpoint(files)
    if last.kind == Kind.JOURNAL_SEAL:
        return Left(head=head, sealed=True, checkpoint=checkpoint)
    _cut(files[-1], run.whole)
    flows = tuple({"file": name, **_recover_flow_file(data_dir / name, end)} for name, end in run.ends.items())
    return Left(head=head, sealed=False, torn=run.torn, flows=flows, checkpoint=checkpoint)


def whole_flows(file: BinaryIO, start: int) -> Iterator[tuple[int, int]]:
    """Offset and length of each whole flow from ``start`` on: tnetstrings (``LENGTH:...}``), one after the other."""
    size = file.seek(0, 2)
    while (length := _record_length(file, start)) is not None and start + length <= size:
        yield start, length
        start += length


def _record_length(file: BinaryIO, offset: int) -> int | None:
    """Length of the record at ``offset`` as it says itself; None where there is none or its end is not there."""
    file.seek(offset)
    digits, colon, _ = file.read(_LENGTH_DIGITS + 1).partition(b":")
    if not colon or not digits.isdigit():
        return None
    length = len(digits) + 1 + int(digits) + 1
    file.seek(offset + length - 1)
    return length if file.read(1) == _DICT else None


@dataclass(slots=True)
class _Run:
    """The newest journal file, read."""

    last: Line
    ends: dict[str, int]
    """Flow files that it opened and did not seal, and where their last flow ends."""
    whole: int
    """Length up to the last line feed."""
    torn: int


def _survey(path: Path) -> _Run:
    """Read a journal file that has at least one line; only the last one has to be right."""
    ends: dict[str, int] = {}
    last, whole = None, 0
    with open_regular(path) as file:
        for raw in lines_of(file):
            if not raw.endswith(b"\n"):
                break
            whole += len(raw)
            if (last := parse(raw[:-1])) is not None:
                _follow(last, ends)
        size = file.seek(0, 2)
    if last is None:
        raise _damaged(path, "the last line is not a journal line")
    if not all(map(is_flow_file, ends)):
        raise _damaged(path, "it speaks of flow files that are none of ours")
    return _Run(last, ends, whole, size - whole)


def _damaged(path: Path, words: str) -> JournalDamagedError:
    return JournalDamagedError(
        f"{path}: {words}, so the chain cannot be continued;"
        " look at it with 'gatehold audit verify', then move the journal directory away"
    )


def _follow(line: Line, ends: dict[str, int]) -> None:
    if line.kind == Kind.FLOWS_OPEN:
        ends |= {file["file"]: 0 for file in _files(line)}
    elif line.kind == Kind.FLOWS_SEAL:
        for file in _files(line):
            ends.pop(file["file"], None)
    elif line.flow is not None:
        ends[line.flow.file] = line.flow.offset + line.flow.length


def _recover_flow_file(path: Path, end: int) -> dict[str, Any]:
    if not path.is_file() or path.is_symlink():
        return {"length": end, "missing": True}
    path.chmod(PRIVATE_FILE)
    with path.open("rb+") as file:
        extra = list(whole_flows(file, end))
        whole = sum(extra[-1]) if extra else end
        torn = file.seek(0, 2) - whole
        if torn > 0:
            file.truncate(whole)
        found: dict[str, Any] = {"length": whole}
        if torn > 0:
            found["torn"] = torn
        if extra:
            found["unreferenced"] = [_describe(file, offset, length) for offset, length in extra]
        return found


def _describe(file: BinaryIO, offset: int, length: int) -> dict[str, Any]:
    file.seek(offset)
    digest, left = sha256(), length
    while left and (piece := file.read(min(left, _PIECE))):
        digest.update(piece)
        left -= len(piece)
    return {"length": length, "offset": offset, "sha256": digest.hexdigest()}


def _cut(path: Path, whole: int) -> None:
    """Make a file writable again and cut it to ``whole`` bytes."""
    path.chmod(PRIVATE_FILE)
    os.truncate(path, whole)


def _has_line(path: Path) -> bool:
    """Was even the first line written? A file without one holds nothing."""
    with open_regular(path) as file:
        return next(lines_of(file), b"").endswith(b"\n")


def _remove_empty(path: Path) -> None:
    """A crash came before its first line. No checkpoint can be there: what is signed was on the disk before."""
    checkpoints = path.with_suffix(".checkpoint")
    if checkpoints.exists():
        if any(read_checkpoints(checkpoints)[0]):
            raise _damaged(path, "it is empty, though a checkpoint vouches for lines in it")
        checkpoints.unlink()
    path.unlink()


def _last_checkpoint(files: list[Path]) -> Checkpoint | None:
    for path in reversed([file.with_suffix(".checkpoint") for file in files]):
        if path.exists():
            checkpoints, torn = read_checkpoints(path)
            if torn:
                _cut(path, path.stat().st_size - len(torn))
            if checkpoints and checkpoints[-1] is not None:
                return checkpoints[-1]
    return None


def _files(line: Line) -> list[dict[str, Any]]:
    try:
        files: list[dict[str, Any]] = line.event()["unmapped"]["gatehold"]["files"]
    except (KeyError, TypeError, json.JSONDecodeError):
        return []
    return files
