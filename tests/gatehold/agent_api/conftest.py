"""The application in front of small fakes, and agents with tokens that are known to one of them."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest
from starlette.types import ASGIApp

from gatehold.agent_api.decisions import Decisions, ToldDecision
from gatehold.agent_api.questions import application
from gatehold.approvals.approvers import Quorum
from gatehold.approvals.errors import UnknownApproval
from gatehold.approvals.model import Approval, ApprovalId, Fingerprint, HeldCall, RuleRef
from gatehold.approvals.states import ApprovalState
from gatehold.identity.refusals import Reason, refused
from policy.codes import Code
from policy.model import Agent, DecisionId, RuleName, SessionId, TargetName, Verdict

PLANNER = Agent(issuer="corp", subject="planner-1", groups=("ci", "planners"), session=SessionId("s-1"), expires_at=2e9)
NAMESAKE = replace(PLANNER, issuer="partner")
OTHER = replace(PLANNER, subject="planner-2")
TOKENS = {"planner": PLANNER, "namesake": NAMESAKE, "other": OTHER}


@dataclass
class Verifier:
    """Knows the tokens it was given, every second one from before."""

    tokens: dict[str, Agent] = field(default_factory=lambda: dict(TOKENS))
    failing: Exception | None = None

    def verify_cached(self, token: str) -> Agent | None:
        return self.tokens.get(token) if token == "planner" else None

    async def verify(self, token: str) -> Agent:
        if self.failing is not None:
            raise self.failing
        if token not in self.tokens:
            raise refused(Reason.BAD_SIGNATURE)
        return self.tokens[token]


@dataclass
class Desk:
    """Approvals in a dict."""

    approvals: dict[str, Approval] = field(default_factory=dict)
    failing: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def get(self, approval_id: str) -> Approval:
        self.asked.append(approval_id)
        if self.failing is not None:
            raise self.failing
        if approval_id not in self.approvals:
            raise UnknownApproval(approval_id)
        return self.approvals[approval_id]


class Waiter:
    """Waits until the test says so."""

    def __init__(self) -> None:
        self.waits: list[tuple[str, float]] = []
        self.expected = 1
        self.waiting = asyncio.Event()
        """So many wait as are expected."""
        self.answered = asyncio.Event()
        self.failing: Exception | None = None
        self.cancelled = 0

    async def wait(self, approval_id: str, timeout: float) -> ApprovalState:  # noqa: ASYNC109 - as the real one
        self.waits.append((approval_id, timeout))
        if len(self.waits) >= self.expected:
            self.waiting.set()
        try:
            await self.answered.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.failing is not None:
            raise self.failing
        return ApprovalState.APPROVED


@dataclass
class Site:
    """An application and what stands behind it."""

    verifier: Verifier = field(default_factory=Verifier)
    decisions: Decisions = field(default_factory=Decisions)
    desk: Desk = field(default_factory=Desk)
    waiter: Waiter = field(default_factory=Waiter)

    def __post_init__(self) -> None:
        self.app: ASGIApp = application(
            verifier=self.verifier, decisions=self.decisions, desk=self.desk, waiter=self.waiter
        )

    async def ask(self, path: str, token: str | None = "planner", method: str = "GET", **options: Any) -> Any:
        """One request; ``token`` None sends none."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        transport = httpx2.ASGITransport(self.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://agents.test") as client:
            return await client.request(method, path, headers=options.pop("headers", headers), **options)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def told() -> Callable[..., ToldDecision]:
    """A refused call of the planner; anything may be said otherwise."""

    def make(number: int = 1, **changes: Any) -> ToldDecision:
        decision = ToldDecision(
            id=DecisionId(f"dec_{number}"),
            issuer="corp",
            subject="planner-1",
            session=SessionId("s-1"),
            verdict=Verdict.DENY,
            code=Code.DENIED_BY_RULE,
            rule=RuleName("nobody-reads-the-report"),
            reason="The report is not for agents.",
            target=TargetName("crm"),
            method="GET",
            path="/report.csv",
            time=1_800_000_000.0,
            approval=None,
            status=403,
        )
        return replace(decision, **changes)

    return make


@pytest.fixture
def approval() -> Callable[..., Approval]:
    """A pending approval of the planner; anything may be said otherwise, ``call`` of its held call."""

    def make(call: dict[str, Any] | None = None, **changes: Any) -> Approval:
        held = HeldCall(
            issuer="corp",
            subject="planner-1",
            session=SessionId("s-1"),
            people=frozenset(),
            target=TargetName("crm"),
            method="DELETE",
            path="/customers/1",
            rules=(RuleRef(name=RuleName("no-deletes"), digest="d1"),),
            quorum=Quorum(sets=(frozenset({"sre"}),)),
            fingerprint=Fingerprint("f"),
        )
        now = time.time()
        made = Approval(
            id=ApprovalId("apr_1"),
            state=ApprovalState.PENDING,
            call=replace(held, **(call or {})),
            created=now,
            expires=now + 900,
            answered=None,
            spend_by=None,
            ended=None,
            reason="",
        )
        return replace(made, **changes)

    return make
