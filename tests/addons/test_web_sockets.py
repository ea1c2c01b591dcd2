"""Law: an open tunnel is masked as its call's decision says, recorded in parts, and ends with the agent's token."""

import io
import time
from collections.abc import Callable

import pytest
from mitmproxy import http
from mitmproxy.io import FlowReader
from mitmproxy.test import taddons
from mitmproxy.websocket import WebSocketData, WebSocketMessage
from wsproto.frame_protocol import Opcode

from addons.calls import need
from addons.conversations import Forwarding, Session
from addons.handshakes import PORTFORWARD, V5, Handshake
from addons.record import PART, Record, Recording
from addons.runtime import Runtime
from addons.web_sockets import WebSockets
from policy.model import DlpObligation
from recordings.listing import Row, rows
from tests.addons.support import make_flow, make_request, make_response, sealed

CLUSTER = "https://kubernetes.corp.example:6443"
EXEC = f"{CLUSTER}/api/v1/namespaces/prod/pods/web/exec?command=sh&stdin=1&stdout=1"
CARD = b"4111 1111 1111 1111"

type Later = list[tuple[float, Callable[[], None]]]


@pytest.fixture
async def sockets(runtime: Runtime) -> WebSockets:
    """The addon; looks are taken at the proxy's own connections."""
    taddons.context()
    return WebSockets(runtime, Recording(runtime))


async def opened(sockets: WebSockets, protocol: str = V5, profiles: tuple[str, ...] = ("pci",)) -> http.HTTPFlow:
    """A tunnel that begins."""
    flow = make_flow(make_request(EXEC if protocol == V5 else EXEC.replace("exec", "portforward")))
    call = sealed(sockets.runtime, flow, target="main", profiles=profiles)
    call.handshake = Handshake(key="k", protocols=(protocol,))
    flow.response = make_response(headers={"Sec-WebSocket-Protocol": protocol})
    flow.response.status_code = 101
    flow.websocket = WebSocketData()
    await sockets.websocket_start(flow)
    return flow


async def say(sockets: WebSockets, flow: http.HTTPFlow, content: bytes, *, from_client: bool = False) -> list[bytes]:
    """One message; what is to be sent then."""
    assert flow.websocket is not None
    flow.websocket.messages.append(WebSocketMessage(Opcode.BINARY, from_client, content))
    await sockets.websocket_message(flow)
    flow.websocket.messages.clear()
    conversation = sockets.runtime.call(flow).conversation
    assert conversation is not None
    return [each.content for each in conversation.take()]


def outcomes(runtime: Runtime) -> list[Row]:
    return [row for row in rows(runtime.gateway.configuration.data_dir) if row.kind == "outcome"]


async def test_output_is_masked_by_the_decision(sockets: WebSockets) -> None:
    """With a large message, which is masked in a thread, as with a small one."""
    flow = await opened(sockets)
    assert isinstance(sockets.runtime.call(flow).conversation, Session)
    for padding in (b"", b"x\n" * 10_000):
        (shown,) = await say(sockets, flow, b"\1" + padding + b"card " + CARD + b"\n")
        assert CARD not in shown
    assert sockets.runtime.call(flow).masked == {"CREDIT_CARD": 2}


async def test_a_port_forward_is_opaque(sockets: WebSockets) -> None:
    """Counted, not read."""
    flow = await opened(sockets, PORTFORWARD)
    assert isinstance(sockets.runtime.call(flow).conversation, Forwarding)
    assert await say(sockets, flow, b"\0\1" + CARD) == [b"\0\1" + CARD]


async def test_a_tunnel_that_nobody_asked_for_is_an_error(sockets: WebSockets) -> None:
    """Which ends it."""
    flow = make_flow(make_request(EXEC))
    sealed(sockets.runtime, flow, target="main")
    with pytest.raises(LookupError):
        await sockets.websocket_start(flow)


async def test_what_was_said_is_recorded_for_stock_tools(sockets: WebSockets) -> None:
    """Once, at the end, with how it ended."""
    runtime, flow = sockets.runtime, await opened(sockets)
    await Record(runtime, sockets.recording).response(flow)
    await say(sockets, flow, b"\0card " + CARD + b"\n", from_client=True)
    await say(sockets, flow, b"\1card " + CARD + b"\n")
    await say(sockets, flow, b'\3{"status": "Success"}')
    await sockets.websocket_end(flow)
    (row,) = outcomes(runtime)
    assert row.raw["event"]["unmapped"]["gatehold"]["stream"] == {"stdin": 25, "stdout": 25, "stderr": 0, "exit": 0}
    assert row.status == 101
    raw = (runtime.gateway.configuration.data_dir / row.file).read_bytes()
    assert CARD not in raw
    (read,) = FlowReader(io.BytesIO(raw)).stream()
    assert isinstance(read, http.HTTPFlow)
    assert read.websocket is not None
    said = [(each.from_client, each.content[:6]) for each in read.websocket.messages]
    assert said == [(True, b"\0card "), (False, b"\1card "), (False, b'\3{"met')]


