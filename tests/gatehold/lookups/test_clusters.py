"""Law: a cluster is asked about its tokens at its own address, with the gateway's credential, and strictly read."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from gatehold.credentials.broker import CredentialBroker
from gatehold.identity.clusters import accepts
from gatehold.identity.sources import SourceError
from gatehold.lookups.client import OwnCalls
from gatehold.lookups.clusters import KEYS, REVIEWS, ClusterCalls
from tests.gatehold.lookups.cluster import HOST, Answer, ScriptedCluster, serving

JWKS = b'{"keys": []}'
SUBJECT = "system:serviceaccount:agents:planner"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ScriptedCluster]:
    with serving(tmp_path) as state:
        state.answers[f"GET {KEYS}"] = Answer(200, JWKS, "application/jwk-set+json")
        yield state


@pytest.fixture
async def clusters(cluster: ScriptedCluster) -> AsyncIterator[ClusterCalls]:
    own = OwnCalls(cast("CredentialBroker", cluster), frozenset({1}), max_answer=300_000)
    yield ClusterCalls(own, {"main": cluster.place().target})
    await own.close()


async def test_keys_are_fetched_with_the_gateways_credential(clusters: ClusterCalls, cluster: ScriptedCluster) -> None:
    """An API server gives them in their own media type only, and to those who may read them."""
    assert await clusters.keys("main") == JWKS
    (asked,) = cluster.asked
    assert (asked.headers["host"], asked.headers["authorization"]) == ([HOST], ["Bearer planted"])
    assert asked.headers["accept"] == ["application/jwk-set+json"]
    assert cluster.askers in ([None], [None, None])


@pytest.mark.parametrize(
    "answer",
    [
        Answer(403, {"kind": "Status"}),
        Answer(302, b"", headers={"location": "https://evil.example/"}),
        Answer(200, b"<html>", "text/html"),
        Answer(200, JWKS, "application/json"),
        Answer(200, JWKS, "application/jwk-set+json", {"content-encoding": "gzip"}),
        Answer(200, b" " * 270_000, "application/jwk-set+json"),
        Answer(200, b" " * 400_000, "application/jwk-set+json"),
    ],
    ids=lambda answer: f"{answer.status} {answer.content_type} {len(answer.body)}",
)
async def test_anything_else_is_no_document(clusters: ClusterCalls, cluster: ScriptedCluster, answer: Answer) -> None:
    """The problem names the cluster and holds nothing of the answer."""
    cluster.answers[f"GET {KEYS}"] = answer
    with pytest.raises(SourceError, match=r"^cluster main: [a-zA-Z0-9 ]+$"):
        await clusters.keys("main")
    assert len(cluster.asked) == 1


async def test_a_token_is_reviewed_for_its_audience(clusters: ClusterCalls, cluster: ScriptedCluster) -> None:
    """As the API wants it asked (authentication.k8s.io/v1)."""
    status = {"authenticated": True, "audiences": ["gatehold"], "user": {"username": SUBJECT}}
    cluster.answers[f"POST {REVIEWS}"] = Answer(201, {"kind": "TokenReview", "status": status})
    assert accepts(await clusters.review("main", "t.o.k", "gatehold"), audience="gatehold", subject=SUBJECT)
    (asked,) = cluster.asked
    assert json.loads(asked.body) == {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": "t.o.k", "audiences": ["gatehold"]},
    }
    assert asked.headers["authorization"] == ["Bearer planted"]
    assert not any(name.startswith("impersonate-") for name in asked.headers)


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
async def test_no_review_is_told_without_the_token(
    clusters: ClusterCalls, cluster: ScriptedCluster, status: int
) -> None:
    cluster.answers[f"POST {REVIEWS}"] = Answer(status, {"kind": "Status", "message": "planted-token"})
    with pytest.raises(SourceError) as error:
        await clusters.review("main", "planted-token", "gatehold")
    assert str(error.value) == f"cluster main: the cluster answers {status}"


async def test_a_crowd_waits_in_turn(clusters: ClusterCalls, cluster: ScriptedCluster) -> None:
    """However many tokens are shown, a cluster is not flooded with questions."""
    most, at_once = 0, 0

    class Counting(OwnCalls):
        async def make(self, *_: Any) -> Any:
            nonlocal most, at_once
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1
            raise OSError

    own = Counting(cast("CredentialBroker", cluster), frozenset(), max_answer=1)
    crowd = ClusterCalls(own, {"main": cluster.place().target})
    await asyncio.gather(*(crowd.review("main", str(number), "a") for number in range(100)), return_exceptions=True)
    assert most == 16
