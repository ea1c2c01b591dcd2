"""Serving from a thread."""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gatehold.demo.serving import make_certificate, serve


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def endless(_: Request) -> Response:
    async def lines() -> AsyncIterator[str]:
        while True:
            yield "line\n"
            await asyncio.sleep(0.01)

    return StreamingResponse(lines())


APP = Starlette(routes=[Route("/", hello), Route("/endless", endless)])


def test_serves_on_a_free_port_and_stops() -> None:
    """The port is known inside the block; behind it nobody listens any more and no thread is left."""
    before = set(threading.enumerate())
    with serve(APP) as server:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert httpx2.get(server.url, trust_env=False).text == "hello"
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(server.url, trust_env=False)
    assert set(threading.enumerate()) <= before


def test_serves_tls_under_its_names(tmp_path: Path) -> None:
    """A client that trusts the authority reaches the server by each of the names, and by no other."""
    certificate = make_certificate(tmp_path, ("localhost", "127.0.0.1", "api.demo.test"))
    trust = ssl.create_default_context(cafile=certificate.authority)
    with serve(APP, certificate=certificate.pair) as server, httpx2.Client(verify=trust, trust_env=False) as client:
        assert client.get(server.url).text == "hello"
        named = {"sni_hostname": "api.demo.test"}
        assert client.get(server.url, extensions=named).text == "hello"
    with serve(APP, certificate=certificate.pair) as server, httpx2.Client(verify=trust, trust_env=False) as client:
        foreign = {"sni_hostname": "elsewhere.test"}
        with pytest.raises(httpx2.ConnectError):
            client.get(server.url, extensions=foreign)


def test_stops_while_a_stream_is_open() -> None:
    """An endless answer does not keep the server from stopping; its client sees the connection end."""
    with contextlib.ExitStack() as stack:
        client = stack.enter_context(httpx2.Client(trust_env=False))
        with serve(APP) as server:
            response = stack.enter_context(client.stream("GET", f"{server.url}/endless"))
            chunks = response.iter_bytes()
            assert next(chunks).startswith(b"line")
        with contextlib.suppress(httpx2.TransportError):
            for _ in chunks:
                pass


async def test_serves_inside_a_running_loop() -> None:
    """A caller with a loop of its own is not disturbed."""
    with serve(APP) as server:
        async with httpx2.AsyncClient(trust_env=False) as client:
            answers = await asyncio.gather(*(client.get(server.url) for _ in range(5)))
    assert [answer.text for answer in answers] == ["hello"] * 5


def test_tells_when_the_application_cannot_start() -> None:
    """A failing start is an error for the caller, not a server that never answers."""

    @contextlib.asynccontextmanager
    async def failing(_: Starlette) -> AsyncIterator[None]:
        raise RuntimeError("no database")
        yield

    with pytest.raises(RuntimeError, match="did not start"), serve(Starlette(lifespan=failing)):
        pass
