"""An API that answers bit by bit, and clients that read as they like."""

import asyncio
import socket
import ssl
import subprocess
import threading
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, DataReceived, ResponseReceived, StreamEnded, StreamReset

from gatehold.demo.serving import serve
from tests.e2e.harness import STANDARD, Installation, clean_environment

POLICY = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: streams}
rules:
  - {name: all, effect: allow, http: {targets: [crm], methods: [GET], paths: ["/**"]}}
  - {name: masked, effect: constrain, http: {targets: [crm], paths: ["/masked/**"]}, mask: {profiles: [pii, secrets]}}
"""
WAIT = b""
"""A chunk that is none: until ``go`` was set."""
_HOST = "crm-gateway.internal"


@dataclass(slots=True)
class Streaming:
    """Answers with the chunks that stand at a path."""

    answers: dict[str, tuple[dict[str, str], Iterable[bytes]]] = field(default_factory=dict)
    go: threading.Event = field(default_factory=threading.Event)
    sent: int = 0
    """Bytes of the last answer that were handed to the socket."""

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        headers, chunks = self.answers[scope["path"]]
        self.sent = 0
        fields = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        for chunk in chunks:
            if chunk == WAIT:
                await asyncio.to_thread(self.go.wait, 60)
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
            self.sent += len(chunk)
        await send({"type": "http.response.body", "body": b""})


@contextmanager
def streaming(installed: Installation) -> Iterator[Streaming]:
    """Such an API in the place of the customers', and a configuration for it."""
    api = Streaming()
    with serve(api, certificate=installed.certificate.pair) as server:
        installed.write(
            "gateway.yaml", (STANDARD / "gateway.yaml").read_text().replace("@CUSTOMERS@", str(server.port))
        )
        installed.write("policy.yaml", POLICY)
        yield api


@contextmanager
def curl(installed: Installation, path: str, version: str, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """Real curl, whose output can be read while it comes; ``version``: ``http1.1`` or ``http2``."""
    proxy = f"http://agent:{installed.token()}@127.0.0.1:{installed.proxy_port}"
    command = ["curl", "-sSiN", f"--{version}", "--max-time", "120", "--cacert", installed.ca, "--proxy", proxy,
               "--suppress-connect-headers", *options, f"https://crm.corp.example{path}"]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=clean_environment(), bufsize=0
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


class H2Reader:
    """An HTTP/2 client that opens windows only when it is told to."""

    def __init__(self, installed: Installation) -> None:
        context = ssl.create_default_context(cafile=str(installed.ca))
        context.set_alpn_protocols(["h2"])
        plain = socket.create_connection(("127.0.0.1", installed.reverse_port), timeout=60)
        self._tls = context.wrap_socket(plain, server_hostname=_HOST)
        self._token = installed.token()
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._h2.initiate_connection()
        self._unread: dict[int, int] = {}
        self._flush()

    def close(self) -> None:
        """Hang up."""
        self._tls.close()

    def ask(self, path: str) -> int:
        """A request; its stream."""
        stream = self._h2.get_next_available_stream_id()
        bearer = f"Bearer {self._token}"
        fields = [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", _HOST),
            (":path", path),
            ("authorization", bearer),
        ]
        self._h2.send_headers(stream, fields, end_stream=True)
        self._flush()
        return stream

    def read(self, stream: int, *, least: int = 0, most: int = 0) -> tuple[bytes, str]:
        """What comes on a stream, and how it ended: ``end``, ``reset``, ``closed``; at ``least`` so many bytes and no
        more windows: empty where it goes on. About ``most`` bytes at once, empty where there are more.
        """
        body = bytearray()
        if not least and (unread := self._unread.pop(stream, 0)):
            self._h2.acknowledge_received_data(unread, stream)
            self._flush()
        while not least or len(body) < least:
            data = self._tls.recv(65536)
            for event in self._h2.receive_data(data) if data else [ConnectionTerminated()]:
                if isinstance(event, ConnectionTerminated):
                    return bytes(body), "closed"
                if isinstance(event, DataReceived):
                    if least:
                        self._unread[stream] = self._unread.get(stream, 0) + event.flow_controlled_length
                    else:
                        self._h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                    body += event.data if event.stream_id == stream else b""
                if isinstance(event, StreamReset | StreamEnded) and event.stream_id == stream:
                    return bytes(body), "reset" if isinstance(event, StreamReset) else "end"
                if isinstance(event, ResponseReceived) and dict(event.headers or ())[":status"] != "200":
                    raise AssertionError(f"answered with {event.headers}")
            self._flush()
            if most and len(body) >= most:
                break
        return bytes(body), ""

    def _flush(self) -> None:
        self._tls.sendall(self._h2.data_to_send())
