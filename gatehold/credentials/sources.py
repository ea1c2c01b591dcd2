"""What every source of a credential is, and the files that credentials come from.

A file is read again as soon as it is another one (a Secret mount swaps a link, a sidecar renames), so that a rotated
credential is in use within a second and a withdrawn one is gone.
"""

import os
from pathlib import Path
from typing import Protocol

from gatehold.config.values import CredentialUnavailable, Reference, Secret
from gatehold.credentials.injection import Bound, Injection, bearer_header

MAX_FILE = 1024 * 1024

type _Stamp = tuple[int, int, int] | None


class CredentialDelayed(CredentialUnavailable):
    """It cannot be had at the moment, for a reason outside the configuration: asking again may help."""


class Source(Protocol):
    """How the credential of one target is had."""

    async def obtain(self) -> Injection:
        """The credential as it is now. Raises ``CredentialUnavailable``, whose text holds no part of it."""

    def changed(self) -> bool:
        """Whether what ``obtain`` gave is known to be out of date. Costs microseconds."""


class Files:
    """Files that were read, and whether they are still the same."""

    def __init__(self) -> None:
        self._stamps: dict[Path, _Stamp] = {}

    def note(self, path: Path) -> None:
        """``path`` is about to be read by somebody else."""
        self._stamps[path] = _stamp(path)

    def read(self, path: Path) -> bytes:
        """The file's bytes. Raises ``CredentialUnavailable``."""
        self.note(path)
        try:
            with path.open("rb") as file:
                content = file.read(MAX_FILE + 1)
        except OSError as error:
            raise CredentialUnavailable(f"{path}: {error.strerror}") from None
        if len(content) > MAX_FILE:
            raise CredentialUnavailable(f"{path} is larger than {MAX_FILE} bytes")
        return content

    def text(self, path: Path) -> str:
        """The file's text without the white space around it. Raises ``CredentialUnavailable``."""
        try:
            return self.read(path).decode("utf-8").strip()
        except UnicodeDecodeError:
            raise CredentialUnavailable(f"{path} is not UTF-8 text") from None

    def changed(self) -> bool:
        """Whether one of them is another one now, or gone."""
        return any(_stamp(path) != stamp for path, stamp in self._stamps.items())


class TokenFileSource:
    """A bearer token that somebody keeps fresh in a file."""

    def __init__(self, path: Path, bound: Bound) -> None:
        self._path = path
        self._bound = bound
        self._files = Files()

    async def obtain(self) -> Injection:
        """Read the file, which is small and local."""
        self._files.note(self._path)
        token = Reference("file", str(self._path)).read({}, {})
        return Injection(bound=self._bound, headers=(bearer_header(Secret(token)),), secrets=(Secret(token),))

    def changed(self) -> bool:
        """Whether the file is another one now."""
        return self._files.changed()


def _stamp(path: Path) -> _Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116 - asked for often, and this is the cheap one
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
