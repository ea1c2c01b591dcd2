"""Law: values are put back where a profile says, for their own session, and nowhere else; every other call is left alone."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from mitmproxy import http

from addons import chain
from addons.calls import Call, Stage
from addons.connections import Connections
from addons.restore import Restore
from addons.runtime import Runtime
from gatehold.config import load
from gatehold.demo.serving import ServerCertificate
from gatehold.identity.keys import keygen
from gatehold.wiring import Gateway
from masking.operators import Operators, Treatment
from policy.codes import Code
from tests.addons.conftest import DOCUMENTS
from tests.addons.support import AGENT, judged, make_flow, make_request

VALUE = "jane.doe@example.com"
REVERSIBLE = Treatment(operator="pseudonym", reversible=True)
PROFILES = """
---
apiVersion: gatehold.dev/v1
kind: MaskProfile
metadata: {name: contacts}
spec:
  extends: [pii]
  entities: {EMAIL_ADDRESS: {operator: pseudonym, reversible: true}}
  restore:
    - {target: crm, methods: [POST, PUT], path: "/messages/{id}", body: ["$.to"], query: [email]}
---
apiVersion: gatehold.dev/v1
kind: MaskProfile
metadata: {name: names}
spec:
  paths: [{path: $.name, entity: PERSON, operator: pseudonym, reversible: true}]
  restore:
    - {target: crm, methods: [POST], path: "/messages/{id}", body: ["$.name"]}
"""
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def runtime(tmp_path: Path, upstream: ServerCertificate) -> AsyncIterator[Runtime]:
    """A gateway whose profiles put values back."""
    assert upstream
    keygen(tmp_path / "keys")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "all.yaml").write_text(DOCUMENTS + PROFILES)
    gateway = Gateway.build(load(tmp_path / "config"))
    assert not await gateway.broker.prepare()
    gateway.recorder.start(asyncio.get_running_loop())
    yield Runtime(gateway=gateway, connections=Connections(gateway.listeners, chain.mode_specs(gateway)))
    await gateway.broker.close()
    await gateway.recorder.stop()
    gateway.store.close()


def token_for(runtime: Runtime, value: str = VALUE, entity: str = "EMAIL_ADDRESS") -> str:
    """The token that the agent's session was shown."""
    pseudonyms = runtime.gateway.pseudonyms.of(AGENT.session, AGENT)
    return Operators(pseudonyms.key, pseudonyms.vault).replacement(REVERSIBLE, entity, value)


async def restored(
    runtime: Runtime, body: str, *, method: str = "POST", path: str = "/messages/7", headers: dict[str, str] = JSON
) -> Call:
    """A call that went through the stage."""
    request = make_request(f"https://crm.corp.example{path}", method, content=body.encode(), headers=headers)
    flow = make_flow(request)
    call = judged(runtime, flow)
    call.stamps = [stage for stage in call.stamps if stage not in (Stage.RESTORE, Stage.INJECT)]
    await Restore(runtime).request(flow)
    return call


async def test_a_value_takes_the_place_of_its_token(runtime: Runtime) -> None:
    """In what leaves; what was judged and is recorded stays as it was."""
    token = token_for(runtime)
    call = await restored(runtime, f'{{"to":"{token}"}}', path=f"/messages/7?email=%3C{token[1:-1]}%3E")
    assert call.body_to_send == f'{{"to":"{VALUE}"}}'.encode()
    assert call.path_to_send == "/messages/7?email=jane.doe%40example.com"
    assert call.wire is not None
    assert token.encode() in (call.wire.body or b"")
    assert call.restored == {"EMAIL_ADDRESS": 1}
    assert call.stamps[-1] is Stage.RESTORE
    assert VALUE not in repr(call)
    assert runtime.echoes(call).replace(VALUE.encode()) == token.encode()


@pytest.mark.parametrize(
    ("where", "body"),
    [
        ({"method": "PATCH"}, '{"to":"TOKEN"}'),
        ({"path": "/messages"}, '{"to":"TOKEN"}'),
        ({"path": "/messages/7/x"}, '{"to":"TOKEN"}'),
        ({"headers": {"Content-Type": "text/plain"}}, '{"to":"TOKEN"}'),
        ({"headers": {}}, '{"to":"TOKEN"}'),
        ({}, '{"to":"TOKEN","to":"x"}'),
        ({}, '{"to":"TOKEN"'),
        ({}, '{"note":"TOKEN"}'),
        ({}, '{"name":"TOKEN"}'),
        ({}, '{"to":"to TOKEN"}'),
    ],
)
async def test_elsewhere_a_token_stays_one(runtime: Runtime, where: dict[str, str], body: str) -> None:
    """Another method, path, type, place, profile, or a body that can be read in two ways."""
    body = body.replace("TOKEN", token_for(runtime))
    call = await restored(runtime, body, **where)  # type: ignore[arg-type]
    assert call.body_to_send == body.encode()
    assert call.refusal is None
    assert not call.restored
    assert Stage.RESTORE in call.stamps


async def test_a_token_of_nobody_is_refused(runtime: Runtime) -> None:
    """Another session's, a forgotten one, a made-up one; nothing of it is sent."""
    others = Operators(b"x" * 32).replacement(REVERSIBLE, "EMAIL_ADDRESS", VALUE)
    forgotten = token_for(runtime)
    vault = runtime.gateway.pseudonyms.vault(AGENT)
    assert vault
    vault.forget()
    for token in (others, forgotten, f"<EMAIL_ADDRESS:{'b' * 32}>"):
        call = await restored(runtime, f'{{"to":"{token}"}}')
        assert call.refusal is not None
        assert call.refusal.code is Code.DLP_BLOCKED
        assert Stage.RESTORE not in call.stamps
        assert token not in call.refusal.detail + call.refusal.reason


async def test_values_may_not_make_a_request_too_large(runtime: Runtime) -> None:
    """The limit of a request holds for what is put into it as well (1 KiB here)."""
    tokens = [token_for(runtime, f"{'x' * 600}{number}@example.com") for number in range(2)]
    call = await restored(
        runtime,
        f'{{"to":"{tokens[0]}"}}',
        path=f"/messages/7?email={tokens[1]}".replace("<", "%3C").replace(">", "%3E"),
    )
    assert call.refusal is not None
    assert call.refusal.code is Code.TOO_LARGE


async def test_a_call_that_was_answered_is_left_alone(runtime: Runtime) -> None:
    """It goes nowhere."""
    flow = make_flow()
    call = judged(runtime, flow)
    call.stamps.clear()
    flow.response = http.Response.make(403)
    await Restore(runtime).request(flow)
    assert not call.stamps
