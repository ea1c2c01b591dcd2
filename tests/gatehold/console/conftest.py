"""A console over a real store, with people in it, and browsers that are signed in."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest

from gatehold.agent_api.decisions import Decisions
from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Approval, Fingerprint, HeldCall, RuleRef
from gatehold.approvals.revealing import HeldRequests
from gatehold.config.gateway import GatewaySpec
from gatehold.console.addresses import ConsoleAddress
from gatehold.console.app import application
from gatehold.console.context import Console
from gatehold.console.live import Live
from gatehold.console.templating import Templates
from gatehold.people.model import Way
from gatehold.people.tokens import Tokens
from gatehold.people.web_sessions import WebSessions
from gatehold.store import Store, open_store
from gatehold.store.outbox import take
from gatehold.store.users import add_user
from policy.model import RuleName, SessionId, TargetName

URL = "http://127.0.0.1:8081"
PEOPLE = {"alice": ["sre"], "bob": ["sre", "glass"], "carol": ["security"], "eve": []}
HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b[31m</textarea><script>alert(2)</script>"


@dataclass
class Clock:
    """Time as the test says."""

    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Site:
    """Everything behind one console."""

    console: Console
    app: Any
    store: Store
    desk: ApprovalDesk
    clock: Clock
    notified: list[str] = field(default_factory=list)

    def events(self) -> list[dict[str, Any]]:
        """What waits for the journal."""
        return [dict(each.event) for each in take(self.store, now=self.clock.now, limit=1000)]

    def token(self, user: str) -> str:
        """A token of a person's, for programs."""
        return self.console.tokens.make(user, label="test", ttl=3600.0, by=user).text


@dataclass
class Browser:
    """A client that has signed in."""

    client: httpx2.AsyncClient
    csrf: str
    cookie: str

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, data: dict[str, Any] | None = None, **headers: str) -> httpx2.Response:
        sent = {"Origin": URL} | headers
        return await self.client.post(path, data={"csrf": self.csrf, **(data or {})}, headers=sent)


def a_call(key: str = "one", **changes: Any) -> HeldCall:
    """A held call of the agent ``corp/a1``; ``key`` tells calls apart."""
    values: dict[str, Any] = {
        "issuer": "corp", "subject": "a1", "session": SessionId("s-1"), "people": frozenset({"a1", "olga"}),
        "target": TargetName("crm"), "method": "DELETE", "path": f"/customers/{key}",
        "rules": (RuleRef(name=RuleName("ask"), digest="d"),), "quorum": Quorum(sets=(frozenset({"sre"}),)),
        "message": "Think twice.", "fingerprint": Fingerprint(hashlib.sha256(key.encode()).hexdigest()),
    }  # fmt: skip
    return HeldCall(**(values | changes))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(tmp_path: Path, clock: Clock) -> Iterator[Site]:
    spec = GatewaySpec.model_validate({"approvals": {"breakGlass": ["glass"]}})
    store = open_store("sqlite", tmp_path)
    desk = ApprovalDesk(store, spec.approvals, clock)
    with store.writing() as connection:
        for name, groups in PEOPLE.items():
            add_user(connection, name, groups, by="test", now=clock.now)
    notified: list[str] = []
    nothing: Any = SimpleNamespace()
    waiter: Any = SimpleNamespace(notify=lambda: notified.append("now"))
    configuration: Any = SimpleNamespace(gateway=SimpleNamespace(spec=spec), engine=nothing)
    console = Console(
        address=ConsoleAddress.of("127.0.0.1", 8081, None), current=lambda: configuration, store=store, desk=desk,
        waiter=waiter, held=HeldRequests(), web_sessions=WebSessions(store, spec.console.session, clock),
        tokens=Tokens(store, clock), decisions=Decisions(), revocations=nothing, recorder=nothing,
        reloading=SimpleNamespace(pending=None, name="here"),
        live=Live(store, interval=0.01, heartbeat=0.05), templates=Templates(), clock=clock,
    )  # fmt: skip
    yield Site(console, application(console), store, desk, clock, notified)
    store.close()


@pytest.fixture
async def connect(site: Site) -> AsyncIterator[Callable[..., Awaitable[httpx2.AsyncClient]]]:
    """Opens a client that nobody has signed in with."""
    async with AsyncExitStack() as stack:

        async def client(**options: Any) -> httpx2.AsyncClient:
            transport = httpx2.ASGITransport(app=site.app)
            made = httpx2.AsyncClient(transport=transport, base_url=URL, trust_env=False, **options)
            return await stack.enter_async_context(made)

        yield client


@pytest.fixture
async def sign_in(site: Site, connect: Any) -> Callable[[str], Awaitable[Browser]]:
    """Opens a browser in which somebody is signed in."""

    async def signed_in(user: str = "alice") -> Browser:
        session = site.console.web_sessions.open(user, Way.PASSWORD)
        client = await connect(cookies={"gatehold": session.cookie_value})
        return Browser(client, session.signed_in.csrf, session.cookie_value)

    return signed_in


@pytest.fixture
async def alice(sign_in: Any) -> Browser:
    browser: Browser = await sign_in("alice")
    return browser


@pytest.fixture
def ask(site: Site) -> Callable[..., Approval]:
    """Opens a question."""
    return lambda key="one", **changes: site.desk.open_or_join(a_call(key, **changes))