async def test_a_silent_session_is_recorded_as_far_as_it_went(
    sockets: WebSockets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nobody says anything more; the rest of it follows at its end."""
    runtime, flow = sockets.runtime, await opened(sockets)
    now = time.time()
    monkeypatch.setattr("addons.record.time.time", lambda: now)
    (stream,) = [each for _, each in runtime.open_streams._streams.items()]
    await say(sockets, flow, b"\1one\n")
    stream.keep_up(flow)
    assert runtime.call(flow).parts == 0
    now += 60
    stream.keep_up(flow)
    stream.keep_up(flow)
    assert runtime.call(flow).parts == 1
    await say(sockets, flow, b"\1two\n")
    await sockets.websocket_end(flow)
    raw = [(runtime.gateway.configuration.data_dir / row.file).read_bytes() for row in outcomes(runtime)]
    assert len(raw) == 2
    assert raw[-1].count(b"\1one\n") == raw[-1].count(b"\1two\n") == 1


async def test_long_sessions_are_recorded_in_parts(sockets: WebSockets) -> None:
    """Memory holds one of them."""
    runtime, flow = sockets.runtime, await opened(sockets, profiles=())
    conversation = runtime.call(flow).conversation
    assert conversation is not None
    for _ in range(20):
        await say(sockets, flow, b"\1" + b"x" * (PART // 4))
        assert conversation.dialogue.size < PART
    await sockets.websocket_end(flow)
    parts = outcomes(runtime)
    assert [row.part for row in parts] == [1, 2, 3, 4, 5, 6]
    ids = set()
    for row in parts:
        raw = (runtime.gateway.configuration.data_dir / row.file).read_bytes()[row.offset : row.offset + row.length]
        ids |= {each.id for each in FlowReader(io.BytesIO(raw)).stream()}
    assert len(ids) == 6


async def test_what_was_said_long_ago_is_written(sockets: WebSockets, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session in which little is said does not wait for its end."""
    flow = await opened(sockets)
    await say(sockets, flow, b"\1one\n")
    later = time.time() + 60
    monkeypatch.setattr(time, "time", lambda: later)
    await say(sockets, flow, b"\1two\n")
    assert sockets.runtime.call(flow).parts == 1
    assert not need(sockets.runtime.call(flow).conversation).dialogue.messages


async def test_a_tunnel_ends_with_the_token(sockets: WebSockets, later: Later) -> None:
    """And its connection is closed should that not be enough."""
    flow = await opened(sockets)
    (left, cut), *_ = later
    assert left == pytest.approx(2e10, rel=0.2)
    cut()
    conversation = sockets.runtime.call(flow).conversation
    assert conversation is not None
    assert conversation.ended is not None
    assert "expired" in conversation.ended.why
    assert later[-1][0] == 5.0


async def test_a_prompt_is_shown_when_nothing_comes(sockets: WebSockets, later: Later) -> None:
    """By a timer that the next message stops."""
    flow = await opened(sockets)
    assert await say(sockets, flow, b"\1login: ") == []
    _, flush = later[-1]
    flush()
    conversation = sockets.runtime.call(flow).conversation
    assert conversation is not None
    assert [each.content for each in conversation.take()] == [b"\1login: "]


async def test_open_tunnels_are_known(sockets: WebSockets) -> None:
    """Until they end."""
    flow = await opened(sockets)
    ((_, stream),) = sockets.runtime.open_streams.all()
    stream.cut("revoked")
    conversation = sockets.runtime.call(flow).conversation
    assert conversation is not None
    assert conversation.ended is not None
    await sockets.websocket_end(flow)
    assert not sockets.runtime.open_streams.all()


async def test_a_language_model_is_asked_off_the_loop(
    sockets: WebSockets, later: Later, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However short the message; a prompt waits until the tunnel was woken."""
    flow = await opened(sockets)
    monkeypatch.setattr(type(sockets.runtime.gateway.ruling.masking), "asks_models", True)
    threads: list[object] = []

    async def to_thread(work: Callable[[], None]) -> None:
        threads.append(work)
        work()

    monkeypatch.setattr("addons.web_sockets.asyncio.to_thread", to_thread)
    assert await say(sockets, flow, b"\1login: ") == []
    assert len(threads) == 1
    later[-1][1]()
    assert need(sockets.runtime.call(flow).conversation).take() == []


async def test_input_is_searched_by_the_decision(sockets: WebSockets) -> None:
    """The session ends before the line reaches the command."""
    flow = make_flow(make_request(EXEC))
    call = sealed(sockets.runtime, flow, target="main", dlp=DlpObligation(profiles=("pci",), action="block"))
    call.handshake = Handshake(key="k", protocols=(V5,))
    flow.response = make_response(headers={"Sec-WebSocket-Protocol": V5})
    flow.response.status_code = 101
    flow.websocket = WebSocketData()
    await sockets.websocket_start(flow)
    assert await say(sockets, flow, b"\0ls\n", from_client=True) == [b"\0ls\n"]
    (told,) = await say(sockets, flow, b"\0echo " + CARD + b"\n", from_client=True)
    assert b"protected data in the input: CREDIT_CARD=1" in told
    assert need(call.conversation).ended is not None
