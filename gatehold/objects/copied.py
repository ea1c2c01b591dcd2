"""Is the copy in a bucket what was written? Verified alone, without the data directory that it was made from.

The journal files of a chain are read into a private directory and verified there as any others; flow files are read one
after the other. The copy ends with the last finished journal file: what came later is not there yet, and nobody can
tell it from what was taken away, except by an anchor.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gatehold.objects.fetching import FlowObjects
from gatehold.objects.finished import finished_files
from gatehold.objects.ledger import object_name
from gatehold.objects.place import ObjectPlace
from gatehold.sinks.anchors import copy_name
from gatehold.temporary import private_directory
from policy.errors import GateholdError
from recordings.checkpoints import Checkpoint
from recordings.files import make_private
from recordings.findings import BrokenError, Report
from recordings.flowfiles import RECORDINGS
from recordings.journal import FILE_NAME, JOURNAL, WRITER, file_number, journal_files
from recordings.lines import Line, parse
from recordings.moments import timestamp
from recordings.scanning import backwards
from recordings.verify import verify

ANCHORS: Final = "anchors"
_MAIN: Final = (JOURNAL / WRITER).as_posix()
_OURS: Final = frozenset({JOURNAL.name, RECORDINGS.name, ANCHORS})
_DAY: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_SUFFIXES: Final = (".jsonl", ".checkpoint")
_AT_ONCE: Final = 8
"""Objects that are asked for together."""


class NoCopy(GateholdError):
    """There is no chain in the bucket, or not the one that was asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What a verification of one chain found."""

    chain: str
    report: Report
    """Its notes say what was not copied yet, too."""


class Copies:
    """The chains below a prefix. Methods raise BucketUnavailable, OSError."""

    def __init__(self, place: ObjectPlace, *, keys: Sequence[Ed25519PublicKey], anchors: Sequence[Checkpoint]) -> None:
        """``keys``: the public keys of the gateways; ``anchors``: checkpoints that were kept elsewhere."""
        self._place = place
        self._keys = keys
        self._anchors = anchors

    def verified(self, only: str = "") -> Iterator[Copied]:
        """One chain after the other, or only one. Raises NoCopy too."""
        folders = [folder for folder in self._place.folders() if _OURS & set(self._place.folders(folder))]
        found = sorted({*folders, *(anchor.chain for anchor in self._anchors)})
        wanted = [chain for chain in found if only in ("", chain)]
        if not wanted:
            raise NoCopy(f"{self._place.host}: {f'chain {only}' if only else 'the journal of a gateway'} is not there")
        for chain in wanted:
            yield Copied(chain=chain, report=self._verify(chain))

    def _verify(self, chain: str) -> Report:
        with private_directory() as directory:
            try:
                return _Copy(self._place, chain, directory, self._keys, self._anchors).verify()
            except BrokenError as broken:
                return Report(first_break=broken.place, signatures=True)


class _Copy:
    """One chain, while it is verified."""

    def __init__(
        self,
        place: ObjectPlace,
        chain: str,
        directory: Path,
        keys: Sequence[Ed25519PublicKey],
        anchors: Sequence[Checkpoint],
    ) -> None:
        self._place = place
        self._chain = chain
        self._directory = directory
        self._keys = keys
        self._outside = [anchor for anchor in anchors if anchor.chain == chain]
        self._names = place.names(chain)
        self._notes: list[str] = []

    def verify(self) -> Report:
        """Raises BrokenError at the first bad place that only a bucket can have."""
        for anchor in self._outside:
            self._check_signed("anchor", anchor)
        self._mirror(self._journal())
        last = self._last()
        if last.chain != self._chain:
            raise BrokenError(_MAIN, 0, f"this is chain {last.chain}")
        anchors = [*self._outside, *self._inside()]
        self._tell_later(anchors, last)
        reached = [anchor for anchor in anchors if anchor.seq <= last.seq]
        lengths, flows = self._lengths(last.seq), FlowObjects(self._place, self._chain)

        def elsewhere(name: str) -> int | None:
            return flows.open(name, most=lengths.get(name, 0))

        report = verify(self._directory, keys=self._keys, anchors=reached, elsewhere=elsewhere, is_copy=True)
        if report.intact:
            self._check_unknown(lengths)
        report.notes += self._notes
        return report

    def _journal(self) -> list[str]:
        """Which objects of the journal are read."""
        found = [PurePosixPath(name) for name in self._below(JOURNAL.name)]
        for name in found:
            is_one = name.suffix in _SUFFIXES and FILE_NAME.fullmatch(f"{name.stem}.jsonl")
            if not is_one or name.parent.as_posix() != _MAIN:
                raise BrokenError(name.as_posix(), 0, "not a file of this journal")
        journals = sorted((name for name in found if name.suffix == ".jsonl"), key=lambda name: file_number(Path(name)))
        if journals and journals[-1].with_suffix(".checkpoint") not in found:
            found.remove(journals[-1])
            self._notes.append(f"{journals[-1]} was copied without its checkpoints yet: it was not read")
        return [name.as_posix() for name in found]

    def _mirror(self, names: Iterable[str]) -> None:
        make_private(self._directory / JOURNAL)
        make_private(self._directory / JOURNAL / WRITER)

        def copy(name: str) -> None:
            with (self._directory / name).open("xb") as file:
                file.writelines(self._place.read(object_name(self._chain, name)))

        self._each(copy, names)

    def _last(self) -> Line:
        """The last line that is there."""
        for path in reversed(self._journals()):
            with path.open("rb") as file:
                for _, raw in backwards(file, file.seek(0, 2)):
                    if line := parse(raw):
                        return line
        raise BrokenError(_MAIN, 0, "no journal file of this chain is there")

    def _inside(self) -> list[Checkpoint]:
        """The anchors beside the journal."""

        def read(name: str) -> Checkpoint:
            data = b"".join(self._place.read(object_name(self._chain, name)))
            found = Checkpoint.parse(data.removesuffix(b"\n"))
            if found is None or found.chain != self._chain or name != f"{ANCHORS}/{copy_name(found)}":
                raise BrokenError(name, 0, "no checkpoint of this chain")
            self._check_signed(name, found)
            return found

        return self._each(read, self._below(ANCHORS))

    def _check_signed(self, name: str, anchor: Checkpoint) -> None:
        if not anchor.signed_by(self._keys):
            raise BrokenError(name, 0, f"checkpoint {anchor.number} is not signed by a given key")

    def _tell_later(self, anchors: Iterable[Checkpoint], last: Line) -> None:
        """Anchors may know of more than was copied."""
        newest = max(anchors, key=lambda anchor: anchor.seq, default=None)
        if newest is not None and newest.seq > last.seq:
            when = timestamp(newest.time / 1000)
            self._notes.append(
                f"an anchor of {when} vouches for event {newest.seq}: events from {last.seq + 1} on were not copied"
                f" yet, or are gone (they were in {newest.file})"
            )

    def _lengths(self, last: int) -> dict[str, int]:
        """Flow files and the lengths with which they were sealed."""
        files = (each for path in self._journals() for each in finished_files(path, last))
        return {each.name: each.length for each in files if each.length is not None}

    def _check_unknown(self, known: Collection[str]) -> None:
        """Flow files arrive before the journal file that tells of them, but none is older than it."""
        unknown = [name for name in self._below(RECORDINGS.as_posix()) if name.endswith(".flow") and name not in known]
        day = self._journals()[-1].stem.partition("-")[2]
        for name in unknown:
            folder = _DAY.fullmatch(PurePosixPath(name).parent.name)
            if folder is None or "".join(folder.groups()) < day:
                raise BrokenError(name, 0, "the journal knows no such flow file")
        if unknown:
            self._notes.append(f"{len(unknown)} flow files of events that were not copied yet: they were not read")

    def _journals(self) -> list[Path]:
        return journal_files(self._directory / JOURNAL / WRITER)

    def _below(self, folder: str) -> list[str]:
        return [name for name in self._names if name.startswith(f"{folder}/")]

    def _each[T](self, work: Callable[[str], T], names: Iterable[str]) -> list[T]:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(work, names))
