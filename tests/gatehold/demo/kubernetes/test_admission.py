"""Mutating webhooks."""

from typing import Any

import pytest

from gatehold.demo.kubernetes.admission import Mutation, Occasion
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.objects import KubernetesObject

WEB = "/apis/apps/v1/namespaces/prod/deployments/web"
MERGE = "application/merge-patch+json"


def many(item: KubernetesObject) -> KubernetesObject:
    """A webhook that wants fifty replicas, whatever was asked."""
    return item | {"spec": item["spec"] | {"replicas": 50}}


@pytest.mark.parametrize(("occasion", "tried", "done"), [("always", 50, 50), ("writes", 5, 50), ("dry-runs", 50, 5)])
def test_on_every_write_or_on_some(
    ask: Any, ticking_cluster: Cluster, occasion: Occasion, *, tried: int, done: int
) -> None:
    """A webhook acts where it is said to: a dry run need not foresee what a write does."""
    ticking_cluster.mutations.append(Mutation(change=many, occasion=occasion))
    for query, replicas in (("?dryRun=All", tried), ("", done)):
        code, answer = ask("PATCH", WEB + query, {"spec": {"replicas": 5}}, content_type=MERGE)
        assert (code, answer["spec"]["replicas"]) == (200, replicas)
    assert ask("GET", WEB)[1]["spec"]["replicas"] == done


def test_on_creation(ask: Any, ticking_cluster: Cluster, deployment: dict[str, Any]) -> None:
    """A new object passes it as well."""
    ticking_cluster.mutations.append(Mutation(change=many))
    assert ask("POST", "/apis/apps/v1/namespaces/prod/deployments", deployment)[1]["spec"]["replicas"] == 50


def test_a_scale_has_webhooks_of_its_own(ask: Any, ticking_cluster: Cluster) -> None:
    """One for deployments does not see their scale; one for the scale is given the Scale."""
    ticking_cluster.mutations.append(Mutation(change=many))
    body = {"spec": {"replicas": 4}}
    assert ask("PATCH", f"{WEB}/scale", body, content_type=MERGE)[1]["spec"]["replicas"] == 4
    ticking_cluster.mutations.append(Mutation(change=many, subresource="scale"))
    assert ask("PATCH", f"{WEB}/scale", body, content_type=MERGE)[1]["spec"]["replicas"] == 50


def test_side_effects_forbid_dry_runs(ask: Any, ticking_cluster: Cluster) -> None:
    """400 for the dry run; the write itself passes."""
    ticking_cluster.mutations.append(Mutation(change=many, name="counts.example", side_effects=True))
    code, status = ask("PATCH", f"{WEB}?dryRun=All", {"spec": {"replicas": 5}}, content_type=MERGE)
    assert (code, status["message"]) == (400, 'admission webhook "counts.example" does not support dry run')
    assert ask("PATCH", WEB, {"spec": {"replicas": 5}}, content_type=MERGE)[0] == 200
