"""The way to the gateway: TCP, or verified TLS where its address begins with https."""

import asyncio
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

DIAL_SECONDS = 10.0
SHUTDOWN_SECONDS = 5.0


class Unreached(Exception):
    """There is no connection. The text names the gateway's address and what failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """The address of the gateway's forward proxy."""

    host: str
    port: int
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return f"{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"

    async def dial(self, limit: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A new connection; ``limit`` bounds what is buffered of it. Raises Unreached."""
        try:
            async with asyncio.timeout(DIAL_SECONDS):
                if self.tls is None:
                    return await asyncio.open_connection(self.host, self.port, limit=limit)
                return await asyncio.open_connection(
                    self.host, self.port, limit=limit, ssl=self.tls, ssl_shutdown_timeout=SHUTDOWN_SECONDS
                )
        except ssl.SSLCertVerificationError as error:
            raise Unreached(
                f"the certificate of the gateway at {self} is not trusted: {error.verify_message}"
            ) from None
        except ssl.SSLError as error:
            raise Unreached(f"no TLS with the gateway at {self}: {error.reason}") from None
        except TimeoutError:
            raise Unreached(f"the gateway at {self} does not answer") from None
        except OSError as error:
            raise Unreached(f"the gateway at {self} cannot be reached: {error.strerror or 'no connection'}") from None


def gateway_at(url: str, ca: Path | None) -> Gateway:
    """``http://host:port`` or ``https://host:port``; ``ca`` is trusted alone, left out: the system's store.

    Raises ValueError for anything else, OSError for a CA file that cannot be read.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("the gateway's address is written as http://host:port or https://host:port")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("the gateway's address holds no user, token, query or fragment")
    if ca is not None and parts.scheme == "http":
        raise ValueError("a CA is for a gateway whose address begins with https")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Gateway(host=parts.hostname, port=port, tls=_context(ca) if parts.scheme == "https" else None)


def _context(ca: Path | None) -> ssl.SSLContext:
    if ca is not None:
        ca.open("rb").close()  # the error that names the file
    try:
        context = ssl.create_default_context(cafile=ca)
    except ssl.SSLError:
        raise ValueError(f"{ca} holds no certificate (PEM)") from None
    context.set_alpn_protocols(["http/1.1"])
    return context
