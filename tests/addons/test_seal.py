"""Law: nothing leaves without every stamp, unchanged, to the target that was judged, paid for and recorded as intended."""

from collections.abc import Callable
from typing import Any
from unittest.mock import AsyncMock, Mock

import pytest
from mitmproxy import http

from addons.calls import Call, Stage
from addons.record import Recording
from addons.runtime import Runtime
from addons.seal import Seal
from policy.codes import Code
from policy.errors import Refusal
from policy.model import LimitObligation, RuleName
from tests.addons.support import judged, make_flow

LIMIT = LimitObligation(rule=RuleName("once"), unit="calls", amount=1, window=3600.0)


@pytest.fixture
async def seal(runtime: Runtime) -> Seal:
    return Seal(runtime, Recording(runtime))


def _code(call: Call) -> Code | None:
    return call.refusal.code if call.refusal else None


async def test_a_whole_call_is_sealed(runtime: Runtime, seal: Seal) -> None:
    """And noted as one whose bytes may have reached the target."""
    flow = make_flow()
    call = judged(runtime, flow)
    await seal.request(flow)
    assert flow.response is None
    assert call.sealed
    assert call.forwarded
    assert runtime.ledger.sealed(flow)


@pytest.mark.parametrize(("waited", "code"), [(0.0, None), (60.0, Code.REVOKED)])
async def test_an_agent_that_was_revoked_on_the_way(
    runtime: Runtime, seal: Seal, monkeypatch: pytest.MonkeyPatch, waited: float, code: Code | None
) -> None:
    """A call that took long, for lookups or a search, is not let out; one that was authenticated just now is not asked."""
    gone = AsyncMock(side_effect=Refusal(Code.REVOKED, "Access was revoked."))
    monkeypatch.setattr(runtime.gateway, "verifier", Mock(verify=gone, verify_cached=Mock(return_value=None)))
    flow = make_flow()
    call = judged(runtime, flow, limits=(LIMIT,))
    call.token, call.started = "planted", call.started - waited
    await seal.request(flow)
    assert (_code(call), call.forwarded) == (code, code is None)
    assert len(runtime.gateway.ruling.limiting.ledger) == (0 if code else 1)


@pytest.mark.parametrize("missing", [stage for stage in Stage if stage is not Stage.SEAL])
async def test_a_missing_stamp_is_refused(runtime: Runtime, seal: Seal, missing: Stage) -> None:
    """Whichever it is, and nothing was charged."""
    flow = make_flow()
    call = judged(runtime, flow, limits=(LIMIT,))
    call.stamps.remove(missing)
    await seal.request(flow)
    assert _code(call) is Code.GATEWAY_ERROR
    assert not call.forwarded
    assert len(runtime.gateway.ruling.limiting.ledger) == 0


def _host(flow: http.HTTPFlow) -> None:
    flow.request.host = "plain.corp.example"


def _port(flow: http.HTTPFlow) -> None:
    flow.request.port = 8443


def _scheme(flow: http.HTTPFlow) -> None:
    flow.request.scheme = "http"


def _method(flow: http.HTTPFlow) -> None:
    flow.request.method = "DELETE"


def _path(flow: http.HTTPFlow) -> None:
    flow.request.path += "/42"


def _body(flow: http.HTTPFlow) -> None:
    flow.request.raw_content = b"changed"


@pytest.mark.parametrize(
    ("change", "code"),
    [(_host, Code.MISDIRECTED), (_port, Code.MISDIRECTED), (_scheme, Code.MISDIRECTED), (_method, Code.GATEWAY_ERROR),
     (_path, Code.GATEWAY_ERROR), (_body, Code.GATEWAY_ERROR)],
)  # fmt: skip
async def test_what_changed_after_it_was_judged_is_refused(
    runtime: Runtime, seal: Seal, change: Callable[[http.HTTPFlow], Any], code: Code
) -> None:
    """Every part that decides what the target does."""
    flow = make_flow()
    call = judged(runtime, flow, limits=(LIMIT,))
    change(flow)
    await seal.request(flow)
    assert _code(call) is code
    assert flow.response is not None
    assert not runtime.ledger.sealed(flow)
    assert len(runtime.gateway.ruling.limiting.ledger) == 0


async def test_limits_are_charged_as_a_call_leaves(runtime: Runtime, seal: Seal) -> None:
    """The second one is told when to come again."""
    first, second = make_flow(), make_flow()
    for flow in (first, second):
        judged(runtime, flow, limits=(LIMIT,))
        await seal.request(flow)
    assert first.response is None
    assert second.response is not None
    assert (second.response.status_code, second.response.headers["Retry-After"]) == (429, "3600")


async def test_without_a_record_nothing_leaves(runtime: Runtime, seal: Seal) -> None:
    """The intent has to be written first."""
    await runtime.gateway.recorder.stop()
    flow = make_flow()
    call = judged(runtime, flow)
    await seal.request(flow)
    assert _code(call) is Code.RECORDER_UNAVAILABLE
    assert flow.response is not None
    assert flow.response.status_code == 503


async def test_nobody_waits_for_the_answer(runtime: Runtime, seal: Seal) -> None:
    """A client that hung up while its call was judged does not act any more."""
    flow = make_flow()
    call = judged(runtime, flow)
    call.client_gone.set()
    await seal.request(flow)
    assert not call.sealed
    assert flow.response is not None


async def test_an_answered_call_is_left_alone(runtime: Runtime, seal: Seal) -> None:
    """A refusal by an earlier stage needs no seal."""
    flow = make_flow()
    judged(runtime, flow)
    flow.response = http.Response.make(403)
    await seal.request(flow)
    assert flow.response.status_code == 403
    assert not runtime.ledger.sealed(flow)
