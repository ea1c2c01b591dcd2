"""Stores to test on, a desk with a clock that tests set, and calls to hold."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Fingerprint, HeldCall, RuleRef
from gatehold.store import Store, open_store
from gatehold.store.users import add_user
from policy.model import RuleName, SessionId, TargetName
from tests.postgres import cleared

PEOPLE = {
    "alice": ["sre"],
    "bob": ["sre"],
    "carol": ["security"],
    "dave": ["sre", "security"],
    "olga": ["sre"],
    "eve": [],
}

type StoreFactory = Callable[[], Store]


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """Every test that takes a store runs on both kinds."""
    return cleared(request.getfixturevalue("postgres")) if request.param == "postgresql" else "sqlite"


@pytest.fixture
def open_again(store_url: str, tmp_path: Path) -> Iterator[StoreFactory]:
    """Opens the same store each time, as another process would."""
    opened: list[Store] = []

    def factory() -> Store:
        opened.append(open_store(store_url, tmp_path / "data"))
        return opened[-1]

    yield factory
    for store in opened:
        store.close()


@pytest.fixture
def store(open_again: StoreFactory) -> Store:
    return open_again()


@dataclass
class Clock:
    """Time as the test says."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Settings:
    """As ``approvals:`` of a configuration."""

    expire: float = 900.0
    spend_within: float = 300.0
    max_open_per_agent: int = 20
    local: str = "users"
    break_glass: tuple[str, ...] = ("glass",)


@pytest.fixture
def settings() -> type[Settings]:
    return Settings


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_call() -> Callable[..., HeldCall]:
    """A held call of the agent ``corp/a1``; anything may be said otherwise. ``key`` tells calls apart."""

    def make(key: str = "1", **changes: Any) -> HeldCall:
        call = HeldCall(
            issuer="corp",
            subject="a1",
            session=SessionId("s1"),
            people=frozenset({"a1", "olga"}),
            target=TargetName("crm"),
            method="DELETE",
            path=f"/customers/{key}",
            facts={"http.method": "DELETE"},
            rules=(RuleRef(name=RuleName("no-deletes"), digest="d1"),),
            quorum=Quorum(sets=(frozenset({"sre"}),)),
            message="delete a customer",
            fingerprint=Fingerprint(hashlib.sha256(key.encode()).hexdigest()),
        )
        return replace(call, **changes)

    return make


@pytest.fixture
def desk(store: Store, clock: Clock) -> ApprovalDesk:
    """A desk that knows alice, bob (sre), carol (security), dave (both), olga (sre) and eve (nothing)."""
    with store.writing() as connection:
        for name, groups in PEOPLE.items():
            add_user(connection, name, groups, by="test", now=0.0)
    return ApprovalDesk(store, Settings(), clock)
