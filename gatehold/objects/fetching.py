"""Reads flow files back from the bucket, for commands; each is held against what the journal says of it."""

import os
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from gatehold.config.recordings import RecordingsSpec
from gatehold.objects.ledger import object_name
from gatehold.objects.place import BucketUnavailable, ObjectDiffers, ObjectMissing, ObjectPlace
from gatehold.sinks.anchors import newest_checkpoint
from recordings.deletions import Deletions
from recordings.files import PRIVATE_FILE
from recordings.journal import JOURNAL, WRITER


class FlowObjects:
    """Flow files of one chain in a bucket. Methods raise BucketUnavailable, OSError."""

    def __init__(self, place: ObjectPlace, chain: str) -> None:
        self._place = place
        self._chain = chain

    def open(self, name: str, *, most: int | None = None) -> int | None:
        """A descriptor of a copy without a name; None: it is not there. What it holds is for the caller to check."""
        with TemporaryFile() as file:
            try:
                self.read(name, file, most=most)
            except ObjectMissing:
                return None
            return os.dup(file.fileno())

    def read(self, name: str, file: IO[bytes], *, most: int | None = None) -> tuple[int, str]:
        """Write it to a file; its size and SHA-256. Of what is longer than ``most`` the rest is not read.

        Raises ObjectMissing too.
        """
        digest, size = sha256(), 0
        for piece in self._place.read(object_name(self._chain, name)):
            file.write(piece)
            digest.update(piece)
            size += len(piece)
            if most is not None and size > most:
                break
        file.flush()
        return size, digest.hexdigest()


class Fetching:
    """The bucket of a data directory. Methods raise BucketUnavailable, OSError."""

    def __init__(self, spec: RecordingsSpec, data_dir: Path) -> None:
        self._place = ObjectPlace(spec)
        newest = newest_checkpoint(data_dir)
        self._objects = FlowObjects(self._place, newest.chain if newest is not None else "")
        self._deletions = Deletions.read(data_dir / JOURNAL / WRITER)

    def open(self, name: str) -> int | None:
        """As ``FlowObjects.open``."""
        said = self._deletions.flows.get(name)
        return self._objects.open(name, most=said.length if said else None)

    def save(self, name: str, path: Path) -> int:
        """Write a new file (0600); its size. Raises ObjectDiffers, ObjectMissing, FileExistsError too."""
        said = self._deletions.flows.get(name)
        if said is None:
            raise ObjectMissing(f"{name} is not here, and the journal does not say that it was removed")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
        descriptor = os.open(path, flags, PRIVATE_FILE)
        try:
            with os.fdopen(descriptor, "wb") as file:
                found = self._objects.read(name, file, most=said.length)
            if found != (said.length, said.sha256):
                raise ObjectDiffers(f"{name} is in {self._place.host} with other bytes than the journal says")
        except (BucketUnavailable, ObjectDiffers, OSError):
            path.unlink(missing_ok=True)
            raise
        return said.length
