"""A webhook, by Standard Webhooks 1.0: https://www.standardwebhooks.com

2xx: received. 410: the receiver wants no more, which lasts until the gateway starts again. Everything else is tried
again. No redirect is followed, no proxy of the environment used (it could be this gateway), and of the answer only the
status is looked at.
"""

import asyncio
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

import certifi
import httpx2

from gatehold.approvals.model import Approval
from gatehold.channels import signing
from gatehold.channels.dialling import dialable
from gatehold.channels.documents import document
from gatehold.channels.model import Delivery, Undelivered
from gatehold.config.channels import WebhookSpec
from gatehold.config.values import CredentialUnavailable

TIMEOUT: Final = 15.0
"""Seconds for one attempt; the specification recommends 15 to 30."""
LONGEST_WAIT: Final = 3600.0

_GONE: Final = 410
_BUSY: Final = (429, 503)


class Webhook:
    """One address that is told. ``page``: the console's page of an approval."""

    def __init__(
        self, name: str, spec: WebhookSpec, page: Callable[[str], str], clock: Callable[[], float] = time.time
    ) -> None:
        self.name = name
        self._spec = spec
        self._page = page
        self._clock = clock
        self._gone = False
        self._trust: ssl.SSLContext | None = None

    def __repr__(self) -> str:
        return f"<Webhook {self.name} to {self._spec.host}>"

    async def start(self) -> None:
        """Nothing comes back from a webhook."""

    async def close(self) -> None:
        """Connections are not kept."""

    async def tell(self, delivery: Delivery, approval: Approval) -> str | None:
        """One attempt. Raises Undelivered."""
        if self._gone:
            raise Undelivered("its receiver wants no more (410)", final=True)
        body = document(delivery, approval, url=self._page(approval.id))
        try:
            keys = signing.keys((await asyncio.to_thread(self._spec.secret.resolve)).reveal())
        except (CredentialUnavailable, ValueError) as error:
            raise Undelivered(str(error)) from None
        headers = signing.headers(delivery.id, body, keys, now=self._clock())
        try:
            async with asyncio.timeout(TIMEOUT):
                status, wait = await self._post(body, headers)
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError) as error:
            raise Undelivered(f"{self._spec.host}: {type(error).__name__}") from None
        self._judge(status, wait)
        return None

    def _judge(self, status: int, wait: float) -> None:
        if 200 <= status < 300:
            return
        if status == _GONE:
            self._gone = True
            raise Undelivered("its receiver wants no more (410)", final=True)
        raise Undelivered(f"{self._spec.host} answers {status}", retry_after=wait if status in _BUSY else 0.0)

    async def _post(self, body: bytes, headers: Sequence[tuple[str, str]]) -> tuple[int, float]:
        """The status, and how many seconds are asked for."""
        parts = urlsplit(self._spec.url)
        host = parts.hostname or ""
        more = [("Host", parts.netloc), ("Content-Type", "application/json"), ("User-Agent", "gatehold")]
        unreached: httpx2.HTTPError | None = None
        async with httpx2.AsyncClient(
            verify=await self._trusted(), trust_env=False, follow_redirects=False, timeout=TIMEOUT
        ) as client:
            for address in await dialable(parts, allow_private=self._spec.allow_private):
                literal = f"[{address}]" if ":" in address else address
                url = parts._replace(netloc=f"{literal}:{parts.port}" if parts.port else literal).geturl()
                extensions = {"sni_hostname": host}
                try:
                    async with client.stream(
                        "POST", url, content=body, headers=[*more, *headers], extensions=extensions
                    ) as answer:
                        return answer.status_code, _seconds(answer.headers.get("retry-after", ""))
                except httpx2.ConnectError as error:
                    unreached = error
        raise unreached or httpx2.ConnectError("nowhere to go")

    async def _trusted(self) -> ssl.SSLContext:
        if self._trust is None:
            paths = ssl.get_default_verify_paths()
            fallback = None if paths.cafile or paths.capath else certifi.where()
            self._trust = await asyncio.to_thread(ssl.create_default_context, cafile=self._spec.ca or fallback)
        return self._trust


def _seconds(text: str) -> float:
    """``Retry-After`` in seconds; its other form, a date, counts as nothing."""
    return min(float(text), LONGEST_WAIT) if text.isascii() and text.isdecimal() and len(text) < 8 else 0.0
