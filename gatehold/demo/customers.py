"""A small REST API with customers: the http upstream of the demo.

====== =================== =================================================================
GET    /customers          all customers, names, e-mails, phones, cards, IBANs, SSNs
GET    /customers/{id}     one of them, 404 if unknown
POST   /customers          201, echoes the record with a new id
DELETE /customers/{id}     204; the record is gone until the next start
GET    /orders             orders, with personal data in running text
GET    /report.csv         the customers as CSV
GET    /avatar.png         a binary answer
GET    /events             text/event-stream without end, every event about a customer
GET    /echo               the request's method, path and headers as JSON: what credential arrived
GET    /slow               answers after a moment
====== =================== =================================================================

Every path demands `Authorization: Bearer <credential>`, else 401. Bodies above 1 KiB are gzipped when asked for.
"""

import asyncio
import csv
import hmac
import io
import itertools
import json
import struct
import zlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gatehold.demo import records
from gatehold.demo.received import RequestLog, record_of, replayed

COMPRESSED_ABOVE = 1024
"""Bytes."""


@dataclass(slots=True, kw_only=True)
class CustomersApi:
    """The state behind the API; `credential` is what callers must present."""

    credential: str = field(repr=False)
    event_interval: float = 1.0
    """Seconds between two events of /events; the first comes at once."""
    delay: float = 1.0
    """Seconds that /slow takes."""
    received: RequestLog = field(default_factory=RequestLog)
    customers: dict[int, dict[str, Any]] = field(
        default_factory=lambda: {customer["id"]: customer for customer in records.customers()}, repr=False
    )

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/customers", self.list_customers, methods=["GET"]),
            Route("/customers", self.create_customer, methods=["POST"]),
            Route("/customers/{id:int}", self.get_customer, methods=["GET"]),
            Route("/customers/{id:int}", self.delete_customer, methods=["DELETE"]),
            Route("/orders", self.list_orders),
            Route("/report.csv", self.report),
            Route("/avatar.png", self.avatar),
            Route("/events", self.events),
            Route("/echo", self.echo, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
            Route("/slow", self.slow),
        ]
        layers = [
            Middleware(_Reception, api=self),
            Middleware(GZipMiddleware, minimum_size=COMPRESSED_ABOVE),
        ]
        return Starlette(routes=routes, middleware=layers)

    async def list_customers(self, _: Request) -> Response:
        return JSONResponse(list(self.customers.values()))

    async def get_customer(self, request: Request) -> Response:
        customer = self.customers.get(request.path_params["id"])
        return JSONResponse(customer) if customer else _error(404, "no such customer")

    async def create_customer(self, request: Request) -> Response:
        try:
            record = json.loads(await request.body())
        except ValueError:
            record = None
        if not isinstance(record, dict):
            return _error(400, "a JSON object is expected")
        number = max(self.customers, default=0) + 1
        self.customers[number] = {**record, "id": number}
        return JSONResponse(self.customers[number], 201, {"Location": f"/customers/{number}"})

    async def delete_customer(self, request: Request) -> Response:
        gone = self.customers.pop(request.path_params["id"], None)
        return Response(status_code=204) if gone else _error(404, "no such customer")

    async def list_orders(self, _: Request) -> Response:
        return JSONResponse(records.orders())

    async def report(self, _: Request) -> Response:
        table = io.StringIO()
        rows = records.customers()
        writer = csv.DictWriter(table, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        return Response(table.getvalue(), media_type="text/csv")

    async def avatar(self, _: Request) -> Response:
        return Response(_png(), media_type="image/png")

    async def events(self, _: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _events(self) -> AsyncIterator[str]:
        for number, customer in enumerate(itertools.cycle(records.customers()), start=1):
            data = {key: customer[key] for key in ("id", "name", "email", "phone", "card")}
            yield f"id: {number}\nevent: signed-in\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"
            await asyncio.sleep(self.event_interval)

    async def echo(self, request: Request) -> Response:
        headers = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.headers.raw]
        body = (await request.body()).decode("utf-8", "replace")
        return JSONResponse({"method": request.method, "path": request.url.path, "headers": headers, "body": body})

    async def slow(self, _: Request) -> Response:
        await asyncio.sleep(self.delay)
        return JSONResponse({"slept": self.delay})


class _Reception:
    """Keeps every request in the log and turns away those without the credential."""

    def __init__(self, app: ASGIApp, api: CustomersApi) -> None:
        self._app = app
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        body = await request.body()
        self._api.received.append(record_of(scope, body))
        presented = request.headers.get("authorization", "")
        if not hmac.compare_digest(presented.encode(), f"Bearer {self._api.credential}".encode()):
            answer = _error(401, "unauthorized", {"WWW-Authenticate": 'Bearer realm="customers"'})
            await answer(scope, receive, send)
            return
        await self._app(scope, replayed(body, receive), send)


def _error(status: int, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)


def _png() -> bytes:
    """A 16 x 16 grey picture."""
    header = struct.pack(">IIBBBBB", 16, 16, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\x00" + bytes((row * 16 + at) % 256 for at in range(16)) for row in range(16)))
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
