"""Laws of the listener: it opens or says why not, leaves the process alone, and ends with the gateway."""
# ruff: noqa: F811 (fixtures)

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from gatehold import serving
from gatehold.serving import HttpListener, ListenError, PromptProtocol
from tests.gatehold.agent_api.conftest import approval, site  # noqa: F401 - fixtures

WHOAMI = b"GET /v1/whoami HTTP/1.1\r\nHost: agents.test\r\nAuthorization: Bearer planner\r\n"

type Client = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def api(site: Any) -> AsyncIterator[HttpListener]:
    """An API that listens."""
    made = HttpListener(site.app, "127.0.0.1", 0, name="agent API")
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def connect(api: HttpListener) -> AsyncIterator[Callable[[], Awaitable[Client]]]:
    """Opens connections; they are closed at the end."""
    opened: list[Client] = []

    async def open_one() -> Client:
        opened.append(await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2])))
        return opened[-1]

    yield open_one
    for _, writer in opened:
        writer.close()


async def answer(reader: asyncio.StreamReader) -> bytes:
    """Head and body of one answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return head + await reader.readexactly(int(length.partition(b":")[2]))


async def ended(reader: asyncio.StreamReader) -> bytes:
    """What is left until the connection is over, however it ends."""
    try:
        return await reader.read()
    except ConnectionResetError:
        return b""


async def test_it_answers_on_one_connection_again_and_again(connect: Any) -> None:
    """Keep-alive and pipelining; nothing is told of the server."""
    reader, writer = await connect()
    for _ in range(2):
        writer.write(WHOAMI + b"\r\n" + WHOAMI + b"\r\n")
        for _ in range(2):
            got = await answer(reader)
            assert got.startswith(b"HTTP/1.1 200 ")
            assert b'"planner-1"' in got
            assert b"uvicorn" not in got.lower()


async def test_it_works_where_tasks_start_eagerly(connect: Any) -> None:
    """As in mitmproxy's loop: an answer may be complete before its request is."""
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    reader, writer = await connect()
    writer.write((WHOAMI + b"\r\n") * 20 + WHOAMI + b"Connection: close\r\n\r\n")
    assert (await ended(reader)).count(b"HTTP/1.1 200 ") == 21


async def test_requests_that_come_at_once_take_turns(connect: Any) -> None:
    """A thousand in one packet do not stop everything else: the loop goes round between two answers."""
    loop = asyncio.get_running_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    rounds, number = 0, 200

    def count() -> None:
        nonlocal rounds
        rounds += 1
        counting.append(loop.call_soon(count))
        del counting[:-1]

    counting = [loop.call_soon(count)]
    reader, writer = await connect()
    writer.write((b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") * (number - 1) + WHOAMI + b"Connection: close\r\n\r\n")
    assert (await ended(reader)).count(b"HTTP/1.1 ") == number
    counting[-1].cancel()
    assert rounds >= number


async def test_an_unread_body_ends_the_connection(connect: Any) -> None:
    """It is not taken for a next request."""
    reader, writer = await connect()
    smuggled = WHOAMI + b"\r\n"
    writer.write(WHOAMI + b"Content-Length: %d\r\n\r\n" % len(smuggled) + smuggled)
    got = await ended(reader)
    assert got.startswith(b"HTTP/1.1 400 ")
    assert got.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/whoami HTTP/1.1\r\nAuthorization: Bearer planner\r\n\r\n",
        WHOAMI + b"Host: other.test\r\n\r\n",
        WHOAMI + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        WHOAMI + b"X : y\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /" + b"x" * 70_000,
    ],
    ids=["no host", "two hosts", "two lengths", "space before colon", "TLS", "endless"],
)
async def test_what_is_no_http_is_refused(connect: Any, head: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """400, closed, and nothing of it in a log."""
    reader, writer = await connect()
    writer.write(head)
    assert (await ended(reader)).startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 431 "))
    assert not caplog.records


@pytest.mark.parametrize("before", [b"", WHOAMI + b"\r\n"], ids=["first", "next"])
async def test_who_does_not_ask_in_time_is_hung_up_on(connect: Any, monkeypatch: Any, before: bytes) -> None:
    """Before a first request and before a next one, whether or not some of it has come."""
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.05)
    reader, writer = await connect()
    writer.write(before + WHOAMI)
    assert (await ended(reader)).count(b"HTTP/1.1 200 ") == (1 if before else 0)


