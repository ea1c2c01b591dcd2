"""Small exchanges of JSON with those who hand out credentials: Vault, authorization servers, GitHub.

HTTP is used the narrow way: HTTPS (plain HTTP to this machine only), no redirects, no content encoding, no proxy from
the environment (it could be this gateway), one bound on the whole exchange and one on its size. Failures are
``CredentialDelayed``; their texts name the host and the status at most, never a body: what is asked and what is
answered are secrets.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import certifi
import httpx2

from gatehold.config.addresses import is_fetchable
from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.sources import CredentialDelayed, Files
from gatehold.identity.jose import strict_json

TIMEOUT = 10.0
"""Seconds for a whole exchange, not for each of its steps."""
MAX_ANSWER = 256 * 1024
_AT_ONCE = 16
"""Exchanges at the same time; more of them wait."""

type Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer whose status is not that of a redirect."""

    host: str
    status: int
    value: Json = field(repr=False)
    """Empty where an answer that tells of a failure is no JSON object."""

    @property
    def is_success(self) -> bool:
        """Whether it gives what was asked for."""
        return 200 <= self.status < 300

    def failure(self, why: str = "") -> CredentialDelayed:
        """What to raise for it. ``why`` is a word of ours, never one of the answer."""
        return CredentialDelayed(f"{self.host}: answers {self.status}{f' ({why})' if why else ''}")

    def unreadable(self, what: str) -> CredentialDelayed:
        """What to raise where the answer is not what it should be; ``what`` names that."""
        return CredentialDelayed(f"{self.host}: its answer is no {what}")

    def text(self, name: str, what: str) -> str:
        """A member that is a text with something in it. Raises ``CredentialDelayed``."""
        value = self.value.get(name)
        if not isinstance(value, str) or not value:
            raise self.unreadable(what)
        return value


class Outbound:
    """Speaks with one kind of server. Bound to the event loop that first uses it."""

    def __init__(self, ca: Path | None = None, *, timeout: float = TIMEOUT) -> None:
        """``ca``: PEM file of who is trusted; None: the system's store."""
        self._ca = ca
        self._timeout = timeout
        self._trust: ssl.SSLContext | None = None
        self._files = Files()
        self._places = asyncio.Semaphore(_AT_ONCE)

    def __repr__(self) -> str:
        return "<Outbound>"

    async def get(self, url: str, headers: Mapping[str, Secret | str] | None = None) -> Answer:
        """Ask for ``url``. Raises ``CredentialUnavailable``."""
        return await self._exchange("GET", url, headers or {}, b"", "")

    async def post_json(self, url: str, value: Json, headers: Mapping[str, Secret | str] | None = None) -> Answer:
        """Send a JSON object. Raises ``CredentialUnavailable``."""
        request = httpx2.Request("POST", url, json=value)
        return await self._exchange("POST", url, headers or {}, request.content, "application/json")

    async def post_form(
        self, url: str, form: Mapping[str, str], headers: Mapping[str, Secret | str] | None = None
    ) -> Answer:
        """Send a form. Raises ``CredentialUnavailable``."""
        body = urlencode(form).encode("ascii")
        return await self._exchange("POST", url, headers or {}, body, "application/x-www-form-urlencoded")

    async def _exchange(
        self, method: str, url: str, headers: Mapping[str, Secret | str], body: bytes, media: str
    ) -> Answer:
        host = host_of(url)
        fields = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "gatehold"}
        fields |= {name: value.reveal() if isinstance(value, Secret) else value for name, value in headers.items()}
        if media:
            fields["Content-Type"] = media
        try:
            async with asyncio.timeout(self._timeout), self._places:
                client = httpx2.AsyncClient(
                    verify=await self._context(), follow_redirects=False, trust_env=False, timeout=self._timeout
                )
                async with client, client.stream(method, url, headers=fields, content=body or None) as response:
                    return await _answer(response, host)
        except (TimeoutError, httpx2.TimeoutException):
            raise CredentialDelayed(f"{host}: no answer within {self._timeout:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            raise CredentialDelayed(f"{host}: {type(error).__name__}") from None
        except (ValueError, TypeError):
            raise CredentialUnavailable(f"{host}: what is asked there cannot be sent") from None

    async def _context(self) -> ssl.SSLContext:
        """Read in a thread: a system's store takes long. Read again when the file is another one."""
        if self._trust is None or self._files.changed():
            self._files = Files()
            if self._ca is not None:
                self._files.note(self._ca)
            self._trust = await asyncio.to_thread(_trusting, self._ca)
        return self._trust


def host_of(url: str) -> str:
    """The host of an address, with its port where one is named. Raises ``CredentialUnavailable`` unless it is safe."""
    if not is_fetchable(url):
        raise CredentialUnavailable("only https addresses without userinfo are asked for credentials")
    return urlsplit(url).netloc


async def _answer(response: httpx2.Response, host: str) -> Answer:
    status = int(response.status_code)
    if 300 <= status < 400:
        raise CredentialDelayed(f"{host}: answers {status}; redirects are not followed")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise CredentialDelayed(f"{host}: the answer is compressed though that was declined")
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise CredentialDelayed(f"{host}: the answer is larger than {MAX_ANSWER} bytes")
    value = _object(bytes(body))
    if value is None and 200 <= status < 300:
        raise CredentialDelayed(f"{host}: the answer is not a JSON object")
    return Answer(host=host, status=status, value=value or {})


def _object(body: bytes) -> Json | None:
    try:
        value = strict_json(body.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _trusting(ca: Path | None) -> ssl.SSLContext:
    paths = ssl.get_default_verify_paths()
    fallback = None if paths.cafile or paths.capath else certifi.where()
    try:
        return ssl.create_default_context(cafile=ca or fallback)
    except OSError:
        raise CredentialUnavailable(f"{ca}: holds no certificates") from None
