"""Law: on one connection to a forward proxy one agent speaks; it may renew what it shows, and nobody else may go on."""

import asyncio
from dataclasses import dataclass, field, replace
from unittest.mock import Mock

import pytest
from mitmproxy import connection

from addons import chain
from addons.authenticate import Authenticate
from addons.hold import Hold
from addons.runtime import Runtime
from gatehold.identity.refusals import Reason, refused
from policy.model import Agent, SessionId
from tests.addons.support import AGENT, judged, make_client, make_flow, make_request

OTHER = replace(AGENT, subject="planner-2")
ELSEWHERE = replace(AGENT, issuer="ci")
LATER = replace(AGENT, session=SessionId("s2"))


@dataclass
class Verifier:
    """Knows some tokens, remembers none."""

    agents: dict[str, Agent] = field(default_factory=dict)
    asked: int = 0
    asked_twice: asyncio.Event = field(default_factory=asyncio.Event)

    def verify_cached(self, token: str) -> Agent | None:
        return None

    def recall(self, token: str) -> Agent | None:
        return self.agents.get(token)

    async def verify(self, token: str) -> Agent:
        self.asked += 1
        if self.asked == 2:
            self.asked_twice.set()
        if token not in self.agents:
            raise refused(Reason.EXPIRED)
        return self.agents[token]


@pytest.fixture
def verifier(runtime: Runtime) -> Verifier:
    known = Verifier({"one": AGENT, "two": LATER, "other": OTHER, "ci": ELSEWHERE})
    runtime.gateway.verifier = known  # type: ignore[assignment]
    return known


@pytest.fixture
def client(runtime: Runtime) -> connection.Client:
    """Connected to the forward proxy."""
    made = make_client(chain.mode_specs(runtime.gateway)[0])
    runtime.connections.add(made)
    return made


async def asked(runtime: Runtime, client: connection.Client, token: str) -> str:
    """In which session a request on the connection is made, else why it is refused."""
    headers = {"Proxy-Authorization": f"Bearer {token}"}
    flow = make_flow(make_request("http://plain.corp.example/", headers=headers), client)
    call = runtime.ledger.open(flow)
    call.target = runtime.gateway.registry.named("plain")
    await Authenticate(runtime).request(flow)
    if call.refusal is not None:
        return call.refusal.reason
    assert call.agent is not None
    return call.agent.session


async def test_an_agent_renews_what_it_shows(runtime: Runtime, verifier: Verifier, client: connection.Client) -> None:
    """On a connection that was idle: what it showed before is over, or is known no more; its session may be another."""
    assert await asked(runtime, client, "one") == "s1"
    del verifier.agents["one"]
    assert await asked(runtime, client, "two") == "s2"
    assert await asked(runtime, client, "one") == "expired"
    assert await asked(runtime, client, "two") == "s2"


@pytest.mark.parametrize("token", ["other", "ci"])
async def test_nobody_else_goes_on(runtime: Runtime, verifier: Verifier, client: connection.Client, token: str) -> None:
    """Another subject, or the same of another issuer, also once what was shown before is over."""
    assert await asked(runtime, client, "one") == "s1"
    assert await asked(runtime, client, token) == "two-agents"
    del verifier.agents["one"]
    assert await asked(runtime, client, token) == "two-agents"
    assert await asked(runtime, client, "two") == "s2"


async def test_a_held_call_is_answered_when_its_token_ends(
    runtime: Runtime, verifier: Verifier, client: connection.Client
) -> None:
    """Not when the hold is over; one that was renewed meanwhile, as an API key each day, waits on."""
    call = judged(runtime, make_flow(client=client))
    call.agent, call.token = replace(AGENT, expires_at=0.0), "one"
    verifier.agents["one"] = replace(AGENT, expires_at=1.0)
    over = asyncio.ensure_future(Hold(runtime, Mock())._over(call))
    await verifier.asked_twice.wait()
    assert not over.done()
    del verifier.agents["one"]
    assert (await over).reason == "expired"
