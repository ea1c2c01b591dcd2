"""Tokens of a cluster count for as long as the cluster says so, and its silence makes nobody else wait."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.clusters import AGAIN, FRESH, KEPT, ClusterSource, NoClusters, Reviews, accepts
from gatehold.identity.sources import SourceError
from gatehold.identity.verifier import TokenVerifier
from policy.codes import Code
from policy.errors import Refusal

SUBJECT = "system:serviceaccount:agents:planner"
YES = {
    "kind": "TokenReview",
    "status": {"authenticated": True, "audiences": ["gatehold"], "user": {"username": SUBJECT}},
}


@dataclass
class Cluster:
    """Answers what the test says, when the test says."""

    answer: Mapping[str, Any] | Exception = field(default_factory=lambda: YES)
    asked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def keys(self, target: str) -> bytes:
        return target.encode()

    async def review(self, target: str, token: str, audience: str) -> Mapping[str, Any]:
        assert (target, audience) == ("main", "gatehold")
        self.asked.append(token)
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.fixture
def reviews(cluster: Cluster, clock: Any) -> Reviews:
    return Reviews(cluster, "main", "gatehold", monotonic=clock)


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_yes_counts_for_a_while_and_is_asked_for_again_beside_the_calls(
    reviews: Reviews, cluster: Cluster, clock: Any
) -> None:
    """Known tokens never wait, and each yes begins the time anew."""
    counts = await reviews.ask("t", subject=SUBJECT)
    for _ in range(10):
        clock.now += FRESH + 1
        assert counts()
        assert counts()
        await settled()
    assert len(cluster.asked) == 11


async def test_a_no_ends_it_at_once(reviews: Reviews, cluster: Cluster, clock: Any) -> None:
    """The pod is gone: the look beside the call finds it, the next call does not pass."""
    counts = await reviews.ask("t", subject=SUBJECT)
    cluster.answer = {"kind": "TokenReview", "status": {"authenticated": False}}
    clock.now += FRESH + 1
    assert counts()
    await settled()
    assert not counts()
    with pytest.raises(Refusal, match="review-denied"):
        await reviews.ask("t", subject=SUBJECT)


async def test_a_cluster_that_hangs_lets_its_tokens_run_out(reviews: Reviews, cluster: Cluster, clock: Any) -> None:
    """Until ``KEPT`` they go on, for one question that is under way; nothing asks twice at a time."""
    counts = await reviews.ask("t", subject=SUBJECT)
    cluster.gate.clear()
    for _ in range(int(KEPT)):
        clock.now += 1
        assert counts()
        await settled()
    clock.now += 1
    assert not counts()
    assert len(cluster.asked) == 2
    await reviews.close()


async def test_while_it_cannot_be_asked_nobody_waits(reviews: Reviews, cluster: Cluster, clock: Any) -> None:
    """The first learns it; the others are told at once, while one question each two seconds finds out its end."""
    cluster.answer = SourceError("main: no answer in time")
    with pytest.raises(Refusal) as refusal:
        await reviews.ask("t", subject=SUBJECT)
    assert (refusal.value.code, refusal.value.retry_after) == (Code.GATEWAY_ERROR, 1)
    cluster.gate.clear()
    for _ in range(20):
        with pytest.raises(Refusal) as refusal:
            await reviews.ask("another", subject=SUBJECT)
        assert refusal.value.code is Code.GATEWAY_ERROR
    assert cluster.asked == ["t"]
    clock.now += AGAIN
    cluster.answer = YES
    for token in ("a", "b", "c"):
        with pytest.raises(Refusal):
            await reviews.ask(token, subject=SUBJECT)
    await settled()
    assert cluster.asked == ["t", "a"]
    cluster.gate.set()
    await settled()
    assert (await reviews.ask("b", subject=SUBJECT))()


async def test_a_crowd_with_one_token_is_one_question(reviews: Reviews, cluster: Cluster) -> None:
    """One of them giving up changes nothing for the others."""
    cluster.gate.clear()
    crowd = [asyncio.ensure_future(reviews.ask("t", subject=SUBJECT)) for _ in range(20)]
    await settled()
    crowd[0].cancel()
    cluster.gate.set()
    assert all(counts() for counts in await asyncio.gather(*crowd[1:]))
    assert cluster.asked == ["t"]


@pytest.mark.parametrize(
    "changes",
    [
        {"authenticated": False},
        {"authenticated": "true"},
        {"authenticated": 1},
        {"error": "token expired"},
        {"audiences": []},
        {"audiences": None},
        {"audiences": ["https://kubernetes.default.svc"]},
        {"audiences": "gatehold"},
        {"user": {}},
        {"user": None},
        {"user": {"username": "system:serviceaccount:agents:other"}},
    ],
)
def test_what_is_no_yes(changes: dict[str, Any]) -> None:
    """Only a yes for this audience and this subject is one."""
    assert accepts(YES, audience="gatehold", subject=SUBJECT)
    assert not accepts({**YES, "status": {**YES["status"], **changes}}, audience="gatehold", subject=SUBJECT)


@given(st.dictionaries(st.sampled_from(["kind", "status"]), st.none() | st.text() | st.lists(st.text()) | st.just({})))
def test_nothing_else_is_a_yes(review: dict[str, Any]) -> None:
    """Nor an error."""
    assert not accepts(review, audience="gatehold", subject=SUBJECT)


@pytest.mark.parametrize("review", [{}, {"kind": "Status", "status": YES["status"]}, {"status": YES["status"]}])
def test_only_a_review_is_read(review: dict[str, Any]) -> None:
    assert not accepts(review, audience="gatehold", subject=SUBJECT)


async def test_the_verifier_asks_only_about_what_it_has_verified(
    spec: Any, mint: Any, clock: Any, cluster: Cluster, tmp_path: Any
) -> None:
    """A forged token causes no question; a token whose cluster says no is forgotten, and refused with its word."""
    (tmp_path / "jwks.json").write_bytes(mint.jwks())
    verifier = TokenVerifier([spec(tokenReview="main")], clock, monotonic=clock, clusters=cluster)
    forger = type(mint)().token({"kid": mint.jwk["kid"]}, sub=SUBJECT)
    for forged in (forger, mint.token(sub=SUBJECT, aud="else")):
        with pytest.raises(Refusal):
            await verifier.verify(forged)
    assert cluster.asked == []
    token = mint.token(sub=SUBJECT)
    assert (await verifier.verify(token)).subject == SUBJECT
    assert verifier.verify_cached(token)
    cluster.answer = {**YES, "status": {"authenticated": False}}
    clock.now += FRESH + 1
    assert verifier.verify_cached(token)
    await settled()
    assert verifier.verify_cached(token) is None
    with pytest.raises(Refusal, match="review-denied"):
        await verifier.verify(token)
    await verifier.close()


async def test_without_a_gateway_no_cluster_is_asked() -> None:
    """As in ``gatehold doctor``: a problem that can be told, not a fault."""
    with pytest.raises(SourceError, match="running gateway"):
        await ClusterSource("main", NoClusters()).fetch()
    with pytest.raises(SourceError, match="running gateway"):
        await NoClusters().review("main", "t", "a")
    assert await ClusterSource("main", Cluster()).fetch() == b"main"


async def test_nothing_shows_tokens(reviews: Reviews, cluster: Cluster, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the repr nor the log."""
    await reviews.ask("planted-value", subject=SUBJECT)
    cluster.answer = SourceError("main: no answer in time")
    with pytest.raises(Refusal):
        await reviews.ask("planted-value-2", subject=SUBJECT)
    assert "no answer in time" in caplog.text
    assert "planted-value" not in f"{reviews!r} {caplog.text}"
