"""Law: an agent's own credentials and claims never go on; the target's does, to this target only."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import connection, http

from addons.calls import Stage
from addons.handshakes import Handshake
from addons.inject import Inject
from addons.record import Recording
from addons.runtime import Runtime
from addons.seal import Seal
from gatehold.config.values import Secret
from gatehold.credentials.injection import Injection, origins
from gatehold.credentials.sigv4 import Keys, signer
from masking.encodings import ACCEPTED
from masking.literals import Literals
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent
from tests.addons.conftest import CREDENTIAL
from tests.addons.support import judged, make_client, make_flow, make_request
from tests.addons.test_handshakes import HEADERS

STRIPPED = {
    "Authorization": "Bearer agent", "Proxy-Authorization": "Basic agent", "Cookie": "a=b", "x_api_key": "agent",
    "X-Forwarded-For": "1.2.3.4", "X_Forwarded_Host": "evil", "Gatehold-Decision": "fake", "X-Remote-User": "root",
    "Connection": "keep-alive", "TE": "trailers", "Via": "1.1 x",
}  # fmt: skip
KEPT = {"Accept": "*/*", "X-Note": "planner", "Content-Type": "application/json"}


async def _injected(runtime: Runtime, request: http.Request, target: str = "crm", **more: object) -> http.HTTPFlow:
    flow = make_flow(request)
    judged(runtime, flow, target=target, **more).stamps.remove(Stage.INJECT)  # type: ignore[arg-type]
    await Inject(runtime).request(flow)
    return flow


async def test_what_an_agent_sends_of_itself_is_taken_out(runtime: Runtime) -> None:
    """In every spelling; the rest goes on as it was."""
    flow = await _injected(runtime, make_request(headers=STRIPPED | KEPT))
    names = {name.lower() for name in flow.request.headers}
    assert not names & {name.lower() for name in STRIPPED}
    assert {name: flow.request.headers[name] for name in KEPT} == KEPT
    call = runtime.ledger.get(flow)
    assert call is not None
    assert call.ready_for_seal


async def test_a_tunnel_gets_a_handshake_of_the_gateways_own(runtime: Runtime) -> None:
    """The agent's nonce, its other subprotocols and its extensions stay behind."""
    url = "https://kubernetes.corp.example:6443/api/v1/namespaces/a/pods/b/exec?command=id"
    agents = HEADERS | {"Sec-WebSocket-Extensions": "permessage-deflate", "Authorization": "Bearer agent"}
    flow = make_flow(make_request(url, headers=agents))
    call = judged(runtime, flow, target="main")
    call.stamps.remove(Stage.INJECT)
    call.handshake = Handshake(key=HEADERS["Sec-WebSocket-Key"], protocols=("v5.channel.k8s.io",))
    await Inject(runtime).request(flow)
    headers = flow.request.headers
    assert (headers["Connection"], headers["Upgrade"]) == ("Upgrade", "websocket")
    assert headers.get_all("Sec-WebSocket-Protocol") == ["v5.channel.k8s.io"]
    assert headers.get_all("Sec-WebSocket-Key") == [call.handshake.own_key]
    assert headers["Sec-WebSocket-Key"] != HEADERS["Sec-WebSocket-Key"]
    assert "sec-websocket-extensions" not in headers
    assert "authorization" not in headers


@pytest.mark.parametrize("name", ["X-Crm-Key", "x-crm-key", "X_Crm_Key"])
async def test_the_credential_replaces_whatever_stood_there(runtime: Runtime, name: str) -> None:
    """Once, however an agent spelled it."""
    flow = await _injected(runtime, make_request(headers={name: "agent"}))
    fields = [value for key, value in flow.request.headers.fields if key.lower().replace(b"_", b"-") == b"x-crm-key"]
    assert fields == [f"Key {CREDENTIAL}".encode()]


