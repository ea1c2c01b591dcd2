"""Bytes from one connection to another, in both directions, no faster than either side takes them."""

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

CHUNK = 64 * 1024
LINGER_SECONDS = 30.0
"""For which a client may go on sending after the gateway has said all."""

type Streams = tuple[StreamReader, StreamWriter]


async def relay(client: Streams, gateway: Streams, begin: Callable[[], Awaitable[None]] | None = None) -> None:
    """Until both sides have ended; ``begin`` comes before what the gateway sends, and beside what the client sends.

    Raises what ``begin`` raises, and OSError where a side breaks off.
    """
    upwards = asyncio.create_task(_copy(client[0], gateway[1]))
    downwards = asyncio.create_task(_downwards(client[1], gateway[0], begin, upwards))
    try:
        done, _ = await asyncio.wait({upwards, downwards}, return_when=asyncio.FIRST_EXCEPTION)
        for task in (downwards, upwards):
            if task in done and not task.cancelled():
                task.result()
    finally:
        for task in (upwards, downwards):
            task.cancel()
        await asyncio.gather(upwards, downwards, return_exceptions=True)


async def _downwards(
    client: StreamWriter,
    gateway: StreamReader,
    begin: Callable[[], Awaitable[None]] | None,
    upwards: asyncio.Task[None],
) -> None:
    if begin is not None:
        await begin()
    await _copy(gateway, client)
    await asyncio.wait({upwards}, timeout=LINGER_SECONDS)
    upwards.cancel()


async def _copy(source: StreamReader, sink: StreamWriter) -> None:
    """All of one direction, and its end; asyncio's TLS cannot end one alone, so there the connection is closed."""
    while data := await source.read(CHUNK):
        sink.write(data)
        await sink.drain()
    if sink.can_write_eof():
        sink.write_eof()
    else:
        sink.close()
