"""Where a JWKS document comes from: a file, a URL, or what an issuer's OpenID Connect discovery document names.

HTTP is used the narrow way: HTTPS (plain HTTP to this machine only), no redirects, no content encoding, no proxy from
the environment (it could be this gateway), one bound on the whole exchange and one on its size. Failures are
``SourceError``; their texts name the host at most.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx2

from gatehold.config.addresses import is_loopback
from gatehold.identity.jose import strict_json

MAX_DOCUMENT = 256 * 1024
TIMEOUT = 5.0
"""Seconds for a whole exchange, not for each of its steps."""
_DISCOVERY = "/.well-known/openid-configuration"


class SourceError(Exception):
    """A JWKS document could not be had; the text is for operators and holds no document."""


class Source(Protocol):
    """One place that JWKS documents come from."""

    interval: float
    """Seconds after which it is worth asking again."""

    async def fetch(self) -> bytes:
        """The document as it is now. Raises ``SourceError``."""


class Fetcher:
    """Small JSON documents over HTTP."""

    def __init__(self, timeout: float = TIMEOUT, *, ca: Path | None = None) -> None:
        """``ca``: PEM file of the authorities to trust, in place of the system's; read with the first exchange."""
        self._timeout = timeout
        self._ca = ca
        self._client: httpx2.AsyncClient | None = None
        self._trusting: tuple[int, int] | None = None
        """Which state of the CA file the client was made of."""

    async def get(self, url: str) -> bytes:
        """The body of a 200 answer. Raises ``SourceError`` for anything else."""
        host = _checked_host(url)
        try:
            async with asyncio.timeout(self._timeout):
                return await self._get(url, host)
        except (TimeoutError, httpx2.TimeoutException):
            raise SourceError(f"{host}: no answer within {self._timeout:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
            raise SourceError(f"{host}: {type(error).__name__}") from None
        except (OSError, ssl.SSLError) as error:
            raise SourceError(f"{self._ca}: no certificates can be read: {type(error).__name__}") from None

    async def close(self) -> None:
        """Close kept connections; it may be used again afterwards."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _get(self, url: str, host: str) -> bytes:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        async with (await self._opened()).stream("GET", url, headers=headers) as response:
            if response.status_code != 200:
                raise SourceError(f"{host}: status {response.status_code}")
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                raise SourceError(f"{host}: the answer is compressed though that was declined")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_DOCUMENT:
                    raise SourceError(f"{host}: the answer is larger than {MAX_DOCUMENT} bytes")
            return bytes(body)

    async def _opened(self) -> httpx2.AsyncClient:
        state = self._ca.stat() if self._ca is not None else None
        trusting = (state.st_mtime_ns, state.st_size) if state is not None else None
        if self._client is None or trusting != self._trusting:
            await self.close()
            self._trusting = trusting
            self._client = httpx2.AsyncClient(
                verify=ssl.create_default_context(cafile=self._ca),
                follow_redirects=False,
                trust_env=False,
                timeout=self._timeout,
                limits=httpx2.Limits(max_connections=10, max_keepalive_connections=0),
            )
        return self._client


class FileSource:
    """A JWKS file, looked at so often that a key taken out of it is out within seconds."""

    interval = 2.0

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self) -> bytes:
        """The file's bytes: few, and local, so they are read in place."""
        try:
            with self._path.open("rb") as file:
                document = file.read(MAX_DOCUMENT + 1)
        except OSError as error:
            raise SourceError(f"{self._path}: {error.strerror}") from None
        if len(document) > MAX_DOCUMENT:
            raise SourceError(f"{self._path}: larger than {MAX_DOCUMENT} bytes")
        return document


class UrlSource:
    """A JWKS document at a fixed address."""

    interval = 300.0

    def __init__(self, url: str, fetcher: Fetcher) -> None:
        self._url = url
        self._fetcher = fetcher

    async def fetch(self) -> bytes:
        """The document."""
        return await self._fetcher.get(self._url)


class DiscoverySource:
    """The JWKS document that an issuer's own metadata names (OpenID Connect Discovery 1.0, section 4)."""

    interval = 300.0

    def __init__(self, issuer: str, fetcher: Fetcher) -> None:
        self._issuer = issuer
        self._fetcher = fetcher

    async def fetch(self) -> bytes:
        """The document; metadata that speaks for another issuer is refused."""
        metadata = self._read(await self._fetcher.get(self._issuer.rstrip("/") + _DISCOVERY))
        host = urlsplit(self._issuer).hostname
        if metadata.get("issuer") != self._issuer:
            raise SourceError(f"{host}: its metadata is that of another issuer")
        address = metadata.get("jwks_uri")
        if not isinstance(address, str):
            raise SourceError(f"{host}: its metadata has no jwks_uri")
        if urlsplit(address).scheme == "http" and urlsplit(address).hostname != host:
            raise SourceError(f"{host}: its jwks_uri is not https")
        return await self._fetcher.get(address)

    def _read(self, document: bytes) -> dict[str, Any]:
        try:
            metadata = strict_json(document.decode("utf-8"))
        except (ValueError, RecursionError):
            metadata = None
        if not isinstance(metadata, dict):
            raise SourceError(f"{urlsplit(self._issuer).hostname}: its metadata is not a JSON object")
        return metadata


def _checked_host(url: str) -> str:
    """The host of ``url``. Raises ``SourceError`` unless it is HTTPS, or HTTP to this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        local = is_loopback(host)
    except ValueError:
        raise SourceError("not a URL") from None
    if not host or parts.username is not None or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        raise SourceError(f"{host}: only https addresses without userinfo are fetched")
    return host
