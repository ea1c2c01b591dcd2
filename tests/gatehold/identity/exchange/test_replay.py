"""Law: an assertion is used once, by whichever gateway comes first."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from gatehold.identity.exchange.replay import MARGIN, UsedAssertions
from gatehold.identity.exchange.saml import Shown
from gatehold.store import Store
from gatehold.store.schema import used_assertions
from policy.errors import Refusal
from policy.model import Agent
from tests.gatehold.identity.exchange.conftest import NOW, Clock

SHOWN = Shown(agent=Agent(issuer="a", subject="b"), issuer="https://idp.example", id="_1", until=NOW + 300)


def tried(used: UsedAssertions, shown: Shown) -> bool:
    """Was it taken?"""
    try:
        used.use(shown)
    except Refusal as refusal:
        return refusal.reason != "assertion-used"
    return True


def test_once(store: Store, clock: Clock) -> None:
    """By either of two gateways; another ID, or the same of another provider, is another one."""
    first, second = UsedAssertions(store, clock), UsedAssertions(store, clock)
    assert tried(first, SHOWN)
    assert not tried(first, SHOWN)
    assert not tried(second, SHOWN)
    assert tried(second, replace(SHOWN, id="_2"))
    assert tried(second, replace(SHOWN, issuer="https://idp.example_", id="1"))


def test_a_race(store: Store, clock: Clock) -> None:
    """Of many at the same time one wins."""
    with ThreadPoolExecutor(8) as threads:
        won = list(threads.map(lambda _: tried(UsedAssertions(store, clock), SHOWN), range(16)))
    assert won.count(True) == 1


def test_they_are_forgotten(store: Store, clock: Clock) -> None:
    """Not before they would be refused for their age, with room for clocks that differ."""
    used = UsedAssertions(store, clock)
    used.use(SHOWN)
    clock.now = SHOWN.until + MARGIN - 1
    with pytest.raises(Refusal):
        used.use(SHOWN)
    clock.now += 1
    used.use(replace(SHOWN, id="_2", until=clock() + 300))
    with store.reading() as connection:
        assert connection.scalars(select(func.count()).select_from(used_assertions)).one() == 1
