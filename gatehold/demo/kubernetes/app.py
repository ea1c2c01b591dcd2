"""The ASGI application: who may come in, what a path is for, how failures are answered."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from gatehold.demo.kubernetes import (
    audit,
    deletes,
    documents,
    listing,
    logs,
    patching,
    proxies,
    reads,
    remote,
    reviews,
    statuses,
    watches,
    writes,
)
from gatehold.demo.kubernetes.answers import Answer, write
from gatehold.demo.kubernetes.audit import Attributes, AuditEvent
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.controllers import Controllers
from gatehold.demo.kubernetes.identities import Identity, Known, Shown, caller_of, identity_of
from gatehold.demo.kubernetes.requests import Call, Query, Target, parse_target
from gatehold.demo.kubernetes.statuses import ApiError
from gatehold.demo.peers import client_certificate
from gatehold.demo.received import Received, record_of, replayed

MAX_BODY = 3 * 1024 * 1024
"""Bytes, as the real server's limit."""
HEALTH = frozenset({"/healthz", "/livez", "/readyz"})

type Handler = Callable[[Cluster, Call], Answer]


def kubernetes_app(cluster: Cluster) -> Starlette:
    """The application that serves a cluster."""
    controllers = Controllers(cluster)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        controllers.start(asyncio.get_running_loop())
        yield
        controllers.stop()

    return Starlette(routes=[Mount("/", app=ApiServer(cluster))], lifespan=lifespan)


