"""Is what is to be deleted as it was written? What is not is evidence, and stays.

Else an edit would be forgotten with what was edited. Reads the files once more, and needs the memory of one piece.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from recordings.deletions import marked_lines
from recordings.lines import FlowRef, parse
from recordings.ocsf import Kind
from recordings.regular import lines_of, open_regular
from recordings.segments import Segment

_FLOW: Final = re.compile(
    rb',"flow":\{"file":"([^"\\]+)","length":(\d{1,18}),"offset":(\d{1,18}),"sha256":"([0-9a-f]{64})"\},"kind":"[a-z-]+"'
)
_PIECE: Final = 1024 * 1024


def flows_of(journal: Path, names: Collection[str]) -> dict[str, list[FlowRef]]:
    """What a journal file says stands in some flow files, in the order of the bytes. Raises OSError."""
    found: dict[str, list[FlowRef]] = {name: [] for name in names}
    for ref in [*_told(journal), *_left(journal)]:
        if ref.file in found:
            found[ref.file].append(ref)
    return {name: sorted(refs, key=lambda each: each.offset) for name, refs in found.items()}


def holds(path: Path, refs: Sequence[FlowRef], length: int) -> bool:
    """Does a file hold just these flows, one behind the other? Raises OSError."""
    at = 0
    with open_regular(path) as file:
        for ref in refs:
            digest, left = sha256(), ref.length
            while ref.offset == at and left and (piece := file.read(min(left, _PIECE))):
                digest.update(piece)
                left -= len(piece)
            if left or digest.hexdigest() != ref.sha256:
                return False
            at += ref.length
        return at == length and not file.read(1)


def is_chained(segment: Segment) -> bool:
    """Does every line follow its predecessor, to the one that the next file goes on from? Raises OSError."""
    seq, digest = segment.first - 1, ""
    with open_regular(segment.path) as file:
        for raw in lines_of(file):
            line = parse(raw[:-1])
            if line is None or line.seq != seq + 1 or (digest and line.prev != digest):
                return False
            seq, digest = line.seq, line.digest
    return (seq, digest) == (segment.last, segment.head)


def _told(journal: Path) -> Iterator[FlowRef]:
    with open_regular(journal) as file:
        for raw in lines_of(file):
            for match in _FLOW.finditer(raw, max(0, raw.rfind(b',"flow":{"file":"'))):
                yield FlowRef(match[1].decode("ascii", "replace"), int(match[2]), int(match[3]), match[4].decode())


def _left(journal: Path) -> Iterator[FlowRef]:
    """Whole flows without a line, which a crash left."""
    for line in marked_lines(journal, (Kind.FLOWS_SEAL,)):
        for said in _files(line.event()):
            for flow in said.get("unreferenced", ()):
                yield FlowRef(file=said["file"], **flow)


def _files(event: dict[str, Any]) -> list[dict[str, Any]]:
    files: list[dict[str, Any]] = event["unmapped"]["gatehold"]["files"]
    return files
