"""Law: what is judged is what the target would take the bytes for, and what is judged is what is sent."""

import json

import pytest
from mitmproxy import http

from addons.calls import Call, Stage
from addons.classify import Classify
from addons.offload import PARSED_ON_LOOP
from addons.runtime import Runtime, wire_request
from policy.actions.kubernetes import KubernetesAction
from policy.codes import Code
from tests.addons.clusters import cluster_flow


def _guarded(runtime: Runtime, flow: http.HTTPFlow) -> Call:
    """The evidence of a call as the guard leaves it."""
    call = runtime.ledger.open(flow)
    call.target = runtime.gateway.registry.find(flow.request.host, flow.request.port)
    call.wire = wire_request(flow, body=flow.request.raw_content)
    return call


async def test_the_canonical_path_is_sent(runtime: Runtime) -> None:
    """Not the one that was written."""
    flow = cluster_flow({}, path="/%61pi/v1/namespaces/prod/pods/a")
    call = _guarded(runtime, flow)
    await Classify(runtime).request(flow)
    assert call.stamps == [Stage.CLASSIFY]
    assert flow.request.path == call.known_action.wire_path == "/api/v1/namespaces/prod/pods/a"


async def test_what_has_two_meanings_is_refused(runtime: Runtime) -> None:
    """And not stamped."""
    flow = cluster_flow({}, path="/api/v1/namespaces/prod/../dev/pods/a")
    call = _guarded(runtime, flow)
    await Classify(runtime).request(flow)
    assert call.refusal is not None
    assert call.refusal.code is Code.MALFORMED
    assert call.stamps == []


@pytest.mark.parametrize(("size", "read"), [(1, False), (PARSED_ON_LOOP, True)])
async def test_a_large_body_is_read_beside_the_loop(runtime: Runtime, size: int, read: bool) -> None:
    """Policy finds it read; a small one waits until policy asks."""
    content = json.dumps({"data": {"a": "x" * size}}).encode()
    flow = cluster_flow(content, method="PUT", content_type="application/json")
    call = _guarded(runtime, flow)
    await Classify(runtime).request(flow)
    assert isinstance(call.action, KubernetesAction)
    assert ("<read>" in repr(call.action.payload)) is read
