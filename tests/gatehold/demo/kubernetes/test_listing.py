"""Lists in chunks, and lists of the past."""

from typing import Any

import pytest

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.population import populate, relabel
from gatehold.demo.kubernetes.resources import PODS

LOAD = "/api/v1/namespaces/load/pods"


@pytest.fixture
def pods(ticking_cluster: Cluster) -> list[str]:
    """The names of seven pods, alone in a namespace."""
    return [item["metadata"]["name"] for item in populate(ticking_cluster.store, 7)]


def names(answer: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in answer["items"]]


def test_chunks_together_are_the_list(ask: Any, pods: list[str]) -> None:
    """Each as long as asked for, with what is left counted, one revision for all."""
    found, left, query, revisions = [], [], "?limit=3", set()
    while query:
        answer = ask("GET", LOAD + query)[1]
        found += names(answer)
        left.append(answer["metadata"].get("remainingItemCount"))
        revisions.add(answer["metadata"]["resourceVersion"])
        token = answer["metadata"].get("continue")
        query = f"?limit=3&continue={token}" if token else ""
    assert (found, left, len(revisions)) == (pods, [4, 1, None], 1)
    assert "remainingItemCount" not in ask("GET", f"{LOAD}?limit=3&labelSelector=app")[1]["metadata"]


def test_chunks_are_of_one_moment(ask: Any, pods: list[str], ticking_cluster: Cluster) -> None:
    """What happens between two chunks does not show in the second."""
    first = ask("GET", f"{LOAD}?limit=3")[1]
    relabel(ticking_cluster.store, PODS, "load", pods[5], {"team": "other", "app": None})
    ticking_cluster.store.remove(PODS, "load", pods[6])
    rest = ask("GET", f"{LOAD}?continue={first['metadata']['continue']}")[1]
    assert names(first) + names(rest) == pods
    assert rest["items"][2]["metadata"]["labels"]["app"] == "app-5"
    now = ask("GET", LOAD)[1]["items"]
    assert (len(now), now[5]["metadata"]["labels"]["team"], "app" in now[5]["metadata"]["labels"]) == (
        6,
        "other",
        False,
    )


def test_tokens_expire(ask: Any, pods: list[str], ticking_cluster: Cluster) -> None:
    """410 once the log is gone; the answer has a token that goes on with what there is."""
    token = ask("GET", f"{LOAD}?limit=3")[1]["metadata"]["continue"]
    ticking_cluster.store.remove(PODS, "load", pods[4])
    ticking_cluster.store.compact()
    code, status = ask("GET", f"{LOAD}?limit=3&continue={token}")
    assert (code, status["reason"]) == (410, "Expired")
    again = ask("GET", f"{LOAD}?continue={status['metadata']['continue']}")[1]
    assert names(again) == [pods[3], *pods[5:]]
    assert ask("GET", f"{LOAD}?continue=nonsense")[0] == 400
    assert ask("GET", f"{LOAD}?continue={token}&resourceVersion=1")[0] in (400, 410)


def test_a_list_of_a_revision(ask: Any, pods: list[str], ticking_cluster: Cluster) -> None:
    """Exact is the past, NotOlderThan may be now; the future is not there yet."""
    revision = ask("GET", LOAD)[1]["metadata"]["resourceVersion"]
    ticking_cluster.store.remove(PODS, "load", pods[0])
    assert names(ask("GET", f"{LOAD}?resourceVersion={revision}&resourceVersionMatch=Exact")[1]) == pods
    assert names(ask("GET", f"{LOAD}?resourceVersion={revision}&limit=9")[1]) == pods
    assert names(ask("GET", f"{LOAD}?resourceVersion={revision}&resourceVersionMatch=NotOlderThan")[1]) == pods[1:]
    assert names(ask("GET", f"{LOAD}?resourceVersion=0")[1]) == pods[1:]
    code, status = ask("GET", f"{LOAD}?resourceVersion=999999999")
    assert (code, status["reason"]) == (504, "Timeout")


@pytest.mark.parametrize(
    "query",
    [
        "resourceVersionMatch=Exact",
        "resourceVersionMatch=Exact&resourceVersion=0",
        "resourceVersionMatch=Newest&resourceVersion=5",
        "sendInitialEvents=true",
    ],
)
def test_what_does_not_go_together(ask: Any, query: str) -> None:
    """422 names the option."""
    code, status = ask("GET", f"{LOAD}?{query}")
    assert (code, status["details"]["causes"][0]["field"] in query) == (422, True)
