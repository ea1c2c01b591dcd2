"""port-forward over WebSocket: whatever listens in a pod says back what it hears.

With `v4.channel.k8s.io` (which the Python client speaks) every port of the query has two channels, data and error, and
each begins with a message of the port's number, two bytes, low first. With `SPDY/3.1+portforward.k8s.io` (kubectl) the
messages are pieces of SPDY frames; this server reads none and returns the bytes as they come: enough to see a tunnel,
not enough for kubectl to talk through it.
"""

from starlette.websockets import WebSocket

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.requests import Query

TUNNEL, CHANNELS = "SPDY/3.1+portforward.k8s.io", "v4.channel.k8s.io"


def agreed_protocol(query: Query, offered: list[str]) -> str:
    """The protocol of a session that may begin; raises ApiError (400)."""
    for name in (TUNNEL, CHANNELS):
        if name in offered and (name == TUNNEL or _ports(query)):
            return name
    raise statuses.bad_request(f"unable to upgrade: none of the protocols is supported: {offered}")


async def run_session(websocket: WebSocket, query: Query, protocol: str) -> None:
    """Say back what comes, until the client leaves."""
    data_channels = set()
    for at, port in enumerate(_ports(query) if protocol == CHANNELS else []):
        data_channels.add(2 * at)
        for channel in (2 * at, 2 * at + 1):
            await websocket.send_bytes(bytes([channel]) + port.to_bytes(2, "little"))
    while (message := await websocket.receive())["type"] != "websocket.disconnect":
        data = message.get("bytes") or b""
        if data and (protocol == TUNNEL or data[0] in data_channels):
            await websocket.send_bytes(data)


def _ports(query: Query) -> list[int]:
    texts = [text for value in query.all("ports") for text in value.split(",")]
    return [int(text) for text in texts if text.isascii() and text.isdigit() and int(text) < 1 << 16]
