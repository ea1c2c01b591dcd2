"""Laws: an agent learns how its own approval stands; a wait is bounded, and ends with the answer, the client, the gateway."""

import asyncio
import contextlib
import time
from collections.abc import Callable, MutableMapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from gatehold.agent_api import approvals
from gatehold.approvals.errors import UnknownApproval
from gatehold.approvals.model import Approval
from gatehold.approvals.presenting import timestamp
from gatehold.approvals.states import FINAL, ApprovalState
from policy.codes import Code
from policy.errors import Refusal

type Make = Callable[..., Approval]


def put(site: Any, approval: Approval) -> Approval:
    site.desk.approvals[approval.id] = approval
    return approval


async def test_a_pending_approval(site: Any, approval: Make) -> None:
    """State, times, rule and target, and what to do."""
    made = put(site, approval())
    answer = await site.ask("/v1/approvals/apr_1")
    assert answer.status_code == 200
    assert answer.json() == {
        "id": "apr_1",
        "state": "pending",
        "created": timestamp(made.created),
        "expires": timestamp(made.expires),
        "rule": "no-deletes",
        "target": "crm",
        "retry": False,
        "reason": None,
        "kind": "call",
        "grantExpires": None,
        "next": "Wait for an answer: ask here again with ?wait=60s.",
    }
    assert not site.waiter.waits


@pytest.mark.parametrize("state", ApprovalState)
async def test_retry_means_that_the_same_request_would_pass(site: Any, approval: Make, state: ApprovalState) -> None:
    """True for approved and in time only; the words given with a move are told for a denial only."""
    put(site, approval(state=state, reason="not on a Friday", spend_by=time.time() + 60))
    answer = (
        await site.ask("/v1/approvals/apr_1?wait=30s" if state is not ApprovalState.PENDING else "/v1/approvals/apr_1")
    ).json()
    assert answer["state"] == state
    assert answer["retry"] is (state is ApprovalState.APPROVED)
    assert answer["reason"] == ("not on a Friday" if state is ApprovalState.DENIED else None)
    assert answer["next"]
    assert not site.waiter.waits, "there was nothing to wait for"


@pytest.mark.parametrize("state", sorted(set(ApprovalState) - FINAL))
async def test_a_deadline_counts_before_it_was_noted(site: Any, approval: Make, state: ApprovalState) -> None:
    """What is past its end is expired, whether or not the store says so by now; nobody waits for it."""
    past = time.time() - 1
    put(site, approval(state=state, expires=past, spend_by=past if state is ApprovalState.APPROVED else None))
    answer = (await site.ask("/v1/approvals/apr_1?wait=30s")).json()
    assert answer["state"] == "expired"
    assert answer["retry"] is False
    assert not site.waiter.waits


