"""What is put into a call to a target, and where such a call may go."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from gatehold.config.values import CredentialUnavailable, Secret

type Origin = tuple[Literal["http", "https"], str, int]
"""Scheme, host (lower case, no brackets), port."""
type Bound = frozenset[Origin]
"""The only places that a credential may go to."""

MAX_VALUE = 16 * 1024
"""Characters of a value that is put into a call. Servers take no more, and all its spellings are looked for."""
_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[!-~](?:[ \t!-~]*[!-~])?")
_COOKIE_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]+")
"""RFC 6265, 4.1.1: nothing that ends a cookie or is read as a quote."""
_FRAMING = re.compile(
    r"host|content-.*|transfer-encoding|connection|keep-alive|te|trailer|upgrade|expect|proxy-.*|gatehold-.*",
    re.IGNORECASE,
)


class RequestSigner(Protocol):
    """Shows who sends a request by a signature over all of it."""

    @property
    def replaces(self) -> frozenset[str]:
        """Header names (lower case) that belong to signatures: an agent's own are not sent."""

    def sign(
        self, method: str, url: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> tuple[tuple[str, Secret], ...]:
        """Header fields to set, in place of what stands there under their names.

        ``url`` is absolute, its path and query as they are sent; ``headers`` are all that are sent, Host among them.
        Raises ``Refusal`` for a request that cannot be signed as it is.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Injection:
    """A credential in the form in which it enters a call. Its repr tells names, never values."""

    bound: Bound
    """The only places that a call which carries it may go to."""
    headers: tuple[tuple[str, Secret], ...] = ()
    """Set on the request in place of whatever stands there under that name."""
    query: tuple[tuple[str, Secret], ...] = ()
    """Parameters, name and value decoded; each replaces all that stand there under its name."""
    cookies: tuple[tuple[str, Secret], ...] = ()
    """The only cookies of the call."""
    signer: RequestSigner | None = field(default=None, repr=False)
    """Signs the call when all else of it is as it is sent."""
    client_certificate: Path | None = None
    """PEM file with certificate and key, for TLS towards the target."""
    secrets: tuple[Secret, ...] = field(default=(), repr=False)
    """The bare values, without prefix or encoding: what must not come back in an answer."""
    expires_at: float | None = None
    """Unix time at which it ends; None: not known to end."""

    @property
    def is_shown(self) -> bool:
        """Whether a call shows it as it is: then it may come back, and whoever reads it has it."""
        return bool(self.headers or self.query or self.cookies)

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
    if len(value) > 2 * MAX_VALUE:
        raise CredentialUnavailable(f"the value for the header {name} is too long")
    if not _VALUE.fullmatch(value):
        raise CredentialUnavailable(f"the value for the header {name} is empty or not plain text")
    return name, Secret(value)


def bearer_header(token: Secret) -> tuple[str, Secret]:
    """RFC 6750. Raises ``CredentialUnavailable``."""
    return checked_header("Authorization", f"Bearer {token.reveal()}")


def basic_header(username: str, password: Secret) -> tuple[str, Secret]:
    """RFC 7617. Raises ``CredentialUnavailable``."""
    if ":" in username:
        raise CredentialUnavailable("a user name for basic authentication cannot hold a colon")
    pair = f"{username}:{password.reveal()}".encode()
    return checked_header("Authorization", f"Basic {base64.b64encode(pair).decode()}")


def checked_cookie(name: str, value: Secret) -> tuple[str, Secret]:
    """A cookie that can be sent as it is (RFC 6265). Raises ``CredentialUnavailable``."""
    if not _NAME.fullmatch(name):
        raise CredentialUnavailable(f"{name!r} is not the name of a cookie")
    if not _COOKIE_VALUE.fullmatch(value.reveal()):
        raise CredentialUnavailable(
            f"the value for the cookie {name} is empty or has characters that no cookie can have"
        )
    return name, value


def origins(scheme: Literal["http", "https"], hosts: Iterable[tuple[str, int]]) -> Bound:
    """The places that a target's hosts stand for."""
    return frozenset((scheme, host.lower().strip("[]"), port) for host, port in hosts)