class ApiServer:
    """Takes requests one by one."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._stream(WebSocket(scope, receive, send))
            return
        try:
            response, body = await self._respond(Request(scope, receive))
        except ClientDisconnect:
            return
        response.headers.setdefault("Cache-Control", "no-cache, private")
        await response(scope, replayed(body, receive), send)

    async def _respond(self, request: Request) -> tuple[Response, bytes]:
        visit, body = _Visit(cluster=self._cluster, connection=request), b""
        try:
            body = await _read(request)
            visit.note(body)
            response = self._answer(request, visit, body)
        except ApiError as error:
            response = write(Answer(body=error.status(), code=error.code), compressible=False)
        response.headers["Audit-Id"] = visit.audit_id
        visit.audit(response.status_code)
        return response, body

    async def _stream(self, websocket: WebSocket) -> None:
        """Serve an upgrade to WebSocket, or answer why not."""
        visit = _Visit(cluster=self._cluster, connection=websocket)
        visit.note(b"")
        query = Query(websocket.scope["query_string"].decode("latin-1"))
        try:
            target = parse_target(websocket.scope["path"])
            visit.enter(target, "GET", query)
            if target is None or target.subresource not in remote.STREAMS:
                raise statuses.no_such_resource()
            protocol = remote.agreed_protocol(self._cluster, target, query, websocket.scope["subprotocols"])
        except ApiError as error:
            visit.audit(error.code)
            answer = write(Answer(body=error.status(), code=error.code), compressible=False)
            answer.headers["Audit-Id"] = visit.audit_id
            await websocket.send_denial_response(answer)
            return
        visit.audit(101)
        await remote.run_session(self._cluster, websocket, target, query, protocol)

    def _answer(self, request: Request, visit: "_Visit", body: bytes) -> Response:
        path = request.scope["path"]
        if path in HEALTH:
            return PlainTextResponse("ok")
        query = Query(request.scope["query_string"].decode("latin-1"))
        target = parse_target(path)
        identity = visit.enter(target, request.method, query)
        if target is None:
            return documents.respond(request)
        call = Call(
            method="GET" if request.method == "HEAD" else request.method,
            target=target,
            query=query,
            headers=dict(reversed(request.headers.items())),
            body=body,
            identity=identity,
        )
        compressible = request.method == "GET" and "gzip" in request.headers.get("accept-encoding", "")
        return dispatch(self._cluster, call, compressible=compressible)


class _Visit:
    """One request on its way: noted, let in, audited."""

    def __init__(self, *, cluster: Cluster, connection: HTTPConnection) -> None:
        self._cluster, self._connection = cluster, connection
        self._received: Received | None = None
        self._identity: Identity | None = None
        self._attributes: Attributes | None = None
        self.audit_id = connection.headers.get("audit-id") or str(uuid.uuid4())

    def note(self, body: bytes) -> None:
        self._received = record_of(self._connection.scope, body)
        self._cluster.received.append(self._received)

    def enter(self, target: Target | None, method: str, query: Query) -> Identity:
        """Authenticate and authorize; raises ApiError (401, 403)."""
        headers = self._connection.headers
        cluster = self._cluster
        shown = Shown(
            certificate=client_certificate(self._connection.scope), authorization=headers.get("authorization", "")
        )
        known = Known(owner=cluster.token, minted=frozenset(cluster.minted), others=dict(cluster.tokens))
        self._identity = identity_of(caller_of(shown, known, cluster.store.clock()), headers.items())
        if target is not None:
            self._attributes = audit.attributes_of(self._identity, method, target, query)
            if self._cluster.authorized is not None and not self._cluster.authorized(self._attributes):
                raise audit.forbidden(self._attributes)
        return self._identity

    def audit(self, code: int) -> None:
        """Note how it was answered."""
        received = self._received or record_of(self._connection.scope, b"")
        event = AuditEvent(
            audit_id=self.audit_id,
            method=received.method,
            uri=received.path,
            code=code,
            identity=self._identity,
            attributes=self._attributes,
            headers=tuple((name, value) for name, value in received.headers if name != "authorization"),
        )
        self._cluster.audit.append(event)


def dispatch(cluster: Cluster, call: Call, *, compressible: bool) -> Response:
    """Answer a call for a resource; raises ApiError."""
    target = call.target
    if target.subresource and target.subresource not in target.resource.subresources:
        raise statuses.no_such_resource()
    if target.subresource == "proxy":
        return proxies.respond(cluster, call)
    if call.method == "GET" and target.subresource == "log":
        return StreamingResponse(logs.open_log(cluster, call), media_type="text/plain")
    if _is_watch(call):
        return StreamingResponse(watches.open_watch(cluster, call), media_type="application/json")
    return write(_handler(call)(cluster, call), compressible=compressible)


def _is_watch(call: Call) -> bool:
    if call.method != "GET" or "watch" not in call.target.resource.verbs or call.target.subresource:
        return False
    return call.target.watched or (not call.target.name and call.query.flag("watch"))


def _handler(call: Call) -> Handler:
    """The function for a method on a path; raises ApiError (405)."""
    target, shape = call.target, "one" if call.target.name else "many"
    special = SPECIAL.get((call.method, target.subresource or target.resource.plural))
    if special and (target.subresource or shape == "many"):
        return special
    handler, verb = HANDLERS.get((call.method, shape), (None, ""))
    verbs = target.described.verbs if target.subresource else target.resource.verbs
    creatable = verb != "create" or bool(target.namespace) is target.resource.namespaced
    named = target.namespace or not target.resource.namespaced or verb == "list"
    if handler is None or verb not in verbs or not creatable or not named or target.watched:
        raise statuses.method_not_allowed()
    return handler


HANDLERS: dict[tuple[str, str], tuple[Handler, str]] = {
    ("GET", "one"): (reads.get, "get"),
    ("GET", "many"): (listing.list_items, "list"),
    ("POST", "many"): (writes.create, "create"),
    ("PUT", "one"): (writes.update, "update"),
    ("PATCH", "one"): (patching.patch, "patch"),
    ("DELETE", "one"): (deletes.delete, "delete"),
    ("DELETE", "many"): (deletes.delete_collection, "deletecollection"),
}


def _upgrade_required(_: Cluster, __: Call) -> Answer:
    raise statuses.bad_request("Upgrade request required")


SPECIAL: dict[tuple[str, str], Handler] = {
    ("POST", "eviction"): deletes.evict,
    ("POST", "token"): reviews.mint_token,
    ("POST", "selfsubjectaccessreviews"): reviews.review,
    ("POST", "selfsubjectrulesreviews"): reviews.review,
    ("POST", "selfsubjectreviews"): reviews.review,
    **{(method, name): _upgrade_required for method in ("GET", "POST") for name in remote.STREAMS},
}


async def _read(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise statuses.too_large(MAX_BODY)
    return body