@pytest.mark.parametrize(
    "where",
    [("http", "crm.corp.example", 443), ("https", "plain.corp.example", 443), ("https", "crm.corp.example", 8443)],
)
async def test_the_credential_goes_nowhere_else(runtime: Runtime, where: tuple[str, str, int]) -> None:
    """Another scheme, host or port of the same call is refused, and the header is not there."""
    request = make_request()
    request.scheme, request.host, request.port = where
    flow = await _injected(runtime, request)
    call = runtime.ledger.get(flow)
    assert call is not None
    assert call.refusal is not None
    assert call.refusal.code is Code.GATEWAY_ERROR
    assert CREDENTIAL.encode() not in repr(flow.request.headers.fields).encode()


@pytest.mark.parametrize(
    ("url", "host"), [("https://crm.corp.example/", "crm.corp.example"), ("https://127.0.0.1/", "127.0.0.1")]
)
async def test_the_target_is_named_as_it_is_registered(runtime: Runtime, url: str, host: str) -> None:
    """Exactly one Host, first."""
    flow = await _injected(runtime, make_request(url))
    assert flow.request.headers.fields[0] == (b"Host", host.encode())
    assert flow.request.headers.get_all("host") == [host]


async def test_h2_names_it_in_its_authority(runtime: Runtime) -> None:
    """Names in lower case, and no Host beside it."""
    request = make_request(headers={"X-Note": "a"})
    request.http_version, request.authority = "HTTP/2.0", "crm.corp.example:443"
    flow = await _injected(runtime, request)
    assert flow.request.authority == "crm.corp.example"
    assert all(name == name.lower() and name != b"host" for name, _ in flow.request.headers.fields)


@pytest.mark.parametrize("masked", [True, False])
async def test_a_masked_answer_is_asked_for_as_a_whole(runtime: Runtime, masked: bool) -> None:
    """A part of a body, or "not changed", would defeat a mask; a part also hides half of a credential that comes back."""
    sent = {"Range": "bytes=0-9", "If-None-Match": '"a"', "If-Modified-Since": "x", "Accept-Encoding": "br, gzip, zstd"}
    flow = await _injected(runtime, make_request(headers=sent), profiles=("pii",) if masked else ())
    assert "range" not in flow.request.headers
    assert ("if-none-match" in flow.request.headers) is not masked
    assert flow.request.headers.get_all("accept-encoding") == [ACCEPTED]


