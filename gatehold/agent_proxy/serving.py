"""One connection of a client, from its head to its end.

A connection carries one tunnel or one request. A tunnel ends with the token that opened it: whoever goes on inside
would be refused anyway, and a client that connects again goes on with the next token.
"""

import asyncio
import logging
import time
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader, StreamWriter
from collections.abc import Awaitable, Callable

from gatehold.agent_proxy.gateway import Gateway, Unreached
from gatehold.agent_proxy.heads import (
    END,
    MAX_HEAD,
    Request,
    Response,
    Unreadable,
    problem,
    read_request,
    read_response,
)
from gatehold.agent_proxy.relaying import Streams, relay
from gatehold.agent_proxy.tokens import NoToken, TokenFile, expires_at

logger = logging.getLogger(__name__)

MAX_CONNECTIONS = 1024
HEAD_SECONDS = 30.0
"""For a client to send the head of its request."""
CONNECT_SECONDS = 60.0
"""For the gateway to answer a CONNECT; a request may wait for a person, and is not timed."""
HEAR_OUT_SECONDS = 2.0

_TOLD = 512
"""So many more connections are told that they are too many; others are closed without a word."""
_ESTABLISHED = b"HTTP/1.1 200 Connection established" + END


class NotTaken(Exception):
    """The gateway refuses the token; a client could do nothing about it."""


class AgentProxy:
    """The forwarder: where to, and with what token."""

    def __init__(
        self,
        gateway: Gateway,
        tokens: TokenFile,
        *,
        clock: Callable[[], float] = time.time,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self._gateway = gateway
        self._tokens = tokens
        self._clock = clock
        self._max = max_connections
        self._open = 0
        self._wrong = ""

    async def listen(self, host: str, port: int) -> asyncio.Server:
        """Serve clients there until the server is closed. Raises OSError."""
        return await asyncio.start_server(self._serve, host, port, limit=MAX_HEAD)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        if self._open >= self._max + _TOLD:
            writer.transport.abort()
            return
        self._open += 1
        try:
            if answer := await self._answered((reader, writer)):
                await _say(answer, reader, writer)
        except (OSError, IncompleteReadError):
            pass  # a side hung up, or said nothing in time
        finally:
            self._open -= 1
            writer.close()

    async def _answered(self, client: Streams) -> bytes:
        """Serve a connection; what is returned is the forwarder's own answer to it."""
        if self._open > self._max:
            return problem(503, "too-many-connections", "too many connections are open")
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                request = read_request(await _head(client[0]))
        except Unreadable as error:
            return problem(400, "malformed", str(error))
        try:
            await self._forward(client, request)
        except NoToken as error:
            return self._failed(503, "no-token", error)
        except Unreached as error:
            return self._failed(502, "gateway-unreachable", error)
        except NotTaken as error:
            return self._failed(502, "token-refused", error)
        return b""

    async def _forward(self, client: Streams, request: Request) -> None:
        token = self._tokens.read()
        gateway = await self._gateway.dial(MAX_HEAD)
        try:
            gateway[1].write(request.forwarded(self._tokens.authorization(token)))
            if request.is_connect:
                await self._tunnel(client, gateway, token)
            else:
                await relay(client, gateway, lambda: self._pass_heads(client[1], gateway[0]))
        finally:
            gateway[1].close()

    async def _tunnel(self, client: Streams, gateway: Streams, token: str) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                response = await self._response(gateway[0])
        except TimeoutError:
            raise Unreached(f"the gateway at {self._gateway} does not answer") from None
        if 200 <= response.status < 300:
            client[1].write(_ESTABLISHED)
            await self._while_good(token, relay(client, gateway))
        else:
            client[1].write(response.forwarded())
            await relay(client, gateway)

    async def _pass_heads(self, client: StreamWriter, gateway: StreamReader) -> None:
        while True:
            response = await self._response(gateway)
            client.write(response.forwarded())
            if not response.is_interim:
                return

    async def _response(self, gateway: StreamReader) -> Response:
        """The next head of the gateway. Raises NotTaken, Unreached."""
        try:
            response = read_response(await _head(gateway))
        except (Unreadable, IncompleteReadError):
            raise Unreached(f"{self._gateway} does not answer as a gateway would") from None
        if response.status == 407:
            raise NotTaken(
                f"the gateway refuses the token in {self._tokens.path}: it may be over or for another audience"
            )
        self._works()
        return response

    async def _while_good(self, token: str, work: Awaitable[None]) -> None:
        end = expires_at(token)
        left = None if end is None else end - self._clock()
        try:
            # One that is over by this clock is not over by the gateway's, which let it in.
            async with asyncio.timeout(left if left is not None and left > 0 else None):
                await work
        except TimeoutError:
            return

    def _failed(self, status: int, code: str, error: Exception) -> bytes:
        """Tell the client, and the log where it is news."""
        if str(error) != self._wrong:
            logger.warning("gatehold agent-proxy: %s", error)
        self._wrong = str(error)
        return problem(status, code, str(error))

    def _works(self) -> None:
        if self._wrong:
            logger.warning("gatehold agent-proxy: goes on")
        self._wrong = ""


async def _say(answer: bytes, reader: StreamReader, writer: StreamWriter) -> None:
    """Answer, and hear the client out for a while: closing on bytes that nobody read would take the answer back."""
    writer.write(answer)
    await writer.drain()
    writer.write_eof()
    async with asyncio.timeout(HEAR_OUT_SECONDS):
        while await reader.read(MAX_HEAD):
            pass


async def _head(reader: StreamReader) -> bytes:
    """Bytes up to an empty line. Raises Unreadable, IncompleteReadError."""
    try:
        return await reader.readuntil(END)
    except LimitOverrunError:
        raise Unreadable(f"the head is larger than {MAX_HEAD} bytes") from None
