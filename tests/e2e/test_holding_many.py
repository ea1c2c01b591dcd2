"""Law: held calls cost the others nothing: two hundred wait at the same time, and another one is answered meanwhile."""

import asyncio
import ssl
import time
from collections.abc import Iterator

import httpx2
import pytest

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.states import ApprovalState
from gatehold.config.gateway import ApprovalsSpec
from gatehold.store import open_store
from tests.e2e.harness import Installation, installation, running

CRM = "https://crm.corp.example"
PATIENCE = 60.0
HELD = 200


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A gateway that holds calls for longer than this test takes."""
    with installation(tmp_path_factory.mktemp("patient")) as made:
        made.configure(hold="10m")
        with running(made):
            yield made


def open_questions(installed: Installation) -> int:
    """How many approvals are waited for."""
    with open_store("sqlite", installed.data) as store:
        return len(ApprovalDesk(store, ApprovalsSpec()).listing(state=ApprovalState.PENDING, limit=1000))


async def hold_many(installed: Installation) -> tuple[int, int]:
    """Make calls that are held and, while all of them wait, an ordinary one: how many waited then, its status."""
    trust = ssl.create_default_context(cafile=str(installed.ca))
    proxy = httpx2.Proxy(f"http://agent:{installed.token()}@127.0.0.1:{installed.proxy_port}")
    limits = httpx2.Limits(max_connections=HELD + 1)
    async with httpx2.AsyncClient(
        proxy=proxy, verify=trust, limits=limits, timeout=2 * PATIENCE, trust_env=False
    ) as client:
        held = [asyncio.create_task(client.delete(f"{CRM}/customers/{1000 + n}")) for n in range(HELD)]
        deadline = time.monotonic() + PATIENCE
        while await asyncio.to_thread(open_questions, installed) < HELD and time.monotonic() < deadline:
            pass
        ordinary = await client.get(f"{CRM}/echo")
        waiting = sum(1 for each in held if not each.done())
        for each in held:
            each.cancel()
        await asyncio.gather(*held, return_exceptions=True)
    return waiting, ordinary.status_code


def test_two_hundred_held_calls_hold_up_nobody(patient: Installation) -> None:
    """All wait, the other is answered; when their clients leave, none is forwarded."""
    assert asyncio.run(hold_many(patient)) == (HELD, 200)
    assert patient.curl(f"{CRM}/echo").status == 200
    assert not [each for each in patient.customers.received if each.method == "DELETE"]
