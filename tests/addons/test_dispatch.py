"""Law: a governance addon that fails or is gone refuses; other addons cannot open the door; the table follows the chain."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from mitmproxy import exceptions, hooks, http, tls
from mitmproxy.proxy import context, layer, server_hooks
from mitmproxy.proxy.layers.http import _hooks as http_hooks
from mitmproxy.test import taddons, tflow

from addons import failsafe
from addons.calls import Ledger, Stage
from addons.dispatch import GuardedAddonManager, guard
from tests.addons.support import is_killed, make_client, make_flow

PLANTED = "planted: bytes of a call"


class Addon:
    """An addon with one hook."""

    def __init__(self, event: str, act: Callable[..., Any], name: str = "") -> None:
        self.calls = 0
        self._act = act
        self.name = name or f"addon-{id(self)}"
        setattr(self, event, self._hook)

    def _hook(self, *arguments: Any) -> Any:
        self.calls += 1
        return self._act(*arguments)


class Failing(Addon):
    """Fails in one hook."""

    def __init__(self, event: str) -> None:
        super().__init__(event, self._fail)

    @staticmethod
    def _fail(*_arguments: Any) -> None:
        raise RuntimeError(PLANTED)


class FailingLater(Failing):
    """Fails in one hook after it has waited."""

    @staticmethod
    async def _fail(*_arguments: Any) -> None:  # type: ignore[override]
        await asyncio.sleep(0)
        raise RuntimeError(PLANTED)


class Proxy:
    """A master with a guarded addon manager."""

    def __init__(self) -> None:
        self.master = taddons.context(loadcore=False).master
        self.ledger = Ledger()
        self.addons: GuardedAddonManager = guard(self.master.addons, self.ledger)

    def govern(self, *addons: Any) -> None:
        """These are governance addons."""
        self.addons.add(*addons)
        self.addons.governance = (*self.addons.governance, *addons)

    async def trigger(self, event: str, *arguments: Any) -> None:
        """As mitmproxy does for live connections."""
        await self.addons.handle_lifecycle(hooks.all_hooks[event](*arguments))

    def sealed_flow(self) -> http.HTTPFlow:
        """A flow that passed every stage."""
        flow = make_flow()
        self.ledger.open(flow).stamps = list(Stage)
        return flow


@pytest.fixture
async def proxy() -> Proxy:
    return Proxy()


def _server_data() -> server_hooks.ServerConnectionHookData:
    return server_hooks.ServerConnectionHookData(tflow.tserver_conn(), make_client())


def _context() -> context.Context:
    return context.Context(make_client(), None)  # type: ignore[arg-type]


def _answered_flow() -> http.HTTPFlow:
    flow = make_flow()
    flow.response = http.Response.make(200, b"not governed")
    return flow


def _is_answered_503(flow: http.HTTPFlow) -> bool:
    return (
        flow.response is not None and flow.response.status_code == 503 and b"not governed" not in flow.response.content
    )  # type: ignore[operator]


REFUSED: dict[str, tuple[Callable[[], Any], Callable[[Any], bool]]] = {
    "http_connect": (make_flow, _is_answered_503),
    "requestheaders": (make_flow, _is_answered_503),
    "request": (make_flow, _is_answered_503),
    "response": (_answered_flow, _is_answered_503),
    "responseheaders": (_answered_flow, is_killed),
    "client_connected": (make_client, lambda client: bool(client.error)),
    "server_connect": (_server_data, lambda data: bool(data.server.error)),
    "next_layer": (lambda: layer.NextLayer(_context()), lambda data: isinstance(data.layer, failsafe.ClosingLayer)),
    "tls_start_client": (lambda: tls.TlsData(make_client(), _context(), object()), lambda data: data.ssl_conn is None),  # type: ignore[arg-type]
    "tls_start_server": (lambda: tls.TlsData(make_client(), _context(), object()), lambda data: data.ssl_conn is None),  # type: ignore[arg-type]
    "websocket_message": (tflow.twebsocketflow, lambda flow: flow.websocket.messages[-1].dropped and is_killed(flow)),
    "tcp_start": (tflow.ttcpflow, is_killed),
    "tcp_message": (tflow.ttcpflow, lambda flow: flow.messages[-1].content == b"" and is_killed(flow)),
    "dns_request": (tflow.tdnsflow, is_killed),
}


@pytest.mark.parametrize("kind", [Failing, FailingLater])
@pytest.mark.parametrize("event", REFUSED)
async def test_a_failing_governance_addon_refuses(
    proxy: Proxy, event: str, kind: type[Failing], caplog: pytest.LogCaptureFixture
) -> None:
    """In the way of each hook; later addons are not asked; the log tells type and place, never the text."""
    later = Addon(event, lambda *_: None)
    proxy.govern(kind(event), later)
    make, is_refused = REFUSED[event]
    subject = make()
    await proxy.trigger(event, subject)
    assert is_refused(subject)
    assert later.calls == 0
    assert "RuntimeError at " in caplog.text
    assert PLANTED not in caplog.text


@pytest.mark.parametrize("event", [event for event in REFUSED if event != "request"])
async def test_another_addon_that_fails_refuses_nothing(
    proxy: Proxy, event: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, without its text, and the addons after it are asked."""
    later = Addon(event, lambda *_: None)
    proxy.addons.add(Failing(event))
    proxy.govern(later)
    make, is_refused = REFUSED[event]
    subject = make()
    await proxy.trigger(event, subject)
    assert later.calls == 1
    assert not is_refused(subject)
    assert "RuntimeError at " in caplog.text
    assert PLANTED not in caplog.text