async def test_without_a_mask_or_credential_the_agent_says_what_it_reads(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such an answer is passed on as it comes."""
    monkeypatch.setattr(type(runtime.gateway), "echoes", lambda _: Literals(()))
    for asked, sent in (("br, gzip", "gzip"), ("br", "identity"), ("", "identity")):
        flow = await _injected(runtime, make_request(headers={"Accept-Encoding": asked}))
        assert flow.request.headers.get_all("accept-encoding") == [sent]


@pytest.mark.parametrize(
    "name", ["Want-Digest", "Want-Repr-Digest", "want_content_digest", "Request-Range", "If-Range"]
)
async def test_nothing_is_asked_about_the_bytes_before_masking(runtime: Runtime, name: str) -> None:
    """In no spelling."""
    flow = await _injected(runtime, make_request(headers={name: "x"}), profiles=("pii",))
    assert name.lower() not in flow.request.headers


@pytest.mark.parametrize(("method", "body", "expected"), [("GET", b"", []), ("POST", b"", ["0"]), ("POST", b"abc", ["3"]), ("DELETE", b"ab", ["2"])])  # fmt: skip
async def test_the_length_is_our_own(runtime: Runtime, method: str, body: bytes, expected: list[str]) -> None:
    """Of the body that was judged; never what an agent claimed."""
    request = make_request(method=method, content=body)
    if body:
        request.headers["Content-Length"] = "99"
    flow = await _injected(runtime, request)
    assert flow.request.headers.get_all("content-length") == expected


async def test_impersonation_is_prefixed(runtime: Runtime) -> None:
    """No claim can become ``system:masters``."""
    flow = await _injected(runtime, make_request("https://kubernetes.corp.example:6443/api/v1/pods"), target="main")
    assert flow.request.headers["Impersonate-User"] == "agent:corp:planner-1"
    assert flow.request.headers.get_all("Impersonate-Group") == ["agent:planners"]


@pytest.mark.parametrize("subject", ["a\r\nImpersonate-Group: system:masters", "ünï", "a\x00"])
async def test_a_name_that_is_no_header_refuses(runtime: Runtime, subject: str) -> None:
    """The call is refused, with the reason."""
    flow = make_flow(make_request("https://kubernetes.corp.example:6443/api/v1/pods"))
    call = judged(runtime, flow, target="main")
    call.agent = Agent(issuer="corp", subject=subject)
    call.stamps.remove(Stage.INJECT)
    await Inject(runtime).request(flow)
    assert call.refusal is not None
    assert "header" in call.refusal.detail
    assert Stage.INJECT not in call.stamps


def _holding(runtime: Runtime, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Injection:
    """A broker that gives the target ``crm`` this credential."""
    bound = origins("https", [("crm.corp.example", 443), ("127.0.0.1", 443)])
    injection = Injection(bound=bound, **more)
    monkeypatch.setattr(runtime.gateway.broker, "get_cached", lambda *_: injection)
    return injection


async def test_a_query_credential_stands_in_what_leaves_only(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was judged, and so is shown and recorded, is without it; the seal takes nothing but it."""
    _holding(runtime, monkeypatch, query=(("api key", Secret("planted&1")),))
    flow = await _injected(runtime, make_request("https://crm.corp.example/a?b=%2f&API+KEY=agent"))
    call = runtime.ledger.get(flow)
    assert call is not None
    assert flow.request.path == call.path_that_leaves == "/a?b=%2f&api%20key=planted%261"
    assert call.path_to_send == call.known_action.wire_path == "/a?b=%2f&API+KEY=agent"
    assert "planted" not in repr(call)
    seal = Seal(runtime, Recording(runtime))
    await seal.request(flow)
    assert call.refusal is None
    assert call.described is not None
    assert "planted" not in repr(call.described)


@pytest.mark.parametrize("shown", [True, False])
async def test_parts_are_asked_for_where_no_credential_can_come_back(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, shown: bool
) -> None:
    """Else the agent would cut one where it is found in no spelling."""
    _holding(runtime, monkeypatch, headers=(("X-Key", Secret("planted-1")),) if shown else ())
    parts = {"Range": "bytes=0-9", "If-Range": '"a"', "A-IM": "x", "Request-Range": "bytes=0-9"}
    flow = await _injected(runtime, make_request(headers=parts))
    assert [name in flow.request.headers for name in parts] == [not shown] * len(parts)


async def test_who_waited_for_a_credential_is_asked_for_once_more(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Access that was revoked meanwhile makes no call."""
    injection = _holding(runtime, monkeypatch, headers=(("X-Key", Secret("planted-1")),))

    async def slow(*_: object) -> Injection:
        return injection

    async def revoked(_: str) -> Agent:
        raise Refusal(Code.REVOKED, "revoked")

    monkeypatch.setattr(runtime.gateway.broker, "get_cached", lambda *_: None)
    monkeypatch.setattr(runtime.gateway.broker, "get", slow)
    monkeypatch.setattr(runtime.gateway.verifier, "verify_cached", lambda _: None)
    monkeypatch.setattr(runtime.gateway.verifier, "verify", revoked)
    flow = make_flow(make_request())
    call = judged(runtime, flow)
    call.stamps.remove(Stage.INJECT)
    call.token = "shown"
    await Inject(runtime).request(flow)
    assert call.refusal is not None
    assert call.refusal.code is Code.REVOKED
    assert "x-key" not in flow.request.headers
    assert Stage.INJECT not in call.stamps


async def test_a_path_that_was_changed_is_not_sealed(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even by the parameter of another call."""
    _holding(runtime, monkeypatch, query=(("k", Secret("planted-1")),))
    flow = await _injected(runtime, make_request("https://crm.corp.example/a"))
    flow.request.path += "&more"
    await Seal(runtime, Recording(runtime)).request(flow)
    call = runtime.ledger.get(flow)
    assert call is not None
    assert call.refusal is not None
    assert not call.sealed


async def test_the_gateways_cookie_is_the_only_one(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent's own are taken out, in every spelling."""
    _holding(runtime, monkeypatch, cookies=(("session", Secret("planted-1")),))
    flow = await _injected(runtime, make_request(headers={"Cookie": "session=agent", "Cookie2": "agent"}))
    assert [value for name, value in flow.request.headers.items(multi=True) if "cookie" in name.lower()] == [
        "session=planted-1"
    ]


@pytest.mark.parametrize("http2", [False, True])
@pytest.mark.parametrize("body", [b"", b"x" * 300_000])
async def test_a_signature_is_over_what_leaves(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch, http2: bool, body: bytes
) -> None:
    """The registered host, the path and body that leave; an agent's own signature is gone, the new one masked."""
    keys = Keys(key_id=Secret("AKIDPLANTED"), key=Secret("planted-1"))
    signing = signer(keys, service="s3", region="eu-west-1")
    _holding(runtime, monkeypatch, signer=signing)
    sent = {"Authorization": "AWS4-HMAC-SHA256 agent", "X-Amz-Date": "agent", "x_amz_security_token": "agent",
            "X-Amz-Content-SHA256": "UNSIGNED-PAYLOAD", "Date": "agent", "X-Amz-Acl": "private"}  # fmt: skip
    request = make_request("https://crm.corp.example/a?b", method="POST", headers=sent, content=body)
    if http2:
        request.http_version, request.authority = "HTTP/2.0", "crm.corp.example:443"
    flow = await _injected(runtime, request)
    headers = flow.request.headers
    assert "agent" not in repr(headers.fields)
    assert headers.get_all("x-amz-content-sha256") == [hashlib.sha256(body).hexdigest()]
    assert "SignedHeaders=host;x-amz-acl;x-amz-content-sha256;x-amz-date" in headers["authorization"]
    given = [("Host", "crm.corp.example"), ("X-Amz-Acl", "private")]
    again = signing.sign("POST", "https://crm.corp.example/a?b", given, body)
    assert (headers["x-amz-date"] != dict(again)["X-Amz-Date"].reveal()) or (
        headers["authorization"] == dict(again)["Authorization"].reveal()
    )
    call = runtime.ledger.get(flow)
    assert call is not None
    signature = headers["authorization"].rpartition("=")[2].encode()
    assert runtime.echoes(call).replace(b"a " + signature + b" b") == b"a *** b"


async def test_a_certificates_connection_is_one_agents(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """For as long as the client's connection lives; without a certificate there is nothing to keep apart."""
    client, inject = make_client(tls=True), Inject(runtime)

    async def refused(subject: str, client: connection.Client) -> Code | None:
        flow = make_flow(make_request(), client)
        call = judged(runtime, flow)
        call.agent = Agent(issuer="corp", subject=subject)
        call.stamps.remove(Stage.INJECT)
        await inject.request(flow)
        return call.refusal.code if call.refusal else None

    _holding(runtime, monkeypatch)
    assert [await refused(subject, client) for subject in ("ada", "bob")] == [None, None]
    _holding(runtime, monkeypatch, client_certificate=Path("client.pem"))
    assert [await refused(subject, client) for subject in ("ada", "bob", "ada")] == [None, Code.MISDIRECTED, None]
    assert await refused("bob", make_client(tls=True)) is None
    inject.client_disconnected(client)
    assert await refused("bob", client) is None
