"""The gateway's own calls to a Kubernetes API server, made the narrow way.

The address is resolved and judged as for every other call, the certificate verified by the target's CA, and the
credential is the target's, bound to its hosts. No redirect is followed, no proxy of the environment used, no encoding
accepted, and an answer that is not one plain JSON object of a bounded size is no answer.

Connections are kept per target and client certificate: what binds an identity to a connection is the certificate alone,
headers are set anew on every call.
"""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Collection, Mapping
from pathlib import Path

import certifi
import httpx2

from gatehold.config import Target
from gatehold.credentials.broker import CredentialBroker
from gatehold.credentials.impersonation import impersonation
from gatehold.credentials.injection import Injection
from gatehold.dialling import dialable
from gatehold.lookups.requests import KubernetesObject, LookupFailed, OwnCall, OwnRequest, Place
from gatehold.registry import DEFAULT_PORTS
from policy.actions.jsontext import read_json
from policy.actions.readings import Unreadable
from policy.errors import Refusal

TIMEOUT = 5.0
"""Seconds that one call's look-ups may take together."""
_KEPT = 8
"""Idle connections to one target."""

_JSON = "application/json"
_FAULTS = (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError, Refusal)

type _Key = tuple[str, Path | None]


class OwnCalls:
    """Makes own calls. Bound to the event loop that first uses it."""

    def __init__(self, broker: CredentialBroker, own_ports: Collection[int], *, max_answer: int) -> None:
        """``own_ports``: of the gateway's listeners, which are never dialled; ``max_answer``: bytes of an answer."""
        self._broker = broker
        self._own_ports = own_ports
        self._max_answer = max_answer
        self._clients: dict[_Key, httpx2.AsyncClient] = {}
        self._targets: Mapping[str, Target] | None = None

    async def use(self, broker: CredentialBroker, targets: Mapping[str, Target]) -> None:
        """Ask these targets with these credentials from now on, over new connections where a target is another one."""
        before, self._broker, self._targets = self._targets or {}, broker, targets
        changed = [key for key in self._clients if before.get(key[0]) != targets.get(key[0])]
        for client in [self._clients.pop(key) for key in changed]:
            with contextlib.suppress(httpx2.HTTPError, OSError):  # it is used no more
                await client.aclose()

    def __repr__(self) -> str:
        return f"<OwnCalls to {len(self._clients)} targets>"

    async def make(self, place: Place, request: OwnRequest, deadline: float) -> tuple[OwnCall, KubernetesObject | None]:
        """Make one call until ``deadline`` (of the loop's clock): how it went, and the object, if there is one."""
        started, clock = time.time(), time.perf_counter()
        status, problem, found = 0, "", None
        try:
            async with asyncio.timeout_at(deadline):
                status, body = await self._send(place, request, _JSON)
            found = _object(body, status)
        except LookupFailed as failure:
            status, problem = failure.status, failure.reason
        except _FAULTS as error:
            problem = _told(error)
        seconds = time.perf_counter() - clock
        return OwnCall(request=request, started=started, seconds=seconds, status=status, problem=problem), found

    async def document(self, place: Place, request: OwnRequest, deadline: float, *, media: str) -> bytes:
        """Make one call until ``deadline``: the body of the answer, which is of that type. Raises LookupFailed."""
        try:
            async with asyncio.timeout_at(deadline):
                _, body = await self._send(place, request, media)
        except _FAULTS as error:
            raise LookupFailed(_told(error)) from None
        return body

    async def close(self) -> None:
        """Close kept connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()

    async def _send(self, place: Place, request: OwnRequest, media: str) -> tuple[int, bytes]:
        target = place.target
        asker = place.asker
        if self._targets is not None and self._targets.get(target.name) != target:
            raise LookupFailed("the target is another one by now")
        injection = self._broker.get_cached(target.name, asker) or await self._broker.get(target.name, asker)
        if not injection.may_go_to(target.spec.scheme, place.host, place.port):
            raise LookupFailed("the credential is not for this host")
        if injection.query or injection.cookies or injection.signer:
            raise LookupFailed("the credential's form is not one for the gateway's own calls")
        headers = [("Accept", media), *_headers(place, request, injection)]
        client = await self._client(target, injection.client_certificate)
        for address, port in await dialable(target, place.host, place.port, self._own_ports):
            origin = f"{target.spec.scheme}://{_literal(address)}:{port}/"
            try:
                return await self._exchange(client, origin, place.host, request, headers, media=media)
            except httpx2.ConnectError:
                continue
        raise LookupFailed("the target cannot be reached")

    async def _exchange(  # noqa: PLR0913 - all that makes a call
        self,
        client: httpx2.AsyncClient,
        origin: str,
        name: str,
        request: OwnRequest,
        headers: list[tuple[str, str]],
        *,
        media: str,
    ) -> tuple[int, bytes]:
        # The path goes out as it is: a second opinion on its encoding would make another request of it.
        options = {"target": request.path.encode("ascii"), "sni_hostname": name}
        content = request.body or None
        async with client.stream(
            request.method, origin, headers=headers, content=content, extensions=options
        ) as answer:
            status = int(answer.status_code)
            if not 200 <= status < 300:
                raise LookupFailed(f"the cluster answers {status}", status)
            return status, await self._body(answer, media)

    async def _body(self, answer: httpx2.Response, media: str) -> bytes:
        given = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        encoding = answer.headers.get("content-encoding", "identity").lower()
        if given != media or encoding != "identity":
            raise LookupFailed("the answer is not plain JSON", answer.status_code)
        body = bytearray()
        async for chunk in answer.aiter_raw():
            body += chunk
            if len(body) > self._max_answer:
                raise LookupFailed(f"the answer is larger than {self._max_answer} bytes", answer.status_code)
        return bytes(body)

    async def _client(self, target: Target, certificate: Path | None) -> httpx2.AsyncClient:
        known = self._clients.get((target.name, certificate))
        if known is not None:
            return known
        made = _open(target, certificate)
        outdated = [key for key in self._clients if key[0] == target.name]
        old = [self._clients.pop(key) for key in outdated]
        self._clients[target.name, certificate] = made
        for client in old:
            await client.aclose()
        return made


def _open(target: Target, certificate: Path | None) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(
        verify=_context(target, certificate),
        follow_redirects=False,
        trust_env=False,
        timeout=TIMEOUT,
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=_KEPT, keepalive_expiry=30.0),
    )


def _context(target: Target, certificate: Path | None) -> ssl.SSLContext:
    trust = target.spec.tls.ca if target.spec.tls else None
    paths = ssl.get_default_verify_paths()
    fallback = None if paths.cafile or paths.capath else certifi.where()
    try:
        context = ssl.create_default_context(cafile=trust or fallback)
        if certificate is not None:
            context.load_cert_chain(certificate)
    except (OSError, ssl.SSLError) as error:
        raise LookupFailed(f"TLS cannot be set up: {type(error).__name__}") from None
    return context


def _headers(place: Place, request: OwnRequest, injection: Injection) -> list[tuple[str, str]]:
    scheme = place.target.spec.scheme
    host = _literal(place.host)
    headers = [
        ("Host", host if DEFAULT_PORTS.get(scheme) == place.port else f"{host}:{place.port}"),
        ("Accept-Encoding", "identity"),
        ("User-Agent", "gatehold"),
    ]
    if request.content_type:
        headers.append(("Content-Type", request.content_type))
    if request.agent is not None and place.target.spec.impersonate:
        headers += impersonation(request.agent)
    return headers + [(name, value.reveal()) for name, value in injection.headers]


def _told(error: Exception) -> str:
    """Why there is no answer; holds nothing of the call."""
    if isinstance(error, Refusal):
        return error.reason
    if isinstance(error, httpx2.HTTPError) or not isinstance(error, TimeoutError):
        return f"no answer: {type(error).__name__}"
    return "no answer in time"


def _literal(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _object(body: bytes, status: int) -> KubernetesObject:
    try:
        value = read_json(body)
    except Unreadable as unreadable:
        raise LookupFailed(f"the answer cannot be read: {unreadable.reason}", status) from None
    if not isinstance(value, dict) or value.get("kind") in (None, "Status", "Table"):
        raise LookupFailed("the answer is not an object", status)
    return value
