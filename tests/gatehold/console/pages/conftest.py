"""A console with a policy and a record behind it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mitmproxy.test import tflow

from gatehold.config import load
from gatehold.console.app import application
from gatehold.people.model import Way
from gatehold.sessions import rows
from gatehold.sessions.limits import Bounds
from gatehold.sessions.rows import AgentSession
from policy.codes import Code
from policy.model import Agent, Decision, DecisionId, Family, RuleName, SessionId, TargetName, Verdict
from recordings.acts import approval_move, person
from recordings.events import Call, Event, intent, outcome, refusal
from recordings.flows import RecordedMessage, encode_flow
from recordings.writer import Record, Writer
from tests.gatehold.console.conftest import HOSTILE, URL, Browser, Site

CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  packs: [kubernetes-discovery]
  approvals: {breakGlass: [glass]}
  identity: {issuers: [{name: corp, issuer: https://idp.test, audience: gatehold, jwks: {file: keys.json}, algorithms: [EdDSA]}]}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: crm}
spec: {family: http, hosts: ["crm.corp.example:443"]}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: crm}
rules:
  - {name: reads, effect: allow, agents: {groups: [planners]}, http: {targets: [crm], methods: [GET], paths: ["/**"]}}
  - name: deletes
    effect: allow
    http: {targets: [crm], methods: [DELETE], paths: ["/**"]}
    approval: {groups: [[sre], [security]]}
  - {name: never, effect: deny, http: {targets: [crm], methods: ["*"], paths: ["/report"]}, reason: Not for agents.}
  - {name: later, effect: constrain, mode: shadow, http: {targets: [crm], methods: [GET], paths: ["/**"]}, mask: {profiles: [pii]}}
"""


@dataclass
class Office:
    """A site whose console knows a policy and a record."""

    site: Site
    app: Any
    config: Path

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.site.console.configuration.data_dir

    def browser(self, user: str = "alice") -> Browser:
        """Somebody who is signed in."""
        session = self.site.console.web_sessions.open(user, Way.PASSWORD)
        client = httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=self.app), base_url=URL, trust_env=False,
            cookies={"gatehold": session.cookie_value},
        )  # fmt: skip
        return Browser(client, session.signed_in.csrf, session.cookie_value)


@pytest.fixture
def office(site: Site, tmp_path: Path) -> Office:
    config = tmp_path / "config"
    config.mkdir()
    (config / "gateway.yaml").write_text(CONFIGURATION)
    (config / "keys.json").write_text('{"keys": []}')
    configuration = load(config)
    site.console = replace(site.console, current=lambda: configuration)
    return Office(site, application(site.console), config)


@pytest.fixture
async def ann(office: Office) -> Any:
    """Alice, of the group that is asked, in a browser of this console."""
    browser = office.browser("alice")
    yield browser
    await browser.client.aclose()


def a_recorded_call(number: int, **changes: Any) -> Call:
    """A call of the agent ``corp/a1`` in the session ``s-1``."""
    agent = Agent(issuer="corp", subject="a1", groups=("planners",), session=SessionId("s-1"))
    judged = Decision(verdict=Verdict.ALLOW, code=Code.ALLOWED, rule=RuleName("reads"), rules=(RuleName("reads"),))
    values: dict[str, Any] = {
        "id": DecisionId(f"d-{number}"), "agent": agent, "target": TargetName("crm"), "family": Family.HTTP,
        "scheme": "https", "host": "crm.corp.example", "port": 443, "method": "GET", "path": f"/customers/{number}?x=1",
        "operation": f"GET /customers/{number}?x=1", "verb": "GET", "client": ("10.0.0.9", 1), "time": 1.0, "judged": judged,
        "facts": {"method": "GET"},
    }  # fmt: skip
    return Call(**(values | changes))


def a_flow(body: bytes = b'{"name":"***","n":1.50}', *, answer: bytes = b"fine") -> bytes:
    flow = tflow.tflow(resp=True)
    headers = ((b"content-type", b"application/json"), (b"x-hostile", HOSTILE.encode()))
    return encode_flow(
        flow,
        request=RecordedMessage(body=body, headers=headers, path="/customers/1"),
        response=RecordedMessage(body=answer, headers=headers),
        metadata={},
    )


@pytest.fixture
def write(office: Office) -> Callable[..., None]:
    """Writes to the record: events, or pairs of an event and its flow."""

    def written(*what: Event | tuple[Event, bytes]) -> None:
        writer = Writer.open(office.data)
        for each in what:
            event, flow = each if isinstance(each, tuple) else (each, None)
            writer.write([Record(entries=(event.entry(),), flow=flow, session=SessionId(event.session))])
        writer.close()

    return written


@pytest.fixture
def recorded(write: Callable[..., None]) -> None:
    """A session: allowed with masked values, held, denied, and one of which no end is known."""
    held = Decision(verdict=Verdict.HOLD, code=Code.APPROVAL_REQUIRED, rule=RuleName("deletes"))
    denied = Decision(verdict=Verdict.DENY, code=Code.DENIED_BY_RULE, rule=RuleName("never"))
    other = Agent(issuer="corp", subject=HOSTILE, session=SessionId(HOSTILE))
    first, second = a_recorded_call(1), a_recorded_call(2, method="DELETE", verb="DELETE", judged=held)
    third = a_recorded_call(
        3, path=f"/report/{HOSTILE}", method=HOSTILE, judged=denied, agent=other, facts={HOSTILE: HOSTILE}
    )
    write(
        intent(first, time=1.0),
        (outcome(first, status=200, time=2.0, masked={"PERSON": 2, "EMAIL_ADDRESS": 1}), a_flow()),
        approval_move(approval="apr_1", state="pending", by=person("agent:corp/a1"), time=2.0, agent=first.agent),
        (refusal(second, code=Code.APPROVAL_PENDING, status=429, reason="held", time=3.0, approval="apr_1"), a_flow()),
        (refusal(third, code=Code.DENIED_BY_RULE, status=403, reason=HOSTILE, time=4.0), a_flow(HOSTILE.encode())),
        intent(a_recorded_call(4), time=5.0),
    )


def a_session(**changes: Any) -> AgentSession:
    """The session of ``corp/a1``, at work."""
    values: dict[str, Any] = {
        "issuer": "corp", "subject": "a1", "session": SessionId("s-1"), "groups": ("planners",), "started": 999_000.0,
        "seen": 999_990.0, "calls": 7, "denied": 2, "held": 1, "token_expires": 1_003_600.0,
        "bounds": Bounds(longest=28_800.0, idle=1800.0),
    }  # fmt: skip
    return AgentSession(**(values | changes))


@pytest.fixture
def at_work(office: Office) -> Callable[..., AgentSession]:
    """Notes a session in the store."""

    def noted(**changes: Any) -> AgentSession:
        session = a_session(**changes)
        with office.site.store.writing() as connection:
            rows.add(connection, [session])
        return session

    return noted
