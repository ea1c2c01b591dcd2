"""Credentials that stand somewhere: in the environment, in files, in the configuration itself.

A file is read again as soon as it is another one (a Secret mount swaps a link, a sidecar renames), so that a rotated
credential is in use within a second and a withdrawn one is gone.
"""

import base64
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

from gatehold.config.credentials import BasicSpec, CredentialSpec
from gatehold.config.values import CredentialUnavailable, Reference, Secret, SecretRef
from gatehold.credentials.injection import Injection, Origin, checked_header

MAX_FILE = 1024 * 1024

type Bound = frozenset[Origin]
type _Rendered = tuple[tuple[str, Secret], tuple[Secret, ...]]
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


class TemplateSource:
    """A header made of ``${env:}`` and ``${file:}`` templates."""

    def __init__(self, render: Callable[[], _Rendered], references: Iterable[Reference], bound: Bound) -> None:
        self._render = render
        self._bound = bound
        self._paths = [Path(reference.name) for reference in references if reference.kind == "file"]
        self._files = Files()

    async def obtain(self) -> Injection:
        """Resolve the templates; the files are small and local."""
        for path in self._paths:
            self._files.note(path)
        header, secrets = self._render()
        return Injection(bound=self._bound, headers=(header,), secrets=secrets)

    def changed(self) -> bool:
        """Whether a file that it was made of is another one now."""
        return self._files.changed()


def template_source(spec: CredentialSpec, bound: Bound) -> TemplateSource:
    """The source for a ``header``, ``bearer`` or ``basic`` credential."""
    if spec.basic is not None:
        return _basic(spec.basic, bound)
    if spec.bearer is not None:
        return _header("Authorization", "Bearer ", spec.bearer, bound)
    if spec.header is not None and spec.value is not None:
        return _header(spec.header, spec.prefix, spec.value, bound)
    raise CredentialUnavailable("this form of credential is not made")


def token_file_source(path: Path, bound: Bound) -> TemplateSource:
    """The source for a bearer token that somebody keeps fresh in a file."""
    return _header("Authorization", "Bearer ", SecretRef((Reference("file", str(path)),)), bound)


def bearer_header(token: Secret) -> tuple[str, Secret]:
    """RFC 6750. Raises ``CredentialUnavailable``."""
    return checked_header("Authorization", f"Bearer {token.reveal()}")


def basic_header(username: str, password: Secret) -> tuple[str, Secret]:
    """RFC 7617. Raises ``CredentialUnavailable``."""
    if ":" in username:
        raise CredentialUnavailable("a user name for basic authentication cannot hold a colon")
    pair = f"{username}:{password.reveal()}".encode()
    return checked_header("Authorization", f"Basic {base64.b64encode(pair).decode()}")


def _header(name: str, prefix: str, value: SecretRef, bound: Bound) -> TemplateSource:
    def render() -> _Rendered:
        secret = value.resolve()
        return checked_header(name, prefix + secret.reveal()), (secret,)

    return TemplateSource(render, value.references, bound)


def _basic(spec: BasicSpec, bound: Bound) -> TemplateSource:
    def render() -> _Rendered:
        password = spec.password.resolve()
        return basic_header(spec.username.resolve().reveal(), password), (password,)

    return TemplateSource(render, (*spec.username.references, *spec.password.references), bound)


def _stamp(path: Path) -> _Stamp:
    try:
        status = os.stat(path)  # noqa: PTH116 - asked for often, and this is the cheap one
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
