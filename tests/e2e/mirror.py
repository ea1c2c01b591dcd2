"""An upstream that shows what it was given, in every way that upstreams do by accident."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

from cryptography import x509
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gatehold.demo.peers import client_certificate
from gatehold.demo.received import Log


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One request as it arrived."""

    target: str = field(repr=False)
    """Path and query, as sent."""
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    user: str
    """Common name of the client certificate; empty where there is none."""
    connection: int
    """The client's port: one for each connection."""

    def header(self, name: str) -> list[str]:
        """All values of a header."""
        return [value for key, value in self.headers if key == name.lower()]

    @property
    def everything(self) -> str:
        """Target and headers in one text."""
        return self.target + json.dumps(self.headers)


class Mirror:
    """The state behind the upstream."""

    def __init__(self) -> None:
        self.seen: Log[Seen] = Log()
        self.says = ""
        """The answer of ``/says``."""

    def app(self) -> Starlette:
        """The ASGI application."""
        return Starlette(routes=[
            Route("/echo", self.echo, methods=["GET", "POST"]), Route("/text", self.text), Route("/stream", self.stream),
            Route("/redirect", self.redirect), Route("/says", self.say), Route("/{rest:path}", self.plain, methods=["GET", "POST", "PUT"]),
        ])  # fmt: skip

    def note(self, request: Request) -> Seen:
        """What arrived."""
        query = request.scope["query_string"].decode("latin-1")
        target = request.scope["raw_path"].decode("latin-1") + (f"?{query}" if query else "")
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in request.scope["headers"])
        pem = client_certificate(request.scope)
        user = _common_name(pem) if pem else ""
        seen = Seen(target=target, headers=headers, user=user, connection=request.scope["client"][1])
        self.seen.append(seen)
        return seen

    async def plain(self, request: Request) -> Response:
        """An answer without any of it."""
        self.note(request)
        return PlainTextResponse("fine")

    async def echo(self, request: Request) -> Response:
        """All of it, in the body and in headers, in many spellings."""
        seen = self.note(request)
        values = [seen.target, *(value for _, value in seen.headers), *_parts(seen)]
        body = {
            "target": seen.target,
            "headers": seen.headers,
            "values": values,
            "base64": [base64.b64encode(each.encode()).decode() for each in values],
            "url": [quote(each, safe="") for each in values],
            "hex": [each.encode().hex() for each in values],
            "reversed": [each[::-1] for each in values],
            "json": [json.dumps(each) for each in values],
        }
        headers = {"X-Echo": " ".join(values), "X-Base64": base64.b64encode(seen.everything.encode()).decode(),
                   "Location": f"/echo?from={quote(seen.target)}", "Link": f"<{seen.target}>; rel=self",
                   "Set-Cookie": f"session={seen.everything[:40].encode().hex()}"}  # fmt: skip
        return JSONResponse(body, headers=headers)

    async def text(self, request: Request) -> Response:
        """The same as plain text, compressed or not."""
        return PlainTextResponse(self.note(request).everything)

    async def stream(self, request: Request) -> Response:
        """The same as events, a few bytes at a time."""
        text = f"data: {self.note(request).everything}\n\n"

        async def pieces() -> AsyncIterator[str]:
            for at in range(0, len(text), 7):
                yield text[at : at + 7]

        return StreamingResponse(pieces(), media_type="text/event-stream")

    async def say(self, _: Request) -> Response:
        """What it was told to say."""
        return PlainTextResponse(self.says)

    async def redirect(self, request: Request) -> Response:
        """To wherever ``to`` says, with the whole query behind it."""
        seen = self.note(request)
        to = request.query_params["to"]
        return Response(status_code=307, headers={"Location": f"{to}&{seen.target.partition('?')[2]}"})


def _common_name(pem: str) -> str:
    names = x509.load_pem_x509_certificate(pem.encode()).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value)


def _parts(seen: Seen) -> list[str]:
    """Values of the query and of cookies alone, decoded."""
    cookies = [piece.partition("=")[2] for value in seen.header("cookie") for piece in value.split("; ")]
    basic = [value.partition(" ")[2] for value in seen.header("authorization") if value.startswith("Basic ")]
    decoded = [base64.b64decode(each).decode() for each in basic]
    return [value for _, value in parse_qsl(seen.target.partition("?")[2])] + cookies + decoded
