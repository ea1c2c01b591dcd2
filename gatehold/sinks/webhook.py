"""A webhook that gets audit events: JSON Lines, signed by Standard Webhooks 1.0 (https://www.standardwebhooks.com).

2xx: received. Everything else is tried again, for as long as it takes. No redirect is followed, no proxy of the
environment used, and of the answer only the status is looked at.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import certifi
import httpx2

from gatehold.channels import signing
from gatehold.config.recordings import SinkWebhookSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.sinks.model import NotTaken
from recordings.lines import Line

TIMEOUT: Final = 30.0
LONGEST_WAIT: Final = 3600.0


class EventWebhook:
    """One address."""

    def __init__(self, spec: SinkWebhookSpec, clock: Callable[[], float] = time.time) -> None:
        self._spec = spec
        self._clock = clock
        self._host = urlsplit(spec.url).hostname or ""
        self._client: httpx2.AsyncClient | None = None

    async def put(self, lines: Sequence[Line]) -> None:
        """Post them. Raises NotTaken."""
        body = b"".join(line.raw + b"\n" for line in lines)
        headers = [
            ("Content-Type", "application/x-ndjson"),
            ("User-Agent", "gatehold"),
            *await self._signed(lines, body),
        ]
        try:
            async with asyncio.timeout(TIMEOUT):
                status, wait = await self._post(body, headers)
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            raise NotTaken(f"{self._host}: {type(error).__name__}") from None
        if not 200 <= status < 300:
            raise NotTaken(f"{self._host} answers {status}", retry_after=wait)

    async def close(self) -> None:
        """End the connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _signed(self, lines: Sequence[Line], body: bytes) -> list[tuple[str, str]]:
        """The three headers; the id is that of these lines, and the same in every attempt."""
        message = f"{lines[0].chain}-{lines[0].seq}-{lines[-1].seq}"
        if self._spec.secret is None:
            return [("webhook-id", message), ("webhook-timestamp", str(int(self._clock())))]
        try:
            keys = signing.keys((await asyncio.to_thread(self._spec.secret.resolve)).reveal())
        except (CredentialUnavailable, ValueError) as error:
            raise NotTaken(str(error)) from None
        return signing.headers(message, body, keys, now=self._clock())

    async def _post(self, body: bytes, headers: Sequence[tuple[str, str]]) -> tuple[int, float]:
        if self._client is None:
            trust = await asyncio.to_thread(self._trusted)
            self._client = httpx2.AsyncClient(verify=trust, trust_env=False, follow_redirects=False, timeout=TIMEOUT)
        async with self._client.stream("POST", self._spec.url, content=body, headers=list(headers)) as answer:
            return answer.status_code, _seconds(answer.headers.get("retry-after", ""))

    def _trusted(self) -> ssl.SSLContext:
        paths = ssl.get_default_verify_paths()
        fallback = None if paths.cafile or paths.capath else certifi.where()
        return ssl.create_default_context(cafile=self._spec.ca or fallback)


def _seconds(text: str) -> float:
    """``Retry-After`` in seconds; its other form, a date, counts as nothing."""
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdecimal() and len(text) < 8 else 0.0
