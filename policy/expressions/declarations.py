"""Which variables a condition may read, by family, and their types.

They are declared under their dotted names, so that ``k8s.replcas``, or ``http.path`` in a kubernetes rule, is an error
at load. What a call does not have stays unbound.
"""

from collections.abc import Mapping
from functools import cache

from cel_expr_python import cel

from policy.actions import http, kubernetes
from policy.model import Family

_TEXTS = cel.Type.List(cel.Type.STRING)
_LABELS = cel.Type.Map(cel.Type.STRING, cel.Type.STRING)
_MULTI = cel.Type.Map(cel.Type.STRING, _TEXTS)

_EVERYWHERE = {
    "agent.issuer": cel.Type.STRING,
    "agent.subject": cel.Type.STRING,
    "agent.groups": _TEXTS,
    "agent.claims": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
    "agent.purpose": cel.Type.STRING,
    "target.name": cel.Type.STRING,
    "now": cel.Type.TIMESTAMP,
}
_HTTP = {
    "http.method": cel.Type.STRING,
    "http.path": cel.Type.STRING,
    "http.params": _LABELS,
    "http.query": _MULTI,
    "http.headers": _MULTI,
    "http.contentType": cel.Type.STRING,
    "body": cel.Type.DYN,
}
_KUBERNETES = {
    **dict.fromkeys(("verb", "group", "version", "resource", "subresource", "namespace", "name"), cel.Type.STRING),
    **dict.fromkeys(("labelSelector", "fieldSelector", "fieldManager", "container"), cel.Type.STRING),
    **dict.fromkeys(("dryRun", "force", "stdin", "tty"), cel.Type.BOOL),
    **dict.fromkeys(("replicas", "oldReplicas"), cel.Type.INT),
    **dict.fromkeys(("command", "images"), _TEXTS),
    "labels": _LABELS,
}

BODY_VARIABLES = http.BODY_VARIABLES | kubernetes.BODY_VARIABLES
"""Variables for which the request's body may have to be read."""


@cache
def variables(family: Family) -> Mapping[str, cel.Type]:
    """Name to type, of everything that a condition of this family may read."""
    if family is Family.HTTP:
        return {**_EVERYWHERE, **_HTTP}
    facts = {f"k8s.{name}": kind for name, kind in _KUBERNETES.items()}
    return {**_EVERYWHERE, **facts, "object": cel.Type.DYN, "oldObject": cel.Type.DYN}
