"""A WebSocket client that says exactly what it is told to, through a reverse listener of a gateway."""

import base64
import secrets
import socket
import ssl
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from wsproto import ConnectionType
from wsproto import events as frames
from wsproto.connection import Connection

from tests.e2e.harness import Installation

V5 = "v5.channel.k8s.io"


@dataclass(slots=True, kw_only=True)
class Client:
    """One connection; ``status`` and ``head`` tell how the handshake was answered."""

    connection: socket.socket
    status: int = 0
    head: bytes = b""
    body: bytes = b""
    protocol: Connection = field(default_factory=lambda: Connection(ConnectionType.CLIENT))
    close_code: int | None = None
    pongs: list[bytes] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    @property
    def decision(self) -> str:
        """The decision id that the answer to the handshake carries."""
        lines = self.head.decode("latin-1").split("\r\n")
        return next(line.partition(": ")[2] for line in lines if line.lower().startswith("gatehold-decision:"))

    def send(self, channel: int, data: bytes) -> None:
        """One message."""
        self.say(frames.BytesMessage(data=bytes([channel]) + data))

    def send_together(self, *messages: tuple[int, bytes]) -> None:
        """Messages on channels in one go: the gateway may close the tunnel over the first of them."""
        events = (frames.BytesMessage(data=bytes([channel]) + data) for channel, data in messages)
        self.connection.sendall(b"".join(map(self.protocol.send, events)))

    def say(self, event: frames.Event) -> None:
        """One frame."""
        self.connection.sendall(self.protocol.send(event))

    def messages(self) -> "list[tuple[int, bytes]]":
        """Everything until the other side closes, by channel."""
        return list(self)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> tuple[int, bytes]:
        message = self.next()
        if message is None:
            raise StopIteration
        return message

    def next(self) -> tuple[int, bytes] | None:
        """The next message; None once the other side closed."""
        content = b""
        while True:
            for event in self.protocol.events():
                if isinstance(event, frames.BytesMessage):
                    content += event.data
                    if event.message_finished:
                        return content[0], content[1:]
                elif isinstance(event, frames.Pong):
                    self.pongs.append(bytes(event.payload))
                elif isinstance(event, frames.CloseConnection):
                    self.close_code = int(event.code)
                    return None
            try:
                data = self.connection.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                return None
            self.protocol.receive_data(data)

    def output(self, channel: int = 1) -> bytes:
        """What one channel carries until the end."""
        return b"".join(data for number, data in self.messages() if number == channel)


def request(
    installed: Installation,
    path: str,
    *,
    token: str,
    method: str = "GET",
    upgrade: str = "websocket",
    protocols: str = V5,
    more: str = "",
) -> Client:
    """Ask for an upgrade on the cluster's reverse listener, and read the answer to the handshake."""
    context = ssl.create_default_context(cafile=str(installed.ca))
    raw = socket.create_connection(("127.0.0.1", installed.cluster_proxy_port), timeout=30)
    client = Client(connection=context.wrap_socket(raw, server_hostname="127.0.0.1"))
    lines = [f"{method} {path} HTTP/1.1", f"Host: 127.0.0.1:{installed.cluster_proxy_port}",
             f"Authorization: Bearer {token}"]  # fmt: skip
    if upgrade:
        lines += ["Connection: Upgrade", f"Upgrade: {upgrade}"]
    if upgrade == "websocket":
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines += ["Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", f"Sec-WebSocket-Protocol: {protocols}"]
    if method == "POST":
        lines.append("Content-Length: 0")
    client.connection.sendall("\r\n".join([*lines, more] if more else lines).encode() + b"\r\n\r\n")
    _read_head(client)
    return client


def _read_head(client: Client) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        data = client.connection.recv(65536)
        if not data:
            return
        received += data
    client.head, _, rest = received.partition(b"\r\n\r\n")
    client.status = int(client.head.split(b" ")[1])
    if client.status == 101:
        client.protocol.receive_data(rest)
        return
    length = next(int(line.split(b":")[1]) for line in client.head.lower().split(b"\r\n") if b"content-length" in line)
    while len(rest) < length and (data := client.connection.recv(65536)):
        rest += data
    client.body = rest
