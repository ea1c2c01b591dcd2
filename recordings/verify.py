"""Is the record what was written? Reads everything once, in order, and stops at the first bad place.

What is proved, from weak to strong:

- every line is whole, follows its predecessor (hash, number), and its flow has the bytes it had: a slip of a disk or an
  editor is found;
- flow files hold nothing but those flows, and no other flow file, and no other journal, lies beside them;
- with the public key: nothing up to the last checkpoint was changed by anybody without the private key, and all but
  the newest journal file is covered by one;
- with an anchor (a checkpoint copied elsewhere): the whole directory was not rolled back to before it.

What retention deleted is no break: a signed line of the journal names it, and where the journal goes on.

Lines after the last checkpoint can be cut off without a trace, except where a seal or an anchor comes later; the
report says up to which event it vouches. A journal or flow file that is still open may end in a torn record.
"""

import stat
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from recordings.chaincheck import ChainCheck
from recordings.checkpoints import Checkpoint
from recordings.deletions import Deletions
from recordings.findings import Break, BrokenError, Report
from recordings.flowcheck import Elsewhere
from recordings.flowfiles import RECORDINGS
from recordings.journal import JOURNAL, WRITER
from recordings.regular import NotRegularError

_TRIES: Final = 3

type Check = Callable[[Path, Path, Sequence[Ed25519PublicKey], Report], ChainCheck]
"""Begins with the journal of one writer."""

__all__ = ["Break", "Report", "read_anchors", "verify"]


def verify(
    data_dir: Path,
    *,
    keys: Sequence[Ed25519PublicKey] = (),
    anchors: Sequence[Checkpoint] = (),
    elsewhere: Elsewhere | None = None,
    is_copy: bool = False,
) -> Report:
    """Verify all journals and flow files of a data directory. ``OSError`` where it cannot be read.

    ``elsewhere`` opens flow files that are only in a bucket; None: they are counted and not read. ``is_copy``: no flow
    file is here, and it opens all.
    """
    return _steady(data_dir, keys, anchors, partial(ChainCheck, elsewhere=elsewhere, is_copy=is_copy), _TRIES)


def _steady(
    data_dir: Path,
    keys: Sequence[Ed25519PublicKey],
    anchors: Sequence[Checkpoint],
    check: Check,
    tries: int,
) -> Report:
    """The same; once more where retention deleted files in the meantime."""
    before = _retention_events(data_dir)
    try:
        report = _verify(data_dir, keys, anchors, check)
    except FileNotFoundError:
        if tries <= 1:
            raise
        return _steady(data_dir, keys, anchors, check, tries - 1)
    if report.intact or tries <= 1 or _retention_events(data_dir) == before:
        return report
    return _steady(data_dir, keys, anchors, check, tries - 1)


def _retention_events(data_dir: Path) -> int:
    """By which event files were deleted: a gateway that is running may do so while they are read."""
    try:
        return Deletions.newest(data_dir / JOURNAL / WRITER)
    except NotRegularError:
        return 0  # verified presently


def _verify(
    data_dir: Path,
    keys: Sequence[Ed25519PublicKey],
    anchors: Sequence[Checkpoint],
    check: Check,
) -> Report:
    report = Report(signatures=bool(keys))
    chains: list[ChainCheck] = []
    try:
        present = _present_flows(data_dir)
        for path in (data_dir / JOURNAL).glob("*.jsonl"):
            raise BrokenError(path.relative_to(data_dir).as_posix(), 0, "belongs to no chain")
        for directory in sorted(path for path in (data_dir / JOURNAL).glob("*") if path.is_dir()):
            if directory.name != WRITER:
                raise BrokenError(directory.relative_to(data_dir).as_posix(), 0, "a journal that no gateway writes")
            chain = check(data_dir, directory, keys, report)
            chains.append(chain)
            chain.run(anchors)
        if keys and not report.checkpoints:
            raise BrokenError(JOURNAL.as_posix(), 0, "there is nothing here that was signed")
        _check_anchors(chains, anchors, keys)
        known = {name for chain in chains for name in chain.flows.known}
        for name in sorted(name for name in present.keys() - known if (data_dir / name).exists()):
            raise BrokenError(name, 0, "the journal knows no such flow file")
        for chain in chains:
            chain.check_flow_ends(present)
    except BrokenError as broken:
        report.first_break = broken.place
    finally:
        for chain in chains:
            chain.flows.close()
    report.open_intents = [decision for chain in chains for decision in chain.pending]
    return report


def _check_anchors(
    chains: Sequence[ChainCheck], anchors: Sequence[Checkpoint], keys: Sequence[Ed25519PublicKey]
) -> None:
    """An anchor is signed like any checkpoint, and its chain has to be there."""
    ids = {chain.id for chain in chains}
    for anchor in anchors:
        if keys and not anchor.signed_by(keys):
            raise BrokenError("anchor", 0, f"checkpoint {anchor.number} is not signed by a given key")
        if anchor.chain not in ids:
            raise BrokenError(JOURNAL.as_posix(), 0, f"chain {anchor.chain}, for which an anchor vouches, is missing")


def read_anchors(path: Path) -> list[Checkpoint]:
    """The checkpoints of an anchor file, or of all in a directory; ``ValueError`` where one cannot be read.

    Empty files in a directory are passed over: a power failure came while one was made.
    """
    if path.is_dir():
        files = [each for each in sorted(path.glob("*.checkpoint")) if each.lstat().st_size]
        return [anchor for each in files for anchor in _read_anchors(each.read_bytes(), each)]
    return _read_anchors(path.read_bytes(), path)


def _read_anchors(data: bytes, path: Path) -> list[Checkpoint]:
    found = [Checkpoint.parse(line) for line in data.splitlines() if line.strip()]
    anchors = [checkpoint for checkpoint in found if checkpoint is not None]
    if not anchors or len(anchors) < len(found):
        raise ValueError(f"{path}: not a file of checkpoints")
    return anchors


def _present_flows(data_dir: Path) -> dict[str, int]:
    """All flow files and their sizes; nothing but files stands among them."""
    found: dict[str, int] = {}
    for path in (data_dir / RECORDINGS).rglob("*"):
        name, status = path.relative_to(data_dir).as_posix(), path.lstat()
        if stat.S_ISREG(status.st_mode):
            found |= {name: status.st_size} if name.endswith(".flow") else {}
        elif not stat.S_ISDIR(status.st_mode) or name.endswith(".flow"):
            raise BrokenError(name, 0, "neither a file nor a directory")
    return found
