"""Law: an allowed call becomes a tunnel only where its messages can be followed."""

import pytest
from mitmproxy import http

from addons.calls import BEFORE_SEAL, Stage
from addons.handshakes import PORTFORWARD, V5
from addons.runtime import Runtime
from addons.upgrades import Upgrades, is_opened
from policy.codes import Code
from policy.errors import Refusal
from policy.model import DlpObligation
from tests.addons.support import judged, make_flow, make_request
from tests.addons.test_handshakes import HEADERS

POD = "/api/v1/namespaces/prod/pods/web"
CLUSTER = "https://kubernetes.corp.example:6443"


def asked(
    runtime: Runtime,
    path: str,
    *,
    stage: Upgrades | None = None,
    method: str = "GET",
    target: str = "main",
    dlp: DlpObligation | None = None,
    **headers: str,
) -> http.HTTPFlow:
    """A call that policy allowed."""
    url = f"{CLUSTER if target == 'main' else 'https://crm.corp.example'}{path}"
    flow = make_flow(make_request(url, method, headers=headers))
    call = judged(runtime, flow, target=target, dlp=dlp)
    call.stamps = list(BEFORE_SEAL[: BEFORE_SEAL.index(Stage.UPGRADE)])
    (stage or Upgrades(runtime)).request(flow)
    return flow


def web_socket(protocol: str) -> dict[str, str]:
    return HEADERS | {"Sec-WebSocket-Protocol": protocol}


@pytest.mark.parametrize(("subresource", "protocol"), [("exec", V5), ("attach", V5), ("portforward", PORTFORWARD)])
async def test_tunnels_of_pods_pass(runtime: Runtime, subresource: str, protocol: str) -> None:
    """With the handshake noted."""
    flow = asked(runtime, f"{POD}/{subresource}?command=id&stdout=1", **web_socket(protocol))
    call = runtime.call(flow)
    assert flow.response is None
    assert call.handshake is not None
    assert call.handshake.protocols == (protocol,)
    assert call.stamps[-1] is Stage.UPGRADE


@pytest.mark.parametrize("path", [POD, "/api/v1/pods?watch=1", f"{POD}/log", f"{POD}/proxy/", "/version"])
async def test_ordinary_calls_pass(runtime: Runtime, path: str) -> None:
    """Nothing was asked for."""
    flow = asked(runtime, path)
    assert flow.response is None
    assert runtime.call(flow).handshake is None
    assert runtime.call(flow).stamps[-1] is Stage.UPGRADE


REFUSED = {
    "watch": ("GET", "/api/v1/pods?watch=1", web_socket("binary.k8s.io"), "only exec"),
    "log": ("GET", f"{POD}/log?follow=1", web_socket("binary.k8s.io"), "only exec"),
    "proxy": ("GET", f"{POD}/proxy/", web_socket(V5), "only exec"),
    "node proxy": ("GET", "/api/v1/nodes/n/proxy/exec", web_socket(V5), "only exec"),
    "another group's pods": ("GET", "/apis/x.io/v1/namespaces/prod/pods/web/exec", web_socket(V5), "only exec"),
    "SPDY": ("POST", f"{POD}/exec?command=id", {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}, "1.31 or later"),
    "SPDY proxy": ("POST", f"{POD}/proxy/", {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}, "only exec"),
    "plain": ("POST", f"{POD}/exec?command=id", {}, "needs an upgrade"),
    "plain get": ("GET", f"{POD}/attach", {}, "needs an upgrade"),
    "plain delete": ("DELETE", f"{POD}/portforward", {}, "needs an upgrade"),
    "unknown": ("GET", f"{POD}/exec?command=id", web_socket("chat"), "subprotocols"),
}


@pytest.mark.parametrize(("method", "path", "headers", "words"), REFUSED.values(), ids=REFUSED.keys())
async def test_everything_else_is_malformed(
    runtime: Runtime, method: str, path: str, headers: dict[str, str], words: str
) -> None:
    """With a reason that says what to do."""
    flow = asked(runtime, path, method=method, **headers)
    refusal = runtime.call(flow).refusal
    assert refusal is not None
    assert refusal.code is Code.MALFORMED
    assert words in refusal.detail
    assert runtime.call(flow).stamps[-1] is not Stage.UPGRADE


async def test_spdy_gets_the_answer_that_the_web_socket_got(runtime: Runtime) -> None:
    """kubectl shows only that one. Once, to the same agent, for the same command."""
    stage, path = Upgrades(runtime), f"{POD}/exec?command=id&stdout=1"
    spdy = {"Connection": "Upgrade", "Upgrade": "SPDY/3.1"}
    pending = Refusal(Code.APPROVAL_PENDING, "this call waits for approval apr_1", approval="apr_1", retry_after=2)
    first = asked(runtime, path, stage=stage, **web_socket(V5))
    runtime.refuse(first, pending)
    stage.response(first)
    other = asked(runtime, path.replace("id", "ls"), stage=stage, method="POST", **spdy)
    assert runtime.call(other).refusal is not pending
    second = asked(runtime, path, stage=stage, method="POST", **spdy)
    assert runtime.call(second).refusal is pending
    assert runtime.call(second).approval == "apr_1"
    third = asked(runtime, path, stage=stage, method="POST", **spdy)
    assert "SPDY is not supported" in str(runtime.call(third).refusal)


async def test_http_targets_get_a_web_socket(runtime: Runtime) -> None:
    """Once policy opened it; the Origin is the target's own."""
    flow = asked(runtime, "/live", target="crm", **web_socket("chat"), Origin="https://evil.example")
    call = runtime.call(flow)
    assert flow.response is None
    assert call.handshake is not None
    assert (call.handshake.protocols, call.handshake.is_free) == (("chat",), True)
    assert flow.request.headers["origin"] == "https://crm.corp.example"
    plain = asked(runtime, "/live", target="crm")
    assert runtime.call(plain).handshake is None
    for upgrade in ("SPDY/3.1", "h2c", "websocket, h2c"):
        other = asked(runtime, "/live", target="crm", **HEADERS | {"Upgrade": upgrade})
        refusal = runtime.call(other).refusal
        assert refusal is not None
        assert refusal.code is Code.MALFORMED


async def test_an_upgrade_is_judged_where_a_rule_could_open_it(runtime: Runtime) -> None:
    """Anywhere else it has no meaning, and is refused before."""
    target = runtime.gateway.registry.named("crm")
    assert target is not None
    request = make_request(headers={"Upgrade": "websocket"})
    assert not is_opened(runtime.gateway.ruling.engine, target, request)


@pytest.mark.parametrize(
    ("path", "protocol", "passes"),
    [
        ("exec?command=sh&stdin=1&stdout=1&tty=1", V5, False),
        ("attach?stdin=1&tty=1", V5, False),
        ("portforward?ports=80", PORTFORWARD, False),
        ("exec?command=sh&stdin=1&stdout=1", V5, True),
        ("exec?command=sh&stdout=1&tty=1", V5, True),
    ],
)
async def test_input_that_cannot_be_searched_is_refused(
    runtime: Runtime, path: str, protocol: str, passes: bool
) -> None:
    """Where a rule has it searched: keys at a terminal, and bytes that nobody reads."""
    asks = DlpObligation(profiles=("pci",), action="block")
    flow = asked(runtime, f"{POD}/{path}", dlp=asks, **web_socket(protocol))
    refusal = runtime.call(flow).refusal
    assert (refusal is None) is passes
    assert passes or (refusal is not None and refusal.code is Code.DLP_BLOCKED and "searched" in refusal.detail)
