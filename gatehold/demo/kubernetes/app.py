"""The ASGI application: who may come in, what a path is for, how failures are answered."""

import asyncio
import hmac
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
    deletes,
    documents,
    logs,
    patching,
    reads,
    remote,
    reviews,
    statuses,
    watches,
    writes,
)
from gatehold.demo.kubernetes.answers import Answer, write
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.controllers import Controllers
from gatehold.demo.kubernetes.requests import Call, Query, parse_target
from gatehold.demo.kubernetes.statuses import ApiError
from gatehold.demo.received import record_of, replayed

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
        audit_id = request.headers.get("audit-id") or str(uuid.uuid4())
        body = b""
        try:
            body = await _read(request)
            self._cluster.received.append(record_of(request.scope, body))
            response = self._answer(request, body)
        except ApiError as error:
            response = write(Answer(body=error.status(), code=error.code), compressible=False)
        response.headers["Audit-Id"] = audit_id
        return response, body

    async def _stream(self, websocket: WebSocket) -> None:
        """Serve an upgrade to WebSocket, or answer why not."""
        self._cluster.received.append(record_of(websocket.scope, b""))
        query = Query(websocket.scope["query_string"].decode("latin-1"))
        try:
            self._authenticate(websocket)
            target = parse_target(websocket.scope["path"])
            if target is None or target.subresource not in remote.STREAMS:
                raise statuses.no_such_resource()
            protocol = remote.agreed_protocol(self._cluster, target, query, websocket.scope["subprotocols"])
        except ApiError as error:
            answer = write(Answer(body=error.status(), code=error.code), compressible=False)
            await websocket.send_denial_response(answer)
            return
        await remote.run_session(self._cluster, websocket, target, query, protocol)

    def _answer(self, request: Request, body: bytes) -> Response:
        path = request.scope["path"]
        if path in HEALTH:
            return PlainTextResponse("ok")
        self._authenticate(request)
        target = parse_target(path)
        if target is None:
            return documents.respond(request)
        call = Call(
            method="GET" if request.method == "HEAD" else request.method,
            target=target,
            query=Query(request.scope["query_string"].decode("latin-1")),
            headers=dict(reversed(request.headers.items())),
            body=body,
        )
        compressible = request.method == "GET" and "gzip" in request.headers.get("accept-encoding", "")
        return dispatch(self._cluster, call, compressible=compressible)

    def _authenticate(self, request: HTTPConnection) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        known = (self._cluster.token, *self._cluster.minted)
        if scheme.lower() != "bearer" or not any(hmac.compare_digest(token.encode(), it.encode()) for it in known):
            raise statuses.unauthorized()


def dispatch(cluster: Cluster, call: Call, *, compressible: bool) -> Response:
    """Answer a call for a resource; raises ApiError."""
    target = call.target
    if target.subresource and target.subresource not in target.resource.subresources:
        raise statuses.no_such_resource()
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
    ("GET", "many"): (reads.list_items, "list"),
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
    ("GET", "attach"): _upgrade_required,
    ("GET", "exec"): _upgrade_required,
    ("POST", "attach"): _upgrade_required,
    ("POST", "exec"): _upgrade_required,
}


async def _read(request: Request) -> bytes:
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise statuses.too_large(MAX_BODY)
    return body
