"""Are the flows where the journal says, and nothing else?

Follows the journal line by line: flow files are opened, flows stand one behind the other, files are sealed at a
length. What is wrong is returned as words, for whoever knows the line.
"""

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from recordings.deletioncheck import DeletionCheck
from recordings.lines import FlowRef
from recordings.regular import descriptor_of, is_flow_file

_DESCRIPTORS: Final = 64
_LARGE: Final = 16 * 1024 * 1024
"""Bytes of a flow that is read at once; a longer one is read in pieces, where the file has so many bytes at all."""

type Elsewhere = Callable[[str], int | None]
"""Opens a flow file that is not here by its name below the data directory; None: it is not there either."""


class FlowCheck:
    """The flow files of one chain: what the journal said of them so far, and their bytes."""

    def __init__(
        self, data_dir: Path, deletions: DeletionCheck, elsewhere: Elsewhere | None = None, *, is_copy: bool = False
    ) -> None:
        self.known: set[str] = set()
        self.fetched: set[str] = set()
        """Files that are not here, and were read elsewhere."""
        self._elsewhere = elsewhere
        self._is_copy = is_copy
        self._deletions = deletions
        self._data_dir = data_dir
        self._ends: dict[str, int] = {}
        """Open files, and where the last flow with a line ends."""
        self._sealed: dict[str, int] = {}
        """Sealed files and their length."""
        self._sizes: dict[str, int] = {}
        """Of fetched files."""
        self._descriptors: OrderedDict[str, int] = OrderedDict()

    def open(self, name: str) -> str:
        """The journal announces a file; returns what is wrong with that."""
        if not is_flow_file(name):
            return "it announces a flow file that is none"
        self.known.add(name)
        self._ends[name] = 0
        return ""

    def check(self, flow: FlowRef) -> str:
        """Are the bytes of a flow there, and right?"""
        end = self._ends.get(flow.file)
        if end is None:
            return f"its flow stands in {flow.file}, which is not open"
        if flow.offset != end or flow.length < 0:
            return f"{flow.file}: a flow at {flow.offset}, where the one before ends at {end}"
        digest = self._read(flow)
        if digest is None and self._is_copy and self._elsewhere is not None and self._fetch(flow.file, self._elsewhere):
            digest = self._read(flow) or ""
        if digest is None:
            if not self._deletions.allows_flows(flow.file, end + flow.length, whole=False):
                return f"{flow.file} is missing"
            if flow.file not in self._deletions.uploaded or self._elsewhere is None:
                self._ends[flow.file] = end + flow.length
                return ""
            if not self._fetch(flow.file, self._elsewhere):
                return f"{flow.file} is neither here nor in the bucket"
            digest = self._read(flow) or ""
        if not digest:
            return f"{flow.file}: ends within the flow at {flow.offset}"
        if digest != flow.sha256:
            return f"{flow.file}: the flow at {flow.offset} was changed"
        self._ends[flow.file] = end + flow.length
        return ""

    def seal(self, said: Mapping[str, Any], notes: list[str]) -> str:
        """A file ends here, says the journal; after a crash with whole flows that have no line."""
        name = said["file"]
        if name not in self._ends:
            return f"{name} was not open"
        for flow in said.get("unreferenced", ()):
            if problem := self.check(FlowRef(file=name, **flow)):
                return problem
            notes.append(f"{name}: a flow of {flow['length']} bytes without an event, left by a crash")
        end = self._ends.pop(name)
        if said["length"] != end:
            return f"{name} was sealed at {said['length']} bytes, where its last flow ends at {end}"
        if name in self._deletions.flows and not self._deletions.allows_flows(name, end, whole=True):
            return f"{name} was deleted with another length than {end} bytes"
        if name in self.fetched and (size := self._sizes[name]) != end:
            return f"{name} has {size} bytes in the bucket, but was sealed with {end}"
        if torn := said.get("torn"):
            notes.append(f"{name}: {torn} torn bytes were cut off after a crash")
        self._sealed[name] = end
        return ""

    @property
    def sealed(self) -> Mapping[str, int]:
        """Sealed files and their length."""
        return self._sealed

    def unsealed(self) -> list[str]:
        """Files that are still open."""
        return list(self._ends)

    def check_ends(self, present: Mapping[str, int], notes: list[str]) -> Iterator[tuple[str, str]]:
        """Files and what is wrong with their ends; ``present`` are the sizes from before the journal was read."""
        for name, length in self._sealed.items():
            size = self._size(name)
            if self._is_copy and name in self.fetched:
                continue
            if size is None and length:
                if not self._deletions.allows_flows(name, length, whole=True):
                    yield name, "is missing"
            elif size is not None and size != length:
                yield name, f"has {size} bytes, but was sealed with {length}"
        for name, end in self._ends.items():
            if end and self._size(name) is None:
                yield name, "is missing"
            elif (extra := present.get(name, 0) - end) > 0:
                notes.append(f"{name}: open, {extra} bytes follow the last flow that has an event")

    def close(self) -> None:
        """Give all descriptors back."""
        while self._descriptors:
            os.close(self._descriptors.popitem()[1])

    def _fetch(self, name: str, elsewhere: Elsewhere) -> bool:
        """Have a file that is not here."""
        descriptor = elsewhere(name)
        if descriptor is None:
            return False
        self.fetched.add(name)
        self._sizes[name] = os.fstat(descriptor).st_size
        self._keep_open(name, descriptor)
        return True

    def _keep_open(self, name: str, descriptor: int) -> None:
        self._descriptors[name] = descriptor
        if len(self._descriptors) > _DESCRIPTORS:
            os.close(self._descriptors.popitem(last=False)[1])

    def _size(self, name: str) -> int | None:
        try:
            return (self._data_dir / name).lstat().st_size
        except OSError:
            return None

    def _read(self, flow: FlowRef) -> str | None:
        """The SHA-256 of what stands there; empty where the file ends before, None where there is none."""
        descriptor = self._descriptors.get(flow.file)
        if descriptor is None:
            try:
                descriptor = descriptor_of(self._data_dir / flow.file)
            except OSError:
                return None
            self._keep_open(flow.file, descriptor)
        if flow.length > _LARGE:
            return _digest(descriptor, flow)
        data = os.pread(descriptor, flow.length, flow.offset)
        return sha256(data).hexdigest() if len(data) == flow.length else ""


def _digest(descriptor: int, flow: FlowRef) -> str:
    """Of a long one, piece by piece."""
    if os.fstat(descriptor).st_size < flow.offset + flow.length:
        return ""
    found, at, end = sha256(), flow.offset, flow.offset + flow.length
    while at < end and (piece := os.pread(descriptor, min(_LARGE, end - at), at)):
        found.update(piece)
        at += len(piece)
    return found.hexdigest() if at == end else ""
