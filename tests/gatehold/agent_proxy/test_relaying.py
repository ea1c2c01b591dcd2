"""Law: all bytes of both directions arrive, no faster than they are taken, and an end is an end on the other side."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from gatehold.agent_proxy import relaying
from gatehold.agent_proxy.relaying import Streams, relay


@contextlib.asynccontextmanager
async def pair() -> AsyncIterator[tuple[Streams, Streams]]:
    """Two ends of one TCP connection: the far one, and the one that a forwarder holds."""
    accepted: asyncio.Future[Streams] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *streams: accepted.set_result(streams), "127.0.0.1", 0, limit=1024)
    async with server:
        far = await asyncio.open_connection(*server.sockets[0].getsockname()[:2], limit=1024)
        near = await accepted
        try:
            yield far, near
        finally:
            for _, writer in (far, near):
                writer.close()


async def test_both_directions_and_their_ends() -> None:
    """Either side may end first, and hears the other to its end."""
    async with pair() as (client, client_near), pair() as (gateway, gateway_near):
        work = asyncio.create_task(relay(client_near, gateway_near))
        client[1].write(b"question")
        client[1].write_eof()
        assert await gateway[0].read() == b"question"
        gateway[1].write(b"answer")
        gateway[1].write_eof()
        assert await client[0].read() == b"answer"
        await asyncio.wait_for(work, 30)


async def test_a_side_that_breaks_off() -> None:
    """Ends it all; nobody waits for the other side."""
    async with pair() as (client, client_near), pair() as (gateway, gateway_near):
        work = asyncio.create_task(relay(client_near, gateway_near))
        client[1].write(b"x")
        assert await gateway[0].read(1) == b"x"
        client[1].transport.abort()
        with contextlib.suppress(OSError):
            gateway[1].write(b"y")
        assert await gateway[0].read() == b""
        gateway[1].close()
        with contextlib.suppress(OSError):
            await asyncio.wait_for(work, 30)
        assert work.done()


async def test_a_reader_that_does_not_read() -> None:
    """Holds up the sender: no more than buffers is taken from it."""
    async with pair() as (client, client_near), pair() as (gateway, gateway_near):
        work = asyncio.create_task(relay(client_near, gateway_near))
        sent = 0
        with contextlib.suppress(TimeoutError):
            while sent < 256 * 1024 * 1024:
                gateway[1].write(bytes(1024 * 1024))
                async with asyncio.timeout(2):
                    await gateway[1].drain()
                sent += 1024 * 1024
        assert sent < 64 * 1024 * 1024
        gateway[1].write_eof()
        received = 0
        while data := await client[0].read(1024 * 1024):
            received += len(data)
        assert received == sent + 1024 * 1024
        client[1].close()
        await asyncio.wait_for(work, 30)


async def test_what_comes_before_the_gateway_s_bytes() -> None:
    """The client is heard meanwhile; what it raises ends everything."""
    async with pair() as (client, client_near), pair() as (gateway, gateway_near):

        async def begin() -> None:
            assert await gateway_near[0].readexactly(4) == b"head"
            raise LookupError

        work = asyncio.create_task(relay(client_near, gateway_near, begin))
        client[1].write(b"body")
        assert await gateway[0].readexactly(4) == b"body"
        gateway[1].write(b"head")
        with pytest.raises(LookupError):
            await asyncio.wait_for(work, 30)


async def test_a_client_that_stays_after_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Is not waited for without an end."""
    monkeypatch.setattr(relaying, "LINGER_SECONDS", 0.0)
    async with pair() as (_, client_near), pair() as (gateway, gateway_near):
        gateway[1].write_eof()
        await asyncio.wait_for(relay(client_near, gateway_near), 30)
