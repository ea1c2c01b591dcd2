"""Law: a WebSocket to an http target is opened by a rule only, and every message is masked, searched and recorded.

A real client through the proxy, a real server behind it.
"""

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import websocket
from mitmproxy.http import HTTPFlow
from mitmproxy.io import FlowReader
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehold.demo.serving import serve
from recordings.listing import Row, rows
from tests.e2e.harness import COMMANDS, CRM_TOKEN, STANDARD, GatewayProcess, Installation, installation, running

CARD, MAIL = "4111 1111 1111 1111", "jane.doe@example.com"
POLICY = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: sockets}
rules:
  - name: everything
    effect: allow
    http: {targets: [crm], paths: [/**]}
  - name: plain
    effect: allow
    http: {targets: [crm], paths: [/plain], upgrade: websocket}
  - name: masked
    effect: allow
    http: {targets: [crm], paths: [/masked, /masked/**], upgrade: websocket}
    mask: {profiles: [pci, pii]}
  - name: passing
    effect: allow
    http: {targets: [crm], paths: [/passing], upgrade: websocket}
    mask: {profiles: [pci], onUnmaskable: pass}
  - name: searched
    effect: allow
    http: {targets: [crm], paths: [/searched], upgrade: websocket}
    dlp: {profiles: [pci], action: block}
  - name: cleaned
    effect: allow
    http: {targets: [crm], paths: [/cleaned], upgrade: websocket}
    dlp: {profiles: [pci], action: mask}
"""


class Server:
    """Says back what it hears, and notes both."""

    def __init__(self) -> None:
        self.heads: list[dict[str, str]] = []
        self.heard: list[str | bytes] = []

    def app(self) -> Starlette:
        """One route for all."""
        return Starlette(routes=[WebSocketRoute("/{path:path}", self.serve)])

    async def serve(self, socket: WebSocket) -> None:
        """Greets, then answers: ``pieces`` in pieces, ``credential`` with the credential, anything else with itself."""
        offered = socket.scope["subprotocols"]
        self.heads.append({**socket.headers, "offered": ",".join(offered)})
        await socket.accept(subprotocol=offered[0] if offered else None)
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                await self._answer(socket, message)
        except WebSocketDisconnect:
            return

    async def _answer(self, socket: WebSocket, message: dict[str, Any]) -> None:
        text = message.get("text")
        if text is None:
            self.heard.append(message["bytes"])
            await socket.send_bytes(message["bytes"])
            return
        self.heard.append(text)
        if text == "pieces":
            for piece in ("card 4111 11", "11 1111", " 1111", " is it. "):
                await socket.send_text(json.dumps({"type": "response.output_text.delta", "delta": piece}))
        elif text == "credential":
            await socket.send_text(self.heads[-1].get("authorization", "none"))
        else:
            await socket.send_text(text)


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Customers whose API is a WebSocket server."""
    with installation(tmp_path_factory.mktemp("sockets")) as made:
        made.way = request.param
        yield made


@pytest.fixture(scope="module")
def server(installed: Installation) -> Iterator[Server]:
    """The target."""
    served = Server()
    with serve(served.app(), certificate=installed.certificate.pair) as running_server:
        gateway = (STANDARD / "gateway.yaml").read_text().replace("@CUSTOMERS@", str(running_server.port))
        installed.write("gateway.yaml", gateway)
        installed.write("policy.yaml", POLICY)
        yield served


@pytest.fixture(scope="module")
def gateway(installed: Installation, server: Server) -> Iterator[GatewayProcess]:
    """The gateway before it."""
    assert server is not None
    with running(installed, installed.way) as process:
        yield process


@contextmanager
def opened(installed: Installation, path: str, **options: Any) -> Iterator[websocket.WebSocket]:
    """A connection of a real client through the proxy."""
    token = options.pop("token", None) or installed.token()
    connection = websocket.create_connection(
        f"wss://crm.corp.example{path}",
        http_proxy_host="127.0.0.1",
        http_proxy_port=installed.proxy_port,
        http_proxy_auth=("agent", token),
        proxy_type="http",
        http_no_proxy=["none.invalid"],
        sslopt={"ca_certs": str(installed.ca), "cert_reqs": ssl.CERT_REQUIRED},
        timeout=20,
        **options,
    )
    try:
        yield connection
    finally:
        connection.shutdown()


def said(connection: websocket.WebSocket, message: str | bytes) -> str | bytes:
    """What comes back."""
    if isinstance(message, str):
        connection.send(message)
    else:
        connection.send_binary(message)
    return connection.recv()


def closing(connection: websocket.WebSocket) -> tuple[int, str]:
    """The code and the words with which it ends."""
    opcode, data = connection.recv_data()
    assert opcode == websocket.ABNF.OPCODE_CLOSE
    return int.from_bytes(data[:2]), data[2:].decode()


def outcome(installed: Installation, path: str) -> Row:
    """The record of the last connection to a path; written when it has ended on both sides."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = [row for row in rows(installed.data) if row.kind == "outcome" and row.operation == f"GET {path}"]
        if found:
            return found[-1]
    raise AssertionError(f"it was not recorded; there is {[(row.kind, row.operation) for row in rows(installed.data)]}")


def test_messages_of_both_kinds_pass(gateway: GatewayProcess, installed: Installation, server: Server) -> None:
    """Fragments, long ones, empty ones, pings; nothing is compressed."""
    with opened(installed, "/plain", header=["Sec-WebSocket-Extensions: permessage-deflate"]) as connection:
        for message in ("hello", "", b"\0\xff" * 9, "x" * 200_000, "\u00e9" * 1000):
            assert said(connection, message) == message
        connection.send_frame(websocket.ABNF.create_frame("one ", websocket.ABNF.OPCODE_TEXT, 0))
        connection.send_frame(websocket.ABNF.create_frame("two", websocket.ABNF.OPCODE_CONT, 1))
        assert connection.recv() == "one two"
        connection.ping("covert")
        assert said(connection, "after") == "after"
    assert "sec-websocket-extensions" not in server.heads[-1]
    assert gateway.process.poll() is None


def test_the_handshake_is_the_gateways_own(gateway: GatewayProcess, installed: Installation, server: Server) -> None:
    """The target's credential and Origin; the agent's keys stay behind; a subprotocol only as asked."""
    key = "openai-insecure-api-key.sk-planted"
    with opened(
        installed, "/plain", subprotocols=["chat.v1", key], origin="https://evil.example", header=["X-Api-Key: planted"]
    ) as connection:
        assert connection.getsubprotocol() == "chat.v1"
        head = server.heads[-1]
        assert head["authorization"] == f"Bearer {CRM_TOKEN}"
        assert head["origin"] == "https://crm.corp.example"
        assert head["offered"] == "chat.v1"
        assert "planted" not in json.dumps(head).replace(CRM_TOKEN, "")
        assert said(connection, "credential") == "Bearer ***"
    with opened(installed, "/plain", suppress_origin=True) as connection:
        assert connection.getsubprotocol() is None
        assert "origin" not in server.heads[-1]


def test_what_the_target_says_is_masked(gateway: GatewayProcess, installed: Installation) -> None:
    """Text, JSON, a value over several messages; a message of bytes ends it."""
    with opened(installed, "/masked") as connection:
        assert said(connection, f"card {CARD}") == "card <CREDIT_CARD>"
        assert said(connection, json.dumps({"to": MAIL, "n": 1})) == '{"to": "<EMAIL_ADDRESS>", "n": 1}'
        connection.send("pieces")
        told = "".join(json.loads(connection.recv())["delta"] for _ in range(4))
        assert told == "card <CREDIT_CARD> is it. "
        connection.send_binary(CARD.encode())
        code, why = closing(connection)
        assert code == 1008
        assert "could not be masked" in why
    with opened(installed, "/passing") as connection:
        assert said(connection, b"\0bytes") == b"\0bytes"
        assert said(connection, CARD) == "<CREDIT_CARD>"


def test_what_the_agent_says_is_searched(gateway: GatewayProcess, installed: Installation, server: Server) -> None:
    """It ends the connection or is masked; it does not reach the target."""
    server.heard.clear()
    with opened(installed, "/searched") as connection:
        assert said(connection, "fine") == "fine"
        connection.send(f"card {CARD}")
        assert closing(connection) == (1008, "gatehold: protected data in a message: CREDIT_CARD=1")
    with opened(installed, "/cleaned") as connection:
        assert said(connection, f"card {CARD}") == "card <CREDIT_CARD>"
        connection.send_binary(b"bytes")
        assert closing(connection)[0] == 1008
    assert server.heard == ["fine", "card <CREDIT_CARD>"]


def test_a_message_has_a_longest_length(gateway: GatewayProcess, installed: Installation) -> None:
    """Whatever its frames say."""
    with opened(installed, "/plain") as connection:
        connection.send("x" * (1024 * 1024 + 1))
        assert closing(connection)[0] == 1009


@pytest.mark.parametrize(("path", "status"), [("/other", 403), ("/plain/below", 403)])
def test_no_other_door_opens(
    gateway: GatewayProcess, installed: Installation, server: Server, path: str, status: int
) -> None:
    """An allow for every path opens no upgrade; nothing reaches the target."""
    before = len(server.heads)
    with pytest.raises(websocket.WebSocketBadStatusException) as refused, opened(installed, path):
        pass
    assert refused.value.status_code == status
    assert len(server.heads) == before


def test_other_protocols_stay_refused(gateway: GatewayProcess, installed: Installation, server: Server) -> None:
    """Also where a WebSocket would be opened."""
    before = len(server.heads)
    for protocol in ("h2c", "SPDY/3.1", "websocket, h2c"):
        answer = installed.curl(
            "https://crm.corp.example/plain", "--http1.1", "-H", "Connection: Upgrade", "-H", f"Upgrade: {protocol}"
        )
        assert (answer.status, answer.json["code"]) == (400, "malformed")
    assert len(server.heads) == before


def test_a_connection_ends_with_its_token(gateway: GatewayProcess, installed: Installation) -> None:
    """And says so."""
    with opened(installed, "/plain", token=installed.token(ttl=3.0)) as connection:
        assert said(connection, "hello") == "hello"
        assert closing(connection) == (1008, "gatehold: the agent's token has expired")


def test_a_revoked_agent_is_cut_off(gateway: GatewayProcess, installed: Installation) -> None:
    """While it talks."""
    with opened(installed, "/plain", token=installed.token(subject="mallory")) as connection:
        assert said(connection, "hello") == "hello"
        installed.gatehold("revoke", "--subject", "mallory")
        assert closing(connection) == (1008, "gatehold: the agent's access was revoked")


def test_messages_are_recorded_masked(gateway: GatewayProcess, installed: Installation) -> None:
    """As a flow that stock mitmproxy reads, texts as texts."""
    with opened(installed, "/masked/recorded") as connection:
        assert said(connection, f"my card {CARD} {MAIL}") == "my card <CREDIT_CARD> <EMAIL_ADDRESS>"
    row = outcome(installed, "/masked/recorded")
    with (installed.data / row.file).open("rb") as file:
        file.seek(row.offset)
        flow = next(FlowReader(file).stream())
    assert isinstance(flow, HTTPFlow)
    assert flow.websocket is not None
    kept = [(each.from_client, each.is_text, each.content.decode()) for each in flow.websocket.messages]
    assert kept == [
        (True, True, "my card <CREDIT_CARD> <EMAIL_ADDRESS>"),
        (False, True, "my card <CREDIT_CARD> <EMAIL_ADDRESS>"),
    ]
    assert row.raw["event"]["unmapped"]["gatehold"]["stream"]["sent"] == len(f"my card {CARD} {MAIL}")
    files = [each for each in installed.data.rglob("*") if each.is_file()]
    assert not [each for each in files if CARD.encode() in each.read_bytes() or CRM_TOKEN.encode() in each.read_bytes()]
