"""Is what is gone only what the journal says was deleted, in lines that are signed?

A verifier asks here for what it misses, first by looking ahead in the journal. That is a promise: the line that says
so has to be met on the way, in its place of the chain, with a checkpoint at or behind it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from recordings.deletions import DeletedJournal, Deletions


class DeletionCheck:
    """What is missing of one chain, and who says that it may be."""

    def __init__(self, directory: Path) -> None:
        self.base: DeletedJournal | None = None
        """The last journal file that is gone; None: the journal begins with its first file."""
        self.flows: set[str] = set()
        """Flow files that are gone."""
        self.uploaded: set[str] = set()
        """Those of them that are in a bucket."""
        self._directory = directory
        self._known: Deletions | None = None
        self._relied: set[int] = set()
        self._met: set[int] = set()

    def begin(self, number: int) -> bool:
        """May the journal begin with this file?"""
        if number == 1:
            return True
        self.base = self._deletions().journals.get(number - 1)
        if self.base is None:
            return False
        self._relied.add(self.base.event)
        return True

    def allows_journal(self, number: int) -> bool:
        """May this journal file be gone?"""
        return number in self._deletions().journals

    def allows_flows(self, name: str, length: int, *, whole: bool) -> bool:
        """May this flow file be gone? ``length``: how long it was, or, unless ``whole``, at least."""
        said = self._deletions().flows.get(name)
        if said is None or said.length < length or (whole and said.length != length):
            return False
        self._relied.add(said.event)
        self.flows.add(name)
        if said.uploaded:
            self.uploaded.add(name)
        return True

    def meet(self, seq: int, own: Mapping[str, Any], sealed: Mapping[str, int], number: int) -> str:
        """A line that deletes, in file ``number``; returns what is wrong with it. ``sealed``: flow files so far."""
        for each in own["files"]:
            if each["file"] in sealed and sealed[each["file"]] != each["length"]:
                return f"{each['file']} is deleted with {each['length']} bytes, but was sealed otherwise"
        for each in own["journal"]:
            if int(each["file"].partition("-")[0]) >= number:
                return f"{each['file']} is deleted before it was finished"
        self._met.add(seq)
        return ""

    def problem(self, signed: int) -> str:
        """What was relied on and does not hold; ``signed``: the last event that a checkpoint vouches for."""
        if missing := sorted(self._relied - self._met):
            return f"event {missing[0]}, which deletes files that are gone, is not part of the chain"
        if unsigned := [seq for seq in self._relied if seq > signed]:
            return f"event {min(unsigned)}, which deletes files that are gone, was never signed"
        return ""

    def _deletions(self) -> Deletions:
        if self._known is None:
            self._known = Deletions.read(self._directory)
        return self._known