async def test_who_waits_for_an_answer_is_not(connect: Any, monkeypatch: Any, site: Any, approval: Any) -> None:
    """The deadline is for requests, not for people."""
    made = approval()
    site.desk.approvals[made.id] = made
    passed = asyncio.Event()
    give_up = PromptProtocol._give_up

    def noting(connection: PromptProtocol) -> None:
        give_up(connection)
        passed.set()

    monkeypatch.setattr(PromptProtocol, "_give_up", noting)
    monkeypatch.setattr(serving, "HEAD_SECONDS", 0.05)
    reader, writer = await connect()
    writer.write(b"GET /v1/approvals/apr_1?wait=30s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer planner\r\n\r\n")
    await site.waiter.waiting.wait()
    await passed.wait()
    site.waiter.answered.set()
    assert b'"pending"' in await answer(reader)


async def test_a_new_connection_takes_the_place_of_an_idle_one(connect: Any, monkeypatch: Any) -> None:
    """Whoever opens all there may be and does nothing shuts nobody out: the longest idle one goes."""
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 2)
    idle, _ = await connect()
    reader, writer = await connect()
    writer.write(WHOAMI + b"\r\n")
    await answer(reader)
    other, more = await connect()
    assert await ended(idle) == b""
    for each, to in ((reader, writer), (other, more)):
        to.write(WHOAMI + b"\r\n")
        assert (await answer(each)).startswith(b"HTTP/1.1 200 ")


async def test_who_is_being_answered_keeps_its_place(connect: Any, monkeypatch: Any, site: Any, approval: Any) -> None:
    """Then one too many is closed unheard."""
    made = approval()
    site.desk.approvals[made.id] = made
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 1)
    reader, writer = await connect()
    writer.write(b"GET /v1/approvals/apr_1?wait=30s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer planner\r\n\r\n")
    await site.waiter.waiting.wait()
    other, _ = await connect()
    assert await ended(other) == b""
    site.waiter.answered.set()
    assert b'"pending"' in await answer(reader)


async def test_who_sends_requests_in_advance_makes_room(monkeypatch: Any) -> None:
    """A long row of requests does not hold a place while they are answered."""
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 1)
    asked, enough = asyncio.Event(), asyncio.Event()

    async def slow(_: Any, __: Any, send: Any) -> None:
        asked.set()
        await enough.wait()
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body"})

    api = HttpListener(slow, "127.0.0.1", 0, name="console")
    await api.open()
    port = int(api.url.rpartition(":")[2])
    clients = [await asyncio.open_connection("127.0.0.1", port)]
    clients[0][1].write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2)
    await asked.wait()
    clients.append(await asyncio.open_connection("127.0.0.1", port))
    assert await ended(clients[0][0]) == b""
    enough.set()
    clients[1][1].write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert (await ended(clients[1][0])).startswith(b"HTTP/1.1 204 ")
    for _, writer in clients:
        writer.close()
    await api.close()


