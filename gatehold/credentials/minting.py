"""Short-lived tokens that a cluster makes for a ServiceAccount (``authentication.k8s.io/v1``, TokenRequest).

The request goes to the target itself, by the gateway's own pod's token, and nowhere else: the address that is dialled,
the name that is verified and the CA that is trusted are the target's.
"""

import asyncio
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx2

from gatehold.config.credentials import ServiceAccountSpec
from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.injection import Bound, Injection, bearer_header
from gatehold.credentials.moments import unix_time
from gatehold.credentials.sources import CredentialDelayed, Source

TIMEOUT = 10.0
MAX_ANSWER = 256 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """How the gateway itself speaks with a target."""

    scheme: str
    host: str
    """``host:port`` as it stands in the Host header."""
    connect: str | None = None
    """``host:port`` that is dialled instead."""
    ca: Path | None = None

    @property
    def origin(self) -> str:
        """Scheme and address that are dialled."""
        return f"{self.scheme}://{self.connect or self.host}"

    @property
    def server_name(self) -> str:
        """The name that the server's certificate must be for."""
        return self.host.rpartition(":")[0].strip("[]")


class ServiceAccountSource:
    """Tokens for one ServiceAccount of the target's cluster."""

    def __init__(self, spec: ServiceAccountSpec, own: Source, endpoint: Endpoint, bound: Bound) -> None:
        self._own = own
        self._endpoint = endpoint
        self._bound = bound
        self._account = f"service account {spec.namespace}/{spec.name}"
        namespace, name = quote(spec.namespace, safe=""), quote(spec.name, safe="")
        self._address = f"{endpoint.origin}/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
        self._request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": int(spec.ttl)},
        }

    async def obtain(self) -> Injection:
        """Ask for a new token. Raises ``CredentialUnavailable``."""
        own = await self._own.obtain()
        try:
            async with asyncio.timeout(TIMEOUT):
                status = json.loads(await self._ask(own))["status"]
            token, expires_at = Secret(str(status["token"])), unix_time(status["expirationTimestamp"])
        except (TimeoutError, httpx2.HTTPError, OSError) as error:
            raise CredentialDelayed(f"{self._account}: no token: {type(error).__name__}") from None
        except (ValueError, KeyError, TypeError, RecursionError):
            raise CredentialDelayed(f"{self._account}: the cluster's answer is not a TokenRequest") from None
        return Injection(bound=self._bound, headers=(bearer_header(token),), secrets=(token,), expires_at=expires_at)

    def changed(self) -> bool:
        """A token that was made stays good until it ends, whatever becomes of the one that asked for it."""
        return False

    async def _ask(self, own: Injection) -> bytes:
        headers = {"Host": self._endpoint.host, "Accept": "application/json", "Accept-Encoding": "identity"}
        headers |= {name: value.reveal() for name, value in own.headers}
        server = {"sni_hostname": self._endpoint.server_name}
        body = bytearray()
        async with (
            httpx2.AsyncClient(verify=self._trust(), trust_env=False, timeout=TIMEOUT) as client,
            client.stream("POST", self._address, json=self._request, headers=headers, extensions=server) as response,
        ):
            if response.status_code not in {200, 201}:
                raise CredentialDelayed(f"{self._account}: the cluster answers {response.status_code}")
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise ValueError("larger than any TokenRequest")
        return bytes(body)

    def _trust(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self._endpoint.ca)
        except OSError:
            raise CredentialUnavailable(f"{self._account}: {self._endpoint.ca} holds no certificates") from None
