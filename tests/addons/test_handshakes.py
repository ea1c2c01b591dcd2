"""Law: either side gets a handshake of the gateway's own, and only an answer that fits it opens a tunnel."""

import base64

import pytest
from mitmproxy import http

from addons.handshakes import PORTFORWARD, PROTOCOLS, V4, V5, Handshake, _accept, read_free_handshake, read_handshake
from policy.codes import Code
from policy.errors import Refusal
from tests.addons.support import make_request, make_response

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
HEADERS = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Protocol": f"{V5}, {V4}",
}


def offered(method: str = "GET", **headers: str | None) -> http.Request:
    """A handshake with some headers changed or (None) left out."""
    changed = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    return make_request(method=method, headers={name: value for name, value in changed.items() if value is not None})


def answered(handshake: Handshake, **headers: str | None) -> http.Response:
    """The target's answer, with some headers changed or left out."""
    fitting = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Accept": _accept(handshake.own_key),
        "Sec-WebSocket-Protocol": V4,
    }
    changed = fitting | {name.replace("_", "-"): value for name, value in headers.items()}
    response = make_response(headers={name: value for name, value in changed.items() if value is not None})
    response.status_code = 101
    return response


def test_the_accept_value_is_the_rfcs() -> None:
    """The example of RFC 6455, 1.3."""
    assert _accept(KEY) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


def test_known_subprotocols_go_on_in_their_order() -> None:
    """A key among them does not, nor anything else."""
    hidden = "base64url.bearer.authorization.k8s.io.c2VjcmV0"
    handshake = read_handshake(offered(Sec_WebSocket_Protocol=f"chat, {hidden}, {V4} ,{V5}"), PROTOCOLS["exec"])
    fields = dict(handshake.request_fields())
    assert fields[b"Sec-WebSocket-Protocol"] == f"{V4}, {V5}".encode()
    assert fields[b"Sec-WebSocket-Key"].decode() == handshake.own_key != KEY
    assert len(base64.b64decode(handshake.own_key)) == 16
    assert not any(b"xtension" in name for name in fields)
    assert hidden not in repr(handshake)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_WebSocket_Protocol": "chat"},
        {"Sec_WebSocket_Protocol": None},
        {"Sec_WebSocket_Protocol": PORTFORWARD},
        {"Sec_WebSocket_Protocol": V5.upper()},
        {"Sec_WebSocket_Key": None},
        {"Sec_WebSocket_Key": "c2hvcnQ="},
        {"Sec_WebSocket_Key": "not base64!"},
        {"Sec_WebSocket_Version": "8"},
        {"Sec_WebSocket_Version": None},
        {"Connection": "keep-alive"},
        {"method": "POST"},
    ],
)
def test_an_unfitting_offer_is_malformed(headers: dict[str, str]) -> None:
    """Each of these could be read in two ways, or not be followed."""
    with pytest.raises(Refusal) as refused:
        read_handshake(offered(**headers), PROTOCOLS["exec"])
    assert refused.value.code is Code.MALFORMED


def test_the_agent_gets_an_answer_to_its_own_key() -> None:
    """And no header but those of the handshake, and no phrase of the target's."""
    handshake = read_handshake(offered(), PROTOCOLS["exec"])
    response = answered(handshake, Set_Cookie="a=b", X_Other="c")
    response.reason = "planted-credential"
    handshake.switch(response)
    assert response.reason == "Switching Protocols"
    assert response.headers["Sec-WebSocket-Accept"] == _accept(KEY)
    assert {name.lower() for name in response.headers} == {
        *("connection", "upgrade", "sec-websocket-accept", "sec-websocket-protocol")
    }


@pytest.mark.parametrize(
    "headers",
    [
        {"Upgrade": "SPDY/3.1"},
        {"Upgrade": None},
        {"Sec_WebSocket_Accept": None},
        {"Sec_WebSocket_Accept": _accept(KEY)},
        {"Sec_WebSocket_Protocol": None},
        {"Sec_WebSocket_Protocol": PORTFORWARD},
        {"Sec_WebSocket_Protocol": f"{V4}, {V5}"},
        {"Sec_WebSocket_Extensions": "permessage-deflate"},
    ],
)
def test_an_unfitting_answer_opens_nothing(headers: dict[str, str | None]) -> None:
    """What was not asked for is not agreed upon."""
    handshake = read_handshake(offered(), PROTOCOLS["exec"])
    with pytest.raises(Refusal):
        handshake.switch(answered(handshake, **headers))


@pytest.mark.parametrize("status", [100, 102, 103])
def test_only_101_switches(status: int) -> None:
    """Whatever its headers say."""
    handshake = read_handshake(offered(), PROTOCOLS["exec"])
    response = answered(handshake)
    response.status_code = status
    with pytest.raises(Refusal):
        handshake.switch(response)


@pytest.mark.parametrize(
    ("offer", "goes_on"),
    [
        (None, ()),
        ("chat.v2, graphql-transport-ws", ("chat.v2", "graphql-transport-ws")),
        ("realtime, openai-insecure-api-key.sk-1, bearer.abc, Authorization", ("realtime",)),
        ("v1, 0123456789abcdef, a/b, " + "x" * 33, ("v1",)),
        ("v1.0123456789abcdef", ()),
    ],
)
def test_free_subprotocols_go_on_unless_they_look_like_a_key(offer: str | None, goes_on: tuple[str, ...]) -> None:
    """None has to be there, and the target may choose none; it may not choose what was not offered."""
    handshake = read_free_handshake(offered(Sec_WebSocket_Protocol=offer))
    assert handshake.protocols == goes_on
    assert any(name == b"Sec-WebSocket-Protocol" for name, _ in handshake.request_fields()) is bool(goes_on)
    response = answered(handshake, Sec_WebSocket_Protocol=None)
    handshake.switch(response)
    assert "sec-websocket-protocol" not in response.headers
    with pytest.raises(Refusal):
        handshake.switch(answered(handshake, Sec_WebSocket_Protocol="sk-1"))