@pytest.mark.parametrize("token", ["other", "namesake"])
async def test_a_foreign_approval_is_one_that_never_was(site: Any, approval: Make, token: str) -> None:
    """Byte for byte the same answer, waiting or not, for ids that cannot be one as well."""
    put(site, approval())
    paths = ["apr_1", "apr_2", "apr_1?wait=30s", "apr_2?wait=30s", "%00", "a" * 65, "%F0%9F%98%80"]
    answers = [await site.ask(f"/v1/approvals/{path}", token=token) for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert all(answer.headers == answers[0].headers for answer in answers)
    assert not site.waiter.waits
    assert set(site.desk.asked) == {"apr_1", "apr_2"}, "the store is asked for nothing that cannot be an id"


class TestWaiting:
    """``?wait=``."""

    async def test_the_answer_ends_it(self, site: Any, approval: Make) -> None:
        """Nothing is said while it is pending; then the new state."""
        pending = put(site, approval())
        asking = asyncio.ensure_future(site.ask("/v1/approvals/apr_1?wait=30s"))
        await site.waiter.waiting.wait()
        assert site.waiter.waits == [("apr_1", 30.0)]
        assert not asking.done()
        put(site, replace(pending, state=ApprovalState.APPROVED, spend_by=time.time() + 60))
        site.waiter.answered.set()
        answer = (await asking).json()
        assert answer["state"] == "approved"
        assert answer["retry"] is True

    async def test_its_end_is_the_present_state(self, site: Any, approval: Make) -> None:
        """Nobody answered: pending."""
        put(site, approval())
        site.waiter.answered.set()
        assert (await site.ask("/v1/approvals/apr_1?wait=1s")).json()["state"] == "pending"

    async def test_it_is_cut_to_its_bound(self, site: Any, approval: Make) -> None:
        """A day is a minute."""
        put(site, approval())
        site.waiter.answered.set()
        await site.ask("/v1/approvals/apr_1?wait=1d")
        assert site.waiter.waits == [("apr_1", approvals.LONGEST_WAIT)]

    @pytest.mark.parametrize(
        "query", ["wait=", "wait=0s", "wait=30", "wait=-1s", "wait=1e9s", "wait=1s&wait=2s", "wait=nan"]
    )
    async def test_what_is_no_duration_is_malformed(self, site: Any, approval: Make, query: str) -> None:
        """Refused before the store is asked."""
        put(site, approval())
        answer = await site.ask(f"/v1/approvals/apr_1?{query}")
        assert answer.status_code == 400
        assert answer.json()["code"] == "malformed"
        assert not site.desk.asked

    async def test_an_agent_has_so_many(self, site: Any, approval: Make) -> None:
        """One more is refused; another agent still may ask; ended waits make room."""
        put(site, approval())
        put(site, approval(id="apr_2", call={"subject": "planner-2"}))
        site.waiter.expected = approvals.UNDER_WAY
        waiting = [asyncio.ensure_future(site.ask("/v1/approvals/apr_1?wait=30s")) for _ in range(approvals.UNDER_WAY)]
        await site.waiter.waiting.wait()
        refused = await site.ask("/v1/approvals/apr_1")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1"
        assert (await site.ask("/v1/approvals/apr_2", token="other")).status_code == 200
        site.waiter.answered.set()
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {200}
        assert (await site.ask("/v1/approvals/apr_1")).status_code == 200

    @pytest.mark.parametrize("ended", [True, False])
    async def test_a_token_that_ended_meanwhile_is_told_nothing(self, site: Any, approval: Make, ended: bool) -> None:
        """It is verified again after the wait."""
        pending = put(site, approval(call={"subject": "planner-2"}))
        asking = asyncio.ensure_future(site.ask("/v1/approvals/apr_1?wait=30s", token="other"))
        await site.waiter.waiting.wait()
        put(site, replace(pending, state=ApprovalState.DENIED, reason="no"))
        if ended:
            del site.verifier.tokens["other"]
        site.waiter.answered.set()
        assert (await asking).status_code == (401 if ended else 200)

    @pytest.mark.parametrize(
        ("error", "status", "code"),
        [
            (Refusal(Code.GATEWAY_ERROR, "The gateway is stopping."), 503, "gateway-error"),
            (UnknownApproval("apr_1"), 404, "not-found"),
            (OSError("planted"), 503, "gateway-error"),
        ],
    )
    async def test_a_wait_that_fails_is_answered(
        self, site: Any, approval: Make, error: Exception, status: int, code: str
    ) -> None:
        """The gateway stops, the approval is gone, the store is down."""
        put(site, approval())
        site.waiter.failing = error
        site.waiter.answered.set()
        answer = await site.ask("/v1/approvals/apr_1?wait=30s")
        assert answer.status_code == status
        assert answer.json()["code"] == code

    async def test_a_client_that_hung_up_waits_no_longer(self, site: Any, approval: Make) -> None:
        """Its place is free at once."""
        put(site, approval())
        events: asyncio.Queue[MutableMapping[str, Any]] = asyncio.Queue()
        events.put_nowait({"type": "http.request", "body": b"", "more_body": False})
        scope = {
            "type": "http", "method": "GET", "path": "/v1/approvals/apr_1", "query_string": b"wait=30s",
            "headers": [(b"authorization", b"Bearer planner")],
        }  # fmt: skip

        async def send(message: MutableMapping[str, Any]) -> None:
            """Nobody reads it."""

        asking = asyncio.ensure_future(site.app(scope, events.get, send))
        await site.waiter.waiting.wait()
        events.put_nowait({"type": "http.disconnect"})
        await asking
        await asyncio.sleep(0)
        assert site.waiter.cancelled == 1


@given(st.text(max_size=12))
def test_any_wait_is_a_bounded_time_or_malformed(text: str) -> None:
    """Whatever stands there: more than nothing and at most the bound, or a refusal."""
    request = Request({"type": "http", "headers": [], "query_string": urlencode({"wait": text}).encode()})
    with contextlib.suppress(Refusal):
        assert 0 < approvals._seconds(request) <= approvals.LONGEST_WAIT