async def test_a_sealed_request_passes(proxy: Proxy) -> None:
    """Also where an addon that does not govern fails."""
    proxy.addons.add(Failing("request"))
    flow = proxy.sealed_flow()
    await proxy.trigger("request", flow)
    assert flow.response is None
    assert flow.error is None


async def test_a_request_without_a_seal_is_refused(proxy: Proxy) -> None:
    """Even where no addon is left, or each of them did nothing."""
    for _ in range(2):
        flow = make_flow()
        await proxy.trigger("request", flow)
        assert _is_answered_503(flow)
        proxy.addons.add(Addon("request", lambda flow: None))


@pytest.mark.parametrize("missing", list(Stage))
async def test_each_missing_stamp_refuses(proxy: Proxy, missing: Stage) -> None:
    """Positive evidence of every stage, or nothing goes upstream."""
    flow = proxy.sealed_flow()
    call = proxy.ledger.get(flow)
    assert call is not None
    call.stamps.remove(missing)
    await proxy.trigger("request", flow)
    assert _is_answered_503(flow)


async def test_an_answered_request_needs_no_seal(proxy: Proxy) -> None:
    """A refusal by a stage is passed on as it is."""
    flow = make_flow()
    answer = flow.response = http.Response.make(403)
    await proxy.trigger("request", flow)
    assert flow.response is answer


async def test_a_halt_skips_no_seal(proxy: Proxy) -> None:
    """An addon that ends the hook early cannot send a call around the stages behind it."""

    def halt(_flow: http.HTTPFlow) -> None:
        raise exceptions.AddonHalt

    governing = Addon("request", lambda flow: None)
    proxy.addons.add(Addon("request", halt))
    proxy.govern(governing)
    flow = make_flow()
    await proxy.trigger("request", flow)
    assert governing.calls == 0
    assert _is_answered_503(flow)


async def test_metadata_is_no_evidence(proxy: Proxy) -> None:
    """What an addon or a loaded file writes into a flow does not seal it."""
    flow = make_flow()
    flow.metadata["stamps"] = list(Stage)
    flow.metadata["gatehold"] = {"sealed": True}
    await proxy.trigger("request", flow)
    assert _is_answered_503(flow)


@pytest.mark.parametrize("way", ["remove", "clear", "breach"])
async def test_a_breach_closes_the_door(proxy: Proxy, way: str) -> None:
    """Governance is taken out: every later call is refused, sealed or not, and the proxy shuts down."""
    governing = Addon("request", lambda flow: None, name="governing")
    proxy.govern(governing)
    arguments = {"remove": (governing,), "clear": (), "breach": ("the bundle script was unloaded",)}
    getattr(proxy.addons, way)(*arguments[way])
    await proxy.master.should_exit.wait()
    assert proxy.addons.breached
    assert "breached" in repr(proxy.addons)
    flow = proxy.sealed_flow()
    await proxy.trigger("request", flow)
    assert _is_answered_503(flow)


@pytest.mark.parametrize("event", REFUSED)
async def test_after_a_breach_every_hook_refuses(proxy: Proxy, event: str) -> None:
    """Also those of connections and tunnels that were there before; no addon is asked any more."""
    asked = Addon(event, lambda *_: None)
    proxy.addons.add(asked)
    proxy.addons.breach("for a test")
    make, is_refused = REFUSED[event]
    subject = make()
    await proxy.trigger(event, subject)
    assert is_refused(subject)
    assert asked.calls == 0


