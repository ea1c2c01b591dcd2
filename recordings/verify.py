"""Is the record what was written? Reads everything once, in order, and stops at the first bad place.

What is proved, from weak to strong:

- every line is whole, follows its predecessor (hash, number), and its flow has the bytes it had: a slip of a disk or an
  editor is found;
- flow files hold nothing but those flows, and no other flow file lies beside them;
- with the public key: nothing up to the last checkpoint was changed by anybody without the private key;
- with an anchor (a checkpoint copied elsewhere): the whole directory was not rolled back to before it.

What retention deleted is no break: a signed line of the journal names it, and where the journal goes on.

Lines after the last checkpoint can be cut off without a trace, except where a seal or an anchor comes later; the
report says up to which event it vouches. A journal or flow file that is still open may end in a torn record.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from recordings.chaincheck import ChainCheck
from recordings.checkpoints import Checkpoint
from recordings.deletions import Deletions
from recordings.findings import Break, BrokenError, Report
from recordings.flowcheck import Elsewhere
from recordings.flowfiles import RECORDINGS
from recordings.journal import JOURNAL

_TRIES: Final = 3

__all__ = ["Break", "Report", "read_anchors", "verify"]


def verify(
    data_dir: Path,
    *,
    keys: Sequence[Ed25519PublicKey] = (),
    anchors: Sequence[Checkpoint] = (),
    elsewhere: Elsewhere | None = None,
) -> Report:
    """Verify all journals and flow files of a data directory. ``OSError`` where it cannot be read.

    ``elsewhere`` opens flow files that are only in a bucket; None: they are counted and not read.
    """
    return _steady(data_dir, keys, anchors, elsewhere, _TRIES)


def _steady(
    data_dir: Path,
    keys: Sequence[Ed25519PublicKey],
    anchors: Sequence[Checkpoint],
    elsewhere: Elsewhere | None,
    tries: int,
) -> Report:
    """The same; once more where retention deleted files in the meantime."""
    before = _retention_events(data_dir)
    try:
        report = _verify(data_dir, keys, anchors, elsewhere)
    except FileNotFoundError:
        if tries <= 1:
            raise
        return _steady(data_dir, keys, anchors, elsewhere, tries - 1)
    if report.intact or tries <= 1 or _retention_events(data_dir) == before:
        return report
    return _steady(data_dir, keys, anchors, elsewhere, tries - 1)


def _retention_events(data_dir: Path) -> list[int]:
    """By which events files were deleted: a gateway that is running may do so while they are read."""
    directories = [path for path in (data_dir / JOURNAL).glob("*") if path.is_dir()]
    return [Deletions.newest(directory) for directory in sorted(directories)]


def _verify(
    data_dir: Path,
    keys: Sequence[Ed25519PublicKey],
    anchors: Sequence[Checkpoint],
    elsewhere: Elsewhere | None,
) -> Report:
    report = Report(signatures=bool(keys))
    present = _present_flows(data_dir)
    chains: list[ChainCheck] = []
    try:
        for path in (data_dir / JOURNAL).glob("*.jsonl"):
            raise BrokenError(path.relative_to(data_dir).as_posix(), 0, "belongs to no chain")
        for directory in sorted(path for path in (data_dir / JOURNAL).glob("*") if path.is_dir()):
            chain = ChainCheck(data_dir, directory, keys, report, elsewhere)
            chains.append(chain)
            chain.run(anchors)
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
    """The checkpoints of an anchor file, or of all in a directory; ``ValueError`` where one cannot be read."""
    files = sorted(path.glob("*.checkpoint")) if path.is_dir() else [path]
    return [anchor for file in files for anchor in _read_anchors(file)]


def _read_anchors(path: Path) -> list[Checkpoint]:
    found = [Checkpoint.parse(line) for line in path.read_bytes().splitlines() if line.strip()]
    anchors = [checkpoint for checkpoint in found if checkpoint is not None]
    if not anchors or len(anchors) < len(found):
        raise ValueError(f"{path}: not a file of checkpoints")
    return anchors


def _present_flows(data_dir: Path) -> dict[str, int]:
    """All flow files and their sizes."""
    return {path.relative_to(data_dir).as_posix(): size for path, size in _flow_files(data_dir / RECORDINGS)}


def _flow_files(directory: Path) -> Iterator[tuple[Path, int]]:
    for path in directory.rglob("*.flow"):
        yield path, path.lstat().st_size
