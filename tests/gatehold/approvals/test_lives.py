"""Lives of approvals as Hypothesis thinks them up: whatever is done in whatever order, the laws hold."""

import tempfile
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.errors import AnswerRefused, IllegalMove
from gatehold.approvals.model import ApprovalId, Channel, Fingerprint, HeldCall, RuleRef
from gatehold.approvals.moves import GATEHOLD
from gatehold.approvals.states import TABLE, ApprovalState
from gatehold.store import open_store, outbox
from gatehold.store.users import add_user
from policy.errors import Refusal
from policy.model import RuleName, SessionId, TargetName

GROUPS = {"alice": ["sre"], "bob": ["sre"], "carol": ["security"], "olga": ["sre", "security"]}
USERS = st.sampled_from([*GROUPS, "mallory"])
SETTINGS = SimpleNamespace(expire=100.0, spend_within=30.0, max_open_per_agent=3, local="users", break_glass=())


def _call(key: int, count: int) -> HeldCall:
    return HeldCall(
        issuer="corp",
        subject="a1",
        session=SessionId("s1"),
        people=frozenset({"a1", "olga"}),
        target=TargetName("crm"),
        method="DELETE",
        path=f"/{key}",
        rules=(RuleRef(name=RuleName("r"), digest="d"),),
        quorum=Quorum(sets=(frozenset({"sre"}),), count=count),
        fingerprint=Fingerprint(f"{key:032x}{count:032x}"),
    )


class Lives(RuleBasedStateMachine):
    """One desk, a few calls, and everybody who may come along."""

    ids: Bundle[tuple[ApprovalId, Fingerprint]] = Bundle("ids")

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory()
        self.store = open_store("sqlite", Path(self.directory.name))
        self.now = 1_000.0
        self.desk = ApprovalDesk(self.store, SETTINGS, lambda: self.now)
        self.answers: defaultdict[str, set[str]] = defaultdict(set)
        self.spent: set[str] = set()
        with self.store.writing() as connection:
            for name, groups in GROUPS.items():
                add_user(connection, name, groups, by="test", now=0.0)

    def teardown(self) -> None:
        self.store.close()
        self.directory.cleanup()

    @rule(target=ids, key=st.integers(0, 4), count=st.integers(1, 2))
    def ask(self, key: int, count: int) -> tuple[ApprovalId, Fingerprint]:
        call = _call(key, count)
        try:
            approval = self.desk.open_or_join(call)
        except Refusal:
            assert self._count(ApprovalState.PENDING) >= SETTINGS.max_open_per_agent
            return ApprovalId("apr_none"), call.fingerprint
        assert approval.state in {"pending", "approved", "denied"}
        assert approval.call == call
        assert self.now < approval.deadline
        return approval.id, call.fingerprint

    @rule(which=ids, user=USERS)
    def approve(self, which: tuple[ApprovalId, Fingerprint], user: str) -> None:
        if which[0] != "apr_none" and self._allowed(which[0], user):
            self.answers[which[0]].add(user)

    @rule(which=ids, user=USERS)
    def deny(self, which: tuple[ApprovalId, Fingerprint], user: str) -> None:
        if which[0] == "apr_none":
            return
        before = self.desk.get(which[0])
        try:
            assert self.desk.deny(which[0], user, channel=Channel.CONSOLE, reason="no").state == "denied"
        except AnswerRefused:
            assert self.desk.get(which[0]) == before
            return
        assert before.state == "pending"
        assert user in {"alice", "bob"}

    @rule(which=ids, other=ids)
    def spend(self, which: tuple[ApprovalId, Fingerprint], other: tuple[ApprovalId, Fingerprint]) -> None:
        fingerprint = other[1]
        before = None if which[0] == "apr_none" else self.desk.get(which[0])
        if not self.desk.spend(which[0], fingerprint):
            return
        assert before is not None
        assert (before.state, fingerprint) == ("approved", which[1])
        assert self.now < before.deadline
        assert which[0] not in self.spent
        assert len(self.answers[which[0]]) >= before.call.quorum.count
        self.spent.add(which[0])

    @rule(which=ids, revoke=st.booleans())
    def take_back(self, which: tuple[ApprovalId, Fingerprint], revoke: bool) -> None:
        if which[0] == "apr_none":
            return
        before = self.desk.get(which[0])
        try:
            (self.desk.revoke if revoke else self.desk.withdraw)(which[0], by=GATEHOLD)
        except IllegalMove:
            assert self.desk.get(which[0]) == before
            return
        assert before.state == ("approved" if revoke else "pending")

    @rule(seconds=st.sampled_from([1.0, 29.0, 30.0, 70.0, 100.0]))
    def let_time_pass(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def sweep(self) -> None:
        self.desk.expire_due()
        assert all(self.now < each.deadline for each in self.desk.listing() if each.ended is None)

    @invariant()
    def the_journal_tells_lives_along_the_table(self) -> None:
        """From nothing to pending, then from where the last move led, to where the store says it is now."""
        lives: dict[str, Any] = {}
        for waiting in outbox.waiting(self.store):
            event = waiting.event
            if event["kind"] != "approval":
                continue
            assert event["from"] == lives.get(event["approval"])
            steps = TABLE[ApprovalState(event["from"])].values() if event["from"] else [ApprovalState.PENDING]
            assert event["to"] in steps or ("answer" in event and event["to"] == event["from"])
            lives[event["approval"]] = event["to"]
        assert lives == {approval.id: approval.state for approval in self.desk.listing()}

    @invariant()
    def a_call_has_one_live_approval(self) -> None:
        """Whatever joined whatever."""
        live = [each.call.fingerprint for each in self.desk.listing() if each.state in {"pending", "approved"}]
        assert len(live) == len(set(live))

    def _count(self, state: ApprovalState) -> int:
        return len(self.desk.listing(state=state))

    def _allowed(self, approval_id: ApprovalId, user: str) -> bool:
        before = self.desk.get(approval_id)
        try:
            after = self.desk.approve(approval_id, user, channel=Channel.CONSOLE)
        except AnswerRefused:
            assert self.desk.get(approval_id) == before
            return False
        assert before.state == "pending"
        assert self.now < before.expires
        assert user in {"alice", "bob"}
        done = len(self.answers[approval_id] | {user}) >= before.call.quorum.count
        assert after.state == ("approved" if done else "pending")
        return True


TestLives = Lives.TestCase
TestLives.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)