async def test_after_a_breach_the_end_is_still_told(proxy: Proxy) -> None:
    """What is queued has to be written when the proxy ends."""
    ended = Addon("done", lambda: None)
    proxy.addons.add(ended)
    proxy.addons.breach("for a test")
    await proxy.addons.trigger_event(hooks.DoneHook())
    assert ended.calls == 1


async def test_the_first_breach_is_the_one_that_is_told(proxy: Proxy, caplog: pytest.LogCaptureFixture) -> None:
    """Shutting down takes addons out as well."""
    proxy.addons.breach("the first")
    proxy.addons.breach("the second")
    assert proxy.addons.breached == "the first"
    assert "the second" not in caplog.text


async def test_other_addons_may_go(proxy: Proxy) -> None:
    """They are not called any more, and that is all."""
    other = Addon("responseheaders", lambda flow: None, name="other")
    proxy.addons.add(other)
    await proxy.trigger("responseheaders", make_flow())
    proxy.addons.remove(other)
    await proxy.trigger("responseheaders", make_flow())
    assert other.calls == 1
    assert not proxy.addons.breached


async def test_the_table_follows_the_chain(proxy: Proxy) -> None:
    """An addon that comes later is called from then on; sub-addons too; in chain order."""
    order: list[str] = []
    await proxy.trigger("responseheaders", make_flow())
    parent = Addon("responseheaders", lambda _: order.append("parent"))
    parent.addons = [Addon("responseheaders", lambda _: order.append("child"))]  # type: ignore[attr-defined]
    proxy.addons.add(parent)
    proxy.addons.add(Addon("responseheaders", lambda _: order.append("last")))
    await proxy.trigger("responseheaders", make_flow())
    assert order == ["parent", "child", "last"]


async def test_the_table_is_built_once(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """The chain is not walked for every event."""
    walks = 0
    walk = proxy.addons._iter_hooks

    def counting(addon: Any, event: hooks.Hook) -> Any:
        nonlocal walks
        walks += 1
        return walk(addon, event)

    proxy.addons.add(Addon("responseheaders", lambda flow: None))
    monkeypatch.setattr(proxy.addons, "_iter_hooks", counting)
    for _ in range(5):
        await proxy.trigger("responseheaders", make_flow())
    assert walks == 1


async def test_a_stock_addon_is_set_aside(proxy: Proxy) -> None:
    """With its children; it is not called, is not found, and is not told that it ends, for it never began."""
    stock = Addon("responseheaders", lambda flow: None, name="stock")
    stock.done = lambda: pytest.fail("it was told")  # type: ignore[attr-defined]
    stock.addons = [Addon("responseheaders", lambda flow: None, name="child")]  # type: ignore[attr-defined]
    proxy.addons.add(stock)
    await proxy.trigger("responseheaders", make_flow())
    proxy.addons.set_aside(stock)
    await proxy.trigger("responseheaders", make_flow())
    assert stock.calls == 1
    assert proxy.addons.get("stock") is None
    assert proxy.addons.get("child") is None
    assert not proxy.addons.breached


async def test_no_update_event_follows(proxy: Proxy) -> None:
    """Nothing here listens to it."""
    updated = Addon("update", lambda flows: None)
    proxy.addons.add(updated)
    await proxy.trigger("responseheaders", make_flow())
    assert updated.calls == 0


async def test_options_that_are_wrong_are_still_told(proxy: Proxy) -> None:
    """mitmproxy handles them itself."""

    def wrong(_updated: set[str]) -> None:
        raise exceptions.OptionsError("wrong")

    proxy.addons.add(Addon("configure", wrong))
    with pytest.raises(exceptions.OptionsError):
        await proxy.addons.trigger_event(hooks.ConfigureHook(set()))


async def test_guarding_keeps_what_was_there(proxy: Proxy) -> None:
    """The manager stays the object that options and commands refer to."""
    master = taddons.context(loadcore=True).master
    before, chain = master.addons, list(master.addons.chain)
    guarded = guard(master.addons, Ledger())
    assert guarded is before is master.addons
    assert guarded.chain == chain
    assert repr(guarded) == "<GuardedAddonManager 0 governance addons>"
    assert http_hooks.HttpRequestHook(make_flow()).name == "request"
