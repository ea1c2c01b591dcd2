"""What is put into a call to a target, and where such a call may go."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gatehold.config.values import CredentialUnavailable, Secret

type Origin = tuple[Literal["http", "https"], str, int]
"""Scheme, host (lower case, no brackets), port."""

_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?")
_FRAMING = re.compile(
    r"host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|gatehold-.*",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A credential in the form in which it enters a call. Its repr tells names, never values."""

    bound: frozenset[Origin]
    """The only places that a call which carries it may go to."""
    headers: tuple[tuple[str, Secret], ...] = ()
    """Set on the request in place of whatever stands there under that name."""
    query: tuple[tuple[str, Secret], ...] = ()
    client_certificate: Path | None = None
    """PEM file with certificate and key, for TLS towards the target."""
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    """The bare values, without prefix or encoding: what must not come back in an answer."""
    expires_at: float | None = None
    """Unix time at which it ends; None: not known to end."""

    def may_go_to(self, scheme: str, host: str, port: int) -> bool:
        """Whether a call with this credential may be sent there."""
        return (scheme, host.lower().strip("[]"), port) in self.bound


def checked_header(name: str, value: str) -> tuple[str, Secret]:
    """A header that can be sent as it is.

    Raises ``CredentialUnavailable`` for names that frame or route the message and for values outside visible ASCII:
    a line break would begin a header of its own.
    """
    if not _NAME.fullmatch(name) or _FRAMING.fullmatch(name):
        raise CredentialUnavailable(f"a credential cannot be put into the header {name!r}")
    if not _VALUE.fullmatch(value):
        raise CredentialUnavailable(f"the value for the header {name} is empty or not plain text")
    return name, Secret(value)


def origins(scheme: Literal["http", "https"], hosts: Iterable[tuple[str, int]]) -> frozenset[Origin]:
    """The places that a target's hosts stand for."""
    return frozenset((scheme, host.lower().strip("[]"), port) for host, port in hosts)
