"""Law: nothing goes to a place for which it was not meant: what is open to a changed target is closed, or not opened."""

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from mitmproxy import connection
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from mitmproxy.test import taddons, tflow

from addons.calls import ALL_STAGES, pinned
from addons.reloads import Reloads
from addons.runtime import Runtime
from gatehold.registry import Registry
from gatehold.ruling import Ruling, Taken
from tests.addons.support import make_flow, sealed

HERE = ("crm.corp.example", 443)


def moved(ruling: Ruling, **changes: Any) -> Ruling:
    """The same, but for the target crm: it leads elsewhere, or (``gone``) is not there."""
    targets = dict(ruling.configuration.targets)
    crm = targets.pop("crm")
    if changes != {"gone": True}:
        targets["crm"] = replace(crm, spec=crm.spec.model_copy(update=changes))
    configuration = replace(ruling.configuration, targets=targets)
    return replace(ruling, configuration=configuration, registry=Registry(targets))


CHANGES = [({"connect": "10.9.8.7:443"}, True), ({"gone": True}, True), ({"allow_private": False}, True), ({"mask": None}, False)]  # fmt: skip


@pytest.mark.parametrize(("changes", "elsewhere"), CHANGES)
def test_a_call_that_began_before_is_not_dialled(runtime: Runtime, changes: dict[str, Any], elsewhere: bool) -> None:
    """Its credential is for the other place; one that begins now, or was answered, keeps nobody from anything."""
    flow = make_flow()
    call = sealed(runtime, flow)
    call.stamps = list(ALL_STAGES)
    assert pinned(runtime.gateway, call) is runtime.gateway.ruling
    data = ServerConnectionHookData(server=connection.Server(address=HERE), client=flow.client_conn)
    Reloads(runtime).server_connect(data)
    assert data.server.error is None
    runtime.gateway.in_force.ruling = moved(runtime.gateway.ruling, **changes)
    flow.response = tflow.tresp()
    Reloads(runtime).server_connect(data)
    assert data.server.error is None
    flow.response = None
    Reloads(runtime).server_connect(data)
    assert bool(data.server.error) is elsewhere


@pytest.fixture
def handlers(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Connections of two agents: one has one to crm, one to somewhere else."""
    server = Proxyserver()
    with taddons.context(server):
        for name, address in (("one", HERE), ("two", ("kubernetes.corp.example", 443))):
            transports = {connection.Server(address=address): None, tflow.tclient_conn(): None}
            server.connections[name] = SimpleNamespace(transports=transports)  # type: ignore[index, assignment]
        yield server.connections  # type: ignore[misc]


@pytest.mark.parametrize(("changes", "elsewhere"), CHANGES)
def test_connections_to_what_was_changed_are_closed(
    runtime: Runtime,
    handlers: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    elsewhere: bool,
) -> None:
    """And no others."""
    assert handlers
    closed = list[str]()
    monkeypatch.setattr(Runtime, "hang_up", staticmethod(closed.append))
    before = runtime.gateway.ruling
    Reloads(runtime).taken(Taken(before=before, now=moved(before, **changes)))
    assert closed == (["one"] if elsewhere else [])
