"""A store with people and a desk, questions to tell of, and channels that note what they are told."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Approval, Fingerprint, HeldCall, RuleRef
from gatehold.channels.model import Delivery, Event, Undelivered
from gatehold.config.gateway import ApprovalsSpec
from gatehold.store import Store, open_store
from gatehold.store.outbox import waiting
from gatehold.store.users import add_user
from policy.model import RuleName, SessionId, TargetName
from tests.postgres import cleared

HOSTILE = "<!channel> <@U1|x> <https://evil.example|ok> *b* `c` &amp; @here https://evil.example \u202e\x1b[31m"


@dataclass
class Clock:
    """Time as the test says."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Noting:
    """A channel that keeps what it was told, and fails as often as it is asked to."""

    name: str = "ops"
    told: list[tuple[str, Event, str]] = field(default_factory=list)
    failing: list[Undelivered] = field(default_factory=list)

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def tell(self, delivery: Delivery, approval: Approval) -> str | None:
        if self.failing:
            raise self.failing.pop(0)
        self.told.append((approval.id, delivery.event, approval.state))
        return f"message of {approval.id}"


def a_call(key: str = "one", **changes: Any) -> HeldCall:
    """A held call of the agent ``corp/a1``; ``key`` tells calls apart."""
    values: dict[str, Any] = {
        "issuer": "corp", "subject": "a1", "session": SessionId("s-1"), "people": frozenset({"a1", "olga"}),
        "target": TargetName("crm"), "method": "DELETE", "path": f"/customers/{key}", "facts": {},
        "rules": (RuleRef(name=RuleName("ask"), digest="d"),), "quorum": Quorum(sets=(frozenset({"sre"}),)),
        "message": "Think twice.", "fingerprint": Fingerprint(hashlib.sha256(key.encode()).hexdigest()),
    }  # fmt: skip
    return HeldCall(**(values | changes))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store_url() -> str:
    return "sqlite"


@pytest.fixture
def open_again(store_url: str, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same store each time, as another process would."""
    opened: list[Store] = []

    def factory() -> Store:
        opened.append(open_store(store_url, tmp_path / "data"))
        return opened[-1]

    yield factory
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: Callable[[], Store], clock: Clock) -> Store:
    """With alice and bob, who may answer, olga, who is behind the calls, and eve, who may not."""
    store = open_again()
    with store.writing() as connection:
        for name, groups in {"alice": ["sre"], "bob": ["sre"], "olga": ["sre"], "eve": []}.items():
            add_user(connection, name, groups, by="test", now=clock.now)
    return store


@pytest.fixture
def desk(store: Store, clock: Clock) -> ApprovalDesk:
    return ApprovalDesk(store, ApprovalsSpec(), clock)


@pytest.fixture
def noting() -> Noting:
    return Noting()


@pytest.fixture
def events(store: Store) -> Callable[[str], list[dict[str, Any]]]:
    """What waits for the journal, of one kind."""
    return lambda kind: [dict(each.event) for each in waiting(store) if each.event["kind"] == kind]


@pytest.fixture
def postgres_url(postgres: str) -> str:
    return cleared(postgres)
