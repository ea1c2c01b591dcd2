"""In what a later call has to be like the one that was approved, to pass by the grant that the yes left. Pure.

A grant of scope ``resource`` is for the same path, one of scope ``rule`` for any name of the same kind (Kubernetes: in
the same namespace; HTTP: any path of the patterns that matched). Everything else has to be the same: method, the whole
query, every header that is forwarded and not volatile, and the body byte by byte. Two exceptions, both for Kubernetes
objects sent as JSON:

1. ``spec.replicas`` may be any number up to the one that was shown.
2. ``metadata.resourceVersion`` is a condition and not a part of the object; and the ``status`` and ``metadata`` that
   the server fills in are not read when a scale is written.

Tunnels into which something is typed or sent that nobody saw leave no grant.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final, Literal

from gatehold.approvals.fingerprint import BoundCall, fingerprint
from gatehold.approvals.grants import CallTraits
from gatehold.approvals.model import Bound, GrantTerms
from policy.actions.decoding import Action
from policy.actions.http import HttpAction
from policy.actions.kubernetes import CONNECTING, KubernetesAction
from policy.model import UNKNOWN, Agent, ApprovalObligation, TargetName

REPLICAS: Final = "k8s.replicas"

_SCOPES: Final[tuple[Literal["rule", "resource"], ...]] = ("rule", "resource")
_JSON: Final = frozenset({"application/json", "application/merge-patch+json", "application/strategic-merge-patch+json"})
_UNSEEN: Final = frozenset({"attach", "portforward", "proxy"})


def traits(  # noqa: PLR0913 (a call, who makes it, and what it is bound to)
    action: Action, agent: Agent, target: TargetName, *, bound: BoundCall, patterns: Iterable[str], key: bytes
) -> CallTraits:
    """What of a call decides whether a grant covers it. ``bound``: as for its fingerprint. ``patterns``: paths of the
    rules that ask which match an HTTP call. ``key``: of the fingerprints."""
    about = _kubernetes(action) if isinstance(action, KubernetesAction) else _http(action, patterns)
    facts = _facts(action)
    return CallTraits(
        issuer=agent.issuer,
        subject=agent.subject,
        session=agent.session,
        target=target,
        facts=facts,
        likes={} if is_unseen(action) else {scope: _like(action, scope, bound, facts, key) for scope in _SCOPES},
        tunnel=is_tunnel(action),
        **about,
    )


def terms(call: CallTraits, obligation: ApprovalObligation, *, longest: float) -> GrantTerms | None:
    """What a yes to this call leaves behind; None: nothing. ``longest``: seconds that any grant may last."""
    scope = obligation.scope
    if scope == "request" or obligation.grant is None or not call.session:
        return None
    like = call.likes.get(scope, "")
    if not like or (scope == "resource" and not call.name):
        return None
    return GrantTerms(
        scope=scope,
        seconds=min(obligation.grant, longest),
        verb=call.verb,
        resource=call.resource,
        name=call.name,
        namespace=call.namespace,
        bounds=tuple(Bound(fact=fact, value=value) for fact, value in sorted(call.facts.items())),
        like=like,
    )


def is_tunnel(action: Action) -> bool:
    """Whether the call opens something through which more is sent."""
    return bool(action.upgrade) or (isinstance(action, KubernetesAction) and action.subresource in CONNECTING)


def is_unseen(action: Action) -> bool:
    """Whether what matters of the call is sent later, so that nobody can see it before it is allowed."""
    if isinstance(action, KubernetesAction):
        proxied = _UNSEEN & {action.subresource, action.verb}
        return bool(proxied) or action.stdin or (bool(action.upgrade) and action.subresource not in CONNECTING)
    return bool(action.upgrade)


def resource_of(group: str, resource: str, subresource: str) -> str:
    """``deployments.apps/scale``, ``pods/exec``: the kind of thing, as kubectl writes it."""
    return resource + (f".{group}" if group else "") + (f"/{subresource}" if subresource else "")


def _kubernetes(action: KubernetesAction) -> dict[str, Any]:
    verb = ",".join((action.verb, *action.also_verbs))
    if not action.resource_request:
        return {"verb": verb, "resource": f"path {action.path}", "name": action.path, "namespace": None}
    known = "" if action.name is UNKNOWN else action.name
    return {
        "verb": verb,
        "resource": resource_of(action.group, action.resource, action.subresource),
        "name": f"{action.namespace}/{known}" if action.namespace and known else known,
        "namespace": None if action.covers_all_namespaces else action.namespace,
    }


def _http(action: HttpAction, patterns: Iterable[str]) -> dict[str, Any]:
    verb = ",".join((action.method, *action.also_methods))
    return {"verb": verb, "resource": " and ".join(sorted(set(patterns))) or "/**", "name": action.path}


def _facts(action: Action) -> dict[str, Any]:
    if not isinstance(action, KubernetesAction):
        return {}
    replicas = action.variables(body=True).get(REPLICAS)
    return {} if replicas is None or isinstance(replicas, bool) else {REPLICAS: replicas}


def _like(
    action: Action, scope: Literal["rule", "resource"], bound: BoundCall, facts: Mapping[str, Any], key: bytes
) -> str:
    path, body = bound.path, bound.body
    if isinstance(action, KubernetesAction):
        body = _body(action, body, any_name=scope == "rule", any_replicas=REPLICAS in facts)
        path = _any_name(action) if scope == "rule" else path
    elif scope == "rule":
        path = f"?{path.partition('?')[2]}"
    of_all = replace(bound, path=path, body=body, rules=(), facts={"grant": scope, "bounds": sorted(facts)}, change="")
    return fingerprint(key, of_all)


def _any_name(action: KubernetesAction) -> str:
    """Path and query with the name left open."""
    path, mark, query = action.wire_path.partition("?")
    parts = action.info.parts
    if not action.resource_request or len(parts) < 2:
        return path + mark + query
    segments = path.split("/")
    segments[len(segments) - len(parts) + 1] = "*"
    return "/".join(segments) + mark + query


def _body(action: KubernetesAction, body: bytes, *, any_name: bool, any_replicas: bool) -> bytes:
    """The body without what may differ; as it is where it cannot be read so."""
    if not body or action.content_type.partition(";")[0].strip().lower() not in _JSON:
        return body
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return body
    if not isinstance(document, dict) or action.is_malformed:
        return body
    return _normal(document, action, any_name=any_name, any_replicas=any_replicas)


def _normal(document: dict[str, Any], action: KubernetesAction, *, any_name: bool, any_replicas: bool) -> bytes:
    metadata, spec = document.get("metadata"), document.get("spec")
    if isinstance(metadata, dict):
        metadata.pop("resourceVersion", None)
        if any_name:
            metadata.pop("name", None)
    if any_replicas and isinstance(spec, dict) and isinstance(spec.get("replicas"), int):
        spec["replicas"] = "*"
    if action.verb == "update" and action.subresource == "scale":
        document = {"apiVersion": document.get("apiVersion"), "kind": document.get("kind"), "spec": spec}
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode("ascii")
