"""A bucket, and a prefix in it, into which finished files are put once.

An object carries the SHA-256 of its bytes as metadata (``sha256``). What stands there already is read back: the same
bytes are as good as put (a crash came before it was noted), others are somebody else's, and stay.

Methods block. The library's own coroutines are not used: they are resumed by a thread that Python does not know, and a
process that ends at that moment is aborted.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError

from gatehold.config.recordings import RecordingsSpec
from gatehold.sinks.buckets import open_bucket
from policy.errors import GateholdError

if TYPE_CHECKING:
    from obstore.store import ObjectStore

TIMEOUT: Final = "300s"
"""Of one request; a file is one."""
_DIGEST: Final = "sha256"
"""Name of the metadata."""


class BucketUnavailable(GateholdError):
    """It did not answer, or not as it should; the text names the bucket and the kind of error, and no key."""


class ObjectMissing(BucketUnavailable):
    """There is no such object, or no such bucket."""


class ObjectDiffers(GateholdError):
    """There is an object of that name, with other bytes."""


class ObjectPlace:
    """Where the files of a configuration go. Methods raise BucketUnavailable."""

    def __init__(self, spec: RecordingsSpec) -> None:
        self.host = urlsplit(spec.url).netloc
        self._url = spec.url
        self._reached = spec.object_store if spec.object_store.model_fields_set else None
        self._opened: ObjectStore | None = None

    def create(self, name: str, data: bytes, digest: str) -> None:
        """Put an object that was not there, and look that it is. Raises ObjectDiffers too."""
        try:
            obstore.put(self._store(), name, data, mode="create", attributes={_DIGEST: digest})
        except (AlreadyExistsError, PreconditionError):
            self._compare(name, len(data), digest)
        except (BaseError, OSError, ValueError) as error:
            raise self._unavailable(error) from None
        else:
            self.check(name, len(data), digest)

    def check(self, name: str, size: int, digest: str) -> None:
        """Is an object there, of this size and hash? Read back where it does not tell. Raises ObjectDiffers too."""
        try:
            found = obstore.get(self._store(), name, options={"head": True})
        except (BaseError, OSError, ValueError) as error:
            raise self._unavailable(error) from None
        if found.meta["size"] != size:
            raise ObjectDiffers(f"{name} has {found.meta['size']} bytes in {self.host}, not {size}")
        if found.attributes.get(_DIGEST) != digest:
            self._compare(name, size, digest)

    def read(self, name: str) -> Iterator[bytes]:
        """The bytes of an object, piece by piece."""
        try:
            found = obstore.get(self._store(), name)
            for piece in found.stream():
                yield bytes(piece)
        except FileNotFoundError:
            raise ObjectMissing(f"{name} is not in {self.host}") from None
        except (BaseError, OSError, ValueError) as error:
            raise self._unavailable(error) from None

    def folders(self, within: str = "") -> list[str]:
        """What the names below a folder, or all, begin with; sorted."""
        try:
            found = obstore.list_with_delimiter(self._store(), f"{within}/" if within else None)["common_prefixes"]
        except (BaseError, OSError, ValueError) as error:
            raise self._unavailable(error) from None
        return sorted(str(each).rstrip("/").rpartition("/")[2] for each in found)

    def names(self, folder: str) -> list[str]:
        """Objects below a folder, named from there on; sorted."""
        try:
            found = [str(each["path"]) for page in obstore.list(self._store(), f"{folder}/") for each in page]
        except (BaseError, OSError, ValueError) as error:
            raise self._unavailable(error) from None
        return sorted(name.removeprefix(f"{folder}/") for name in found)

    def answers(self) -> None:
        """Does it answer at all?"""
        try:
            obstore.list_with_delimiter(self._store())
        except (BaseError, OSError, ValueError) as error:
            raise self._unavailable(error) from None

    def _compare(self, name: str, size: int, digest: str) -> None:
        found, length = sha256(), 0
        for piece in self.read(name):
            found.update(piece)
            length += len(piece)
        if (length, found.hexdigest()) != (size, digest):
            raise ObjectDiffers(f"{name} is in {self.host} with other bytes")

    def _store(self) -> "ObjectStore":
        opened = self._opened  # a request that was given up may end, and take it away, at any moment
        if opened is None:
            opened = self._opened = open_bucket(self._url, self._reached, timeout=TIMEOUT)
        return opened

    def _unavailable(self, error: Exception) -> BucketUnavailable:
        """What the store says may be long, and is not told; the next attempt reads keys and certificates anew."""
        is_ours = self._opened is None
        self._opened = None
        return BucketUnavailable(str(error) if is_ours else f"{self.host}: {type(error).__name__}")
