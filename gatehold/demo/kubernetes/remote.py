"""exec and attach over WebSocket: the remote command protocol, `v5.channel.k8s.io` and `v4.channel.k8s.io`.

Every binary message begins with its channel: 0 stdin, 1 stdout, 2 stderr, 3 the final status as JSON, 4 terminal
size; in v5 a message 255 + channel closes that channel. The server begins with an empty message on stdout.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehold.demo.kubernetes import forwarding, statuses
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.logs import check_container
from gatehold.demo.kubernetes.requests import Query, Target
from gatehold.demo.kubernetes.shells import Shell, Terminal, environment_of

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDIN, STDOUT, STDERR, STATUS, CLOSE = 0, 1, 2, 3, 255
STREAMS = frozenset({"exec", "attach", "portforward"})


class Channels:
    """The messages of one session, sorted by channel."""

    def __init__(self, websocket: WebSocket) -> None:
        self._websocket = websocket
        self._typed: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=64)

    async def send(self, channel: int, data: bytes) -> None:
        await self._websocket.send_bytes(bytes([channel]) + data)

    async def stdout(self, data: bytes) -> None:
        await self.send(STDOUT, data)

    async def stderr(self, data: bytes) -> None:
        await self.send(STDERR, data)

    async def receive(self) -> None:
        """Take what the client sends until it leaves."""
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code") or 1006)
            data = message.get("bytes") or b""
            if data[:1] == bytes([STDIN]):
                await self._typed.put(data[1:])
            elif data[:2] == bytes([CLOSE, STDIN]):
                await self._typed.put(None)

    async def stdin(self) -> AsyncIterator[bytes]:
        """What is typed, until that channel is closed."""
        while (data := await self._typed.get()) is not None:
            yield data


def agreed_protocol(cluster: Cluster, target: Target, query: Query, offered: list[str]) -> str:
    """The protocol of a session that may begin; raises ApiError (400, 404)."""
    pod = cluster.store.get(target.resource, target.namespace, target.name)
    if target.subresource == "portforward":
        return forwarding.agreed_protocol(query, offered)
    check_container(pod, query.first("container"))
    protocol = next((name for name in PROTOCOLS if name in offered), "")
    if not protocol:
        raise statuses.bad_request(f"unable to upgrade: none of the protocols is supported: {offered}")
    if target.subresource == "exec" and not query.all("command"):
        raise statuses.bad_request("you must specify at least 1 command for the container")
    return protocol


async def run_session(cluster: Cluster, websocket: WebSocket, target: Target, query: Query, protocol: str) -> None:
    """Run the command of an accepted session and close it."""
    await websocket.accept(subprotocol=protocol)
    if target.subresource == "portforward":
        await forwarding.run_session(websocket, query, protocol)
        return
    channels = Channels(websocket)
    pod = cluster.store.get(target.resource, target.namespace, target.name)
    terminal = Terminal(stdin=channels.stdin(), stdout=channels.stdout, stderr=channels.stderr)
    shell = Shell(terminal=terminal, environment=environment_of(cluster.store, pod, query.first("container")))
    argv = query.all("command") if target.subresource == "exec" else ["sh"]
    await channels.stdout(b"")
    receiving = asyncio.create_task(channels.receive())
    running = asyncio.create_task(shell.run(argv))
    try:
        await asyncio.wait((receiving, running), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            await channels.send(STATUS, json.dumps(_status(running.result())).encode())
            await websocket.close()
    except WebSocketDisconnect:
        pass
    finally:
        for task in (receiving, running):
            task.cancel()
        await asyncio.gather(receiving, running, return_exceptions=True)


def _status(code: int) -> dict[str, Any]:
    """How the command ended."""
    if code == 0:
        return {"metadata": {}, "status": "Success"}
    return {
        "metadata": {},
        "status": "Failure",
        "message": f"command terminated with non-zero exit code: command terminated with exit code {code}",
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
    }