async def test_who_does_not_send_the_rest_makes_room(connect: Any, monkeypatch: Any) -> None:
    """A body that never comes does not hold a place."""
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 1)
    slow, writer = await connect()
    writer.write(
        b"POST /v1/access-requests HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer planner\r\n"
        b"Content-Type: application/json\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    )
    assert await slow.readline()  # it is being worked on
    other, more = await connect()
    more.write(WHOAMI + b"\r\n")
    assert (await answer(other)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("crowded", [False, True], ids=["in time", "crowded"])
async def test_who_does_not_read_is_hung_up_on(site: Any, monkeypatch: Any, crowded: bool) -> None:
    """Answers that fill all buffers end after a while, or as soon as somebody else wants the place."""
    stuck, gone = asyncio.Event(), asyncio.Event()
    pause, lose = PromptProtocol.pause_writing, PromptProtocol.connection_lost

    def pausing(connection: PromptProtocol) -> None:
        pause(connection)
        stuck.set()

    def losing(connection: PromptProtocol, error: Exception | None) -> None:
        lose(connection, error)
        gone.set()

    async def endless(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        while not gone.is_set():
            await send({"type": "http.response.body", "body": bytes(1 << 16), "more_body": True})

    monkeypatch.setattr(PromptProtocol, "pause_writing", pausing)
    monkeypatch.setattr(PromptProtocol, "connection_lost", losing)
    monkeypatch.setattr(serving, "READ_SECONDS", 60.0 if crowded else 0.05)
    monkeypatch.setattr(serving, "MOST_CONNECTIONS", 1)
    api = HttpListener(endless, "127.0.0.1", 0, name="console")
    await api.open()
    port = int(api.url.rpartition(":")[2])
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    await stuck.wait()
    if crowded:
        assert not gone.is_set()
        _, other = await asyncio.open_connection("127.0.0.1", port)
        other.close()
    await gone.wait()
    writer.close()
    await api.close()


async def test_a_length_told_twice_is_refused(connect: Any) -> None:
    """A proxy in front might take the other one, and what follows for the request of somebody else."""
    reader, writer = await connect()
    head = WHOAMI + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
    writer.write(head + b"0\r\n\r\n" + WHOAMI + b"\r\n")
    got = await ended(reader)
    assert got.startswith(b"HTTP/1.1 400 ")
    assert got.count(b"HTTP/1.1") == 1


async def test_the_signals_of_the_process_are_left_alone(site: Any) -> None:
    """They belong to the gateway."""
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    api = HttpListener(site.app, "127.0.0.1", 0, name="agent API")
    await api.open()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before
    await api.close()


async def test_a_port_in_use_is_an_error_with_its_address(site: Any, api: HttpListener) -> None:
    """It can be opened later, and closed without having been open."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        blocked = HttpListener(site.app, "127.0.0.1", port, name="agent API")
        with pytest.raises(ListenError, match=rf"agent API cannot listen at http://127\.0\.0\.1:{port}: .*in use"):
            await blocked.open()
        await blocked.close()
    await blocked.open()
    assert repr(blocked) == f"<HttpListener of agent API at http://127.0.0.1:{port}>"
    await blocked.close()


async def test_a_host_that_is_not_here_is_an_error(site: Any, monkeypatch: Any) -> None:
    """An address of another machine; a name of none."""

    async def unknown(*_: Any, **__: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(ListenError, match=r"192\.0\.2\.1.*assign"):
        await HttpListener(site.app, "192.0.2.1", 0, name="agent API").open()
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    with pytest.raises(ListenError, match=r"nowhere\.test.*not known"):
        await HttpListener(site.app, "nowhere.test", 0, name="agent API").open()


async def test_a_name_is_served_at_its_addresses(site: Any) -> None:
    """Those that this machine has."""
    api = HttpListener(site.app, "localhost", 0, name="agent API")
    await api.open()
    assert api.url.startswith("http://localhost:")
    assert not api.url.endswith(":0")
    await api.close()


def test_an_address_of_six_stands_in_brackets(site: Any) -> None:
    """As URLs write it."""
    assert HttpListener(site.app, "::1", 8082, name="agent API").url == "http://[::1]:8082"


async def test_closing_ends_every_connection(site: Any, api: HttpListener, connect: Any) -> None:
    """Idle ones, half requests, and a second time does nothing."""
    idle, writer = await connect()
    writer.write(WHOAMI + b"\r\n")
    await answer(idle)
    half, writer = await connect()
    writer.write(WHOAMI)
    await api.close()
    assert await ended(idle) == await ended(half) == b""
    await api.close()
    assert repr(api) == "<HttpListener of agent API closed, for http://127.0.0.1:0>"


async def test_answers_are_not_held_back(api: HttpListener, connect: Any, monkeypatch: Any) -> None:
    """Head and body are two writes; without TCP_NODELAY the second waits for the client's acknowledgement."""
    made: list[PromptProtocol] = []
    connected = PromptProtocol.connection_made

    def noting(connection: PromptProtocol, transport: asyncio.Transport) -> None:
        connected(connection, transport)
        made.append(connection)

    monkeypatch.setattr(PromptProtocol, "connection_made", noting)
    reader, writer = await connect()
    writer.write(WHOAMI + b"\r\n")
    await answer(reader)
    assert made[0].transport.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
