"""Mutating admission webhooks, as functions of the object (k8s.io/apiserver/pkg/admission/plugin/webhook/mutating).

They run on every create and update after the server's own defaults. One that says it has side effects makes the
server refuse dry runs; one that only acts on real writes is what a dry run cannot foresee.
"""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.objects import KubernetesObject
from gatehold.demo.kubernetes.requests import Call

type Occasion = Literal["always", "writes", "dry-runs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutation:
    """One webhook."""

    change: Callable[[KubernetesObject], KubernetesObject]
    """From the object as it was sent to what shall be stored; it is given a copy."""
    name: str = "mutate.webhook.example"
    resource: str = "deployments"
    subresource: str = ""
    """``scale``: it is given the Scale."""
    occasion: Occasion = "always"
    side_effects: bool = False
    """Whether it cannot be tried: dry runs are refused (400)."""


def mutated(cluster: Cluster, call: Call, item: KubernetesObject, *, dry_run: bool) -> KubernetesObject:
    """The object after all webhooks that are concerned; raises ApiError (400)."""
    for webhook in cluster.mutations:
        if (webhook.resource, webhook.subresource) != (call.target.resource.plural, call.target.subresource):
            continue
        if dry_run and webhook.side_effects:
            raise statuses.bad_request(f'admission webhook "{webhook.name}" does not support dry run')
        if webhook.occasion in ("always", "dry-runs" if dry_run else "writes"):
            item = webhook.change(deepcopy(item))
    return item
