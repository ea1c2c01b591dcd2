"""Every way to give a workload more replicas, as data."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

from tests.e2e.rows import (
    APPLY,
    FORCED,
    JSON,
    JSON_PATCH,
    MERGE,
    PROTOBUF,
    STRATEGIC,
    YAML,
    Row,
    manifest,
    row,
    written,
)

MANY, FEW = 50, 5
"""More replicas than the pack lets pass, and fewer. A patch can also copy or move a pod's 30 seconds of grace."""

WEB = "/apis/apps/v1/namespaces/prod/deployments/web"
HPAS = "/apis/autoscaling/v2/namespaces/prod/horizontalpodautoscalers"
WORKLOADS = {
    "/apis/apps/v1/namespaces/prod/deployments": ("apps/v1", "Deployment"),
    "/apis/apps/v1/namespaces/prod/statefulsets": ("apps/v1", "StatefulSet"),
    "/apis/apps/v1/namespaces/prod/replicasets": ("apps/v1", "ReplicaSet"),
    "/api/v1/namespaces/prod/replicationcontrollers": ("v1", "ReplicationController"),
}
"""Collections with the workload ``web`` in each."""
SETS = "/apis/apps/v1/namespaces/prod/statefulsets"
CUSTOM = {
    "/apis/shop.example/v1/namespaces/prod/frontends/shop": ("shop.example/v1", "Frontend"),
    "/apis/metrics.example/v1beta1/namespaces/prod/meters/water": ("metrics.example/v1beta1", "Meter"),
}


def replicas_rows() -> Iterator[Row]:
    """Every way to more replicas."""
    for collection, (api_version, kind) in WORKLOADS.items():
        yield from _whole(collection, api_version, kind)
        yield from _patches(f"{collection}/web", api_version, kind)
        yield from _scales(f"{collection}/web")
    for path, (api_version, kind) in CUSTOM.items():
        yield from _scales(path)
        yield row(f"{kind} merge", "PATCH", path, _replicas(), MERGE)
        yield row(f"{kind} json", "PATCH", path, [_operation("replace", value=MANY)], JSON_PATCH)
        declared = {"apiVersion": api_version, "kind": kind, "metadata": {}, **_replicas()}
        yield row(f"{kind} apply", "PATCH", f"{path}?{FORCED}", declared, APPLY)
    yield from _autoscalers()
    yield from _spellings()
    yield from _content_types()
    yield from _broken()


def _whole(collection: str, api_version: str, kind: str) -> Iterator[Row]:
    new, web = manifest(api_version, kind, "new", MANY), manifest(api_version, kind, "web", MANY)
    nameless = {**new, "metadata": {"generateName": "new-"}}
    for content_type in (JSON, YAML, PROTOBUF):
        yield row(f"{kind} create {content_type}", "POST", collection, new, content_type, "held")
    for content_type in (JSON, YAML):
        yield row(f"{kind} update {content_type}", "PUT", f"{collection}/web", web, content_type, "held")
    # What was looked up has to be pinned in the body, and that of protobuf is not rewritten.
    yield row(f"{kind} update {PROTOBUF}", "PUT", f"{collection}/web", web, PROTOBUF)
    yield row(f"{kind} create, name generated", "POST", collection, nameless, expect="held")
    yield row(f"{kind} create by apply", "PATCH", f"{collection}/new?{FORCED}", new, APPLY, "held")
    yield row(f"{kind} create by update", "PUT", f"{collection}/new", new)


def _patches(path: str, api_version: str, kind: str) -> Iterator[Row]:
    for content_type in (MERGE, STRATEGIC):
        yield row(f"{kind} {content_type}", "PATCH", path, _replicas(), content_type, "held")
    for name, spec in {
        "spec replaced": {"$patch": "replace", "replicas": MANY},
        "keys retained": {"$retainKeys": ["replicas"], "replicas": MANY},
    }.items():
        yield row(f"{kind} strategic, {name}", "PATCH", path, {"spec": spec}, STRATEGIC)
    declared = {"apiVersion": api_version, "kind": kind, "metadata": {"name": "web"}, **_replicas()}
    yield row(f"{kind} apply", "PATCH", f"{path}?{FORCED}", declared, APPLY, "held")
    yield row(f"{kind} apply in JSON", "PATCH", f"{path}?{FORCED}", json.dumps(declared).encode(), APPLY, "held")
    for name, operations in json_patches(manifest(api_version, kind, "web", MANY)).items():
        yield row(f"{kind} json {name}", "PATCH", path, operations, JSON_PATCH, "held")


def json_patches(whole: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The ways in which a JSON patch gives a workload many replicas."""
    grace = "/spec/template/spec/terminationGracePeriodSeconds"
    return {
        "replace": [_operation("replace", value=MANY)],
        "add": [_operation("add", value=MANY)],
        "copy": [_operation("copy", **{"from": grace})],
        "move": [_operation("move", **{"from": grace})],
        "copy by way of another": [
            {"op": "copy", "from": grace, "path": "/spec/minReadySeconds"},
            _operation("copy", **{"from": "/spec/minReadySeconds"}),
        ],
        "removed, then added": [_operation("remove"), _operation("add", value=MANY)],
        "tested first": [_operation("test", value=3), _operation("replace", value=MANY)],
        "changed twice": [_operation("replace", value=1), _operation("replace", value=MANY)],
        "whole spec": [{"op": "replace", "path": "/spec", "value": whole["spec"]}],
        "whole object": [{"op": "replace", "path": "", "value": whole}],
    }


def _scales(path: str) -> Iterator[Row]:
    kind, scale = path.split("/")[-2], f"{path}/scale"
    metadata = {"name": path.rsplit("/", 1)[1], "namespace": "prod"}
    whole = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": metadata, **_replicas()}
    spec = [{"op": "add", "path": "/spec", "value": {"replicas": MANY}}]
    yield row(f"{kind}/scale update", "PUT", scale, whole, expect="held")
    yield row(f"{kind}/scale update YAML", "PUT", scale, whole, YAML, "held")
    yield row(f"{kind}/scale update protobuf", "PUT", scale, whole, PROTOBUF)
    yield row(f"{kind}/scale merge", "PATCH", scale, _replicas(), MERGE, "held")
    yield row(f"{kind}/scale strategic", "PATCH", scale, _replicas(), STRATEGIC, "held")
    yield row(f"{kind}/scale json", "PATCH", scale, [_operation("replace", value=MANY)], JSON_PATCH, "held")
    yield row(f"{kind}/scale json, spec", "PATCH", scale, spec, JSON_PATCH, "held")
    yield row(f"{kind}/scale apply", "PATCH", f"{scale}?{FORCED}", whole, APPLY, "held")


def small_rows(name: str) -> Iterator[Row]:
    """The same forms with few replicas, for a stateful set of that name, which no controller changes meanwhile."""
    collection, (api_version, kind) = SETS, WORKLOADS[SETS]
    path, whole = f"{collection}/{name}", manifest(api_version, kind, name, FEW)
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": name}, **_replicas(FEW)}
    declared = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **_replicas(FEW)}
    replaced = [_operation("replace", value=FEW)]
    for content_type in (JSON, YAML, PROTOBUF):
        yield row(f"create {content_type}", "POST", collection, whole, content_type)
    yield row("create by apply", "PATCH", f"{path}?{FORCED}", whole, APPLY)
    for below, update, applied in (("", whole, declared), ("/scale", scale, scale)):
        yield row(f"update {below}", "PUT", path + below, update)
        yield row(f"merge {below}", "PATCH", path + below, _replicas(FEW), MERGE)
        yield row(f"strategic {below}", "PATCH", path + below, _replicas(FEW), STRATEGIC)
        yield row(f"json {below}", "PATCH", path + below, replaced, JSON_PATCH)
        yield row(f"apply {below}", "PATCH", f"{path}{below}?{FORCED}", applied, APPLY)


def _autoscalers() -> Iterator[Row]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"scaleTargetRef": target, "minReplicas": MANY, "maxReplicas": MANY}
    new = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "new"}, "spec": spec}
    existing = {**new, "metadata": {"name": "web"}}
    for content_type in (JSON, YAML, PROTOBUF):
        yield row(f"autoscaler create {content_type}", "POST", HPAS, new, content_type)
    yield row("autoscaler create v1", "POST", HPAS.replace("v2", "v1"), {**new, "apiVersion": "autoscaling/v1"})
    yield row("autoscaler update", "PUT", f"{HPAS}/web", existing)
    yield row("autoscaler apply", "PATCH", f"{HPAS}/web?{FORCED}", existing, APPLY)
    yield row("autoscaler create by apply", "PATCH", f"{HPAS}/new?{FORCED}", new, APPLY)
    for content_type in (MERGE, STRATEGIC):
        yield row(f"autoscaler {content_type}", "PATCH", f"{HPAS}/web", {"spec": {"maxReplicas": MANY}}, content_type)
    replaced = [{"op": "replace", "path": "/spec/maxReplicas", "value": MANY}]
    yield row("autoscaler json", "PATCH", f"{HPAS}/web", replaced, JSON_PATCH)
    yield row("autoscaler deleted", "DELETE", f"{HPAS}/web", expect="held")


def _spellings() -> Iterator[Row]:
    """The same scale by paths and queries that are read differently by somebody."""
    for name, path in {
        "encoded letters": WEB.replace("deployments", "%64eployments"),
        "encoded subresource": f"{WEB}/%73cale",
        "encoded namespace": WEB.replace("/prod/", "/%70rod/"),
        "trailing slash": f"{WEB}/",
        "double slash": WEB.replace("/prod/", "//prod/"),
        "double slash in front": f"/{WEB}",
        "encoded slash": WEB.replace("prod/deployments", "prod%2Fdeployments"),
        "dot segments": WEB.replace("/prod/", "/prod/../prod/"),
        "encoded dots": WEB.replace("/prod/", "/dev-1/%2e%2e/prod/"),
        "semicolon": f"{WEB};x=1",
        "legacy proxy": WEB.replace("/v1/", "/v1/proxy/"),
        "no namespace": "/apis/apps/v1/deployments/web",
        "empty namespace": "/apis/apps/v1/namespaces//deployments/web",
        "tried in another case": f"{WEB}?DryRun=All",
        "tried in lower case": f"{WEB}?dryrun=All",
        "tried with all": f"{WEB}?dryRun=all",
        "tried with an empty value": f"{WEB}?dryRun=",
        "tried, then not": f"{WEB}?dryRun=All&dryRun=",
        "tried behind a semicolon": f"{WEB}?x;dryRun=All",
        "tried, with encoded letters": f"{WEB}?%64ryRun=All",
        "really tried": f"{WEB}?dryRun=All",
        "with a field selector": f"{WEB}?fieldSelector=metadata.name%3Dother",
        "with a label selector": f"{WEB}?labelSelector=app%3Dother",
        "as a watch": f"{WEB}?watch=true",
        "legacy watch": WEB.replace("/v1/", "/v1/watch/"),
        "a null byte": f"{WEB}%00",
        "absolute": f"https://other.example{WEB}",
    }.items():
        yield row(f"spelling: {name}", "PATCH", path, _replicas(), MERGE)
    path = WEB.replace("deployments", "Deployments")
    yield row("spelling: upper case", "PATCH", path, _replicas(), MERGE, expect="pointless")
    for name, method in {"lower case": "patch", "unknown": "BREW", "connect": "POST"}.items():
        yield row(f"method: {name}", method, WEB, _replicas(), MERGE, expect="refused")
    for name, path in {
        "all": "/apis/apps/v1/namespaces/prod/deployments",
        "all everywhere": "/apis/apps/v1/deployments",
        "by label": "/apis/apps/v1/namespaces/prod/deployments?labelSelector=app%3Dweb",
        "by name": "/apis/apps/v1/namespaces/prod/deployments?fieldSelector=metadata.name%3Dweb",
        "one": WEB,
        "one, tried": f"{WEB}?dryRun=All",
        "a namespace": "/api/v1/namespaces/prod",
    }.items():
        yield row(f"delete: {name}", "DELETE", path, expect="held")
    yield row("delete: one, tried by the query but not by the body", "DELETE", f"{WEB}?dryRun=All", {}, expect="held")


def _content_types() -> Iterator[Row]:
    patch = json.dumps(_replicas()).encode()
    for name, headers in {
        "with parameters": [("Content-Type", f"{MERGE}; charset=utf-8")],
        "upper case": [("Content-Type", MERGE.upper())],
        "JSON": [("Content-Type", JSON)],
        "none": [],
        "unknown": [("Content-Type", "application/other-patch+json")],
        "two that differ": [("Content-Type", JSON_PATCH), ("Content-Type", MERGE)],
        "two that differ, turned round": [("Content-Type", MERGE), ("Content-Type", JSON_PATCH)],
        "a list": [("Content-Type", f"{JSON_PATCH}, {MERGE}")],
        "space before": [("Content-Type", f" {MERGE}")],
        "another name beside": [("Content_Type", MERGE), ("Content-Type", JSON_PATCH)],
    }.items():
        yield Row(name=f"content type: {name}", method="PATCH", path=WEB, body=patch, headers=tuple(headers))
    packed = (("Content-Type", MERGE), ("Content-Encoding", "gzip"))
    yield Row(name="content type: encoded", method="PATCH", path=WEB, body=gzip.compress(patch), headers=packed)
    overridden = (("Content-Type", MERGE), ("X-HTTP-Method-Override", "PATCH"))
    yield Row(name="method: overridden", method="POST", path=WEB, body=patch, headers=overridden)
    spoken_for = (
        ("Content-Type", MERGE),
        ("Impersonate-User", "system:admin"),
        ("Impersonate-Group", "system:masters"),
    )
    yield Row(name="as somebody else", method="PATCH", path=WEB, body=patch, headers=spoken_for, expect="refused")


def _broken() -> Iterator[Row]:
    deep = b'{"spec":' * 100 + b"1" + b"}" * 100
    for name, body in {
        "a key twice": b'{"spec":{"replicas":1,"replicas":50}}',
        "spec twice": b'{"spec":{"replicas":1},"spec":{"replicas":50}}',
        "not a number": b'{"spec":{"replicas":NaN}}',
        "a fraction": b'{"spec":{"replicas":50.0}}',
        "an exponent": b'{"spec":{"replicas":5e1}}',
        "a text": b'{"spec":{"replicas":"50"}}',
        "an escaped key": b'{"spec":{"r\\u0065plicas":50}}',
        "deep": deep,
        "a mark in front": b'\xef\xbb\xbf{"spec":{"replicas":50}}',
        "in UTF-16": '{"spec":{"replicas":50}}'.encode("utf-16"),
        "something behind": b'{"spec":{"replicas":1}} {"spec":{"replicas":50}}',
        "YAML": b"spec: {replicas: 50}",
        "nothing": b"",
    }.items():
        yield row(f"broken: {name}", "PATCH", WEB, body, MERGE)
    bomb = b"a: &a [1,1]\nb: &b [*a,*a]\nspec: {replicas: 50, x: [*b,*b]}\nkind: Deployment\napiVersion: apps/v1\n"
    yield row("broken: anchors", "PATCH", f"{WEB}?{FORCED}", bomb, APPLY)
    merged = b"x: &x {replicas: 50}\nkind: Deployment\napiVersion: apps/v1\nmetadata: {name: web}\nspec: {<<: *x}\n"
    yield row("broken: merge keys", "PATCH", f"{WEB}?{FORCED}", merged, APPLY)
    huge = [_operation("replace", value=MANY)] * 20_000
    yield row("broken: a huge patch", "PATCH", WEB, huge, JSON_PATCH)
    whole = written(manifest("apps/v1", "Deployment", "new", MANY), PROTOBUF)
    for cut in (0, 4, 5, 20, len(whole) - 1):
        yield row(f"broken: protobuf of {cut} bytes", "POST", WEB[:-4], whole[:cut] or b"\0", PROTOBUF)


def _replicas(count: int = MANY) -> dict[str, Any]:
    return {"spec": {"replicas": count}}


def _operation(kind: str, **rest: Any) -> dict[str, Any]:
    return {"op": kind, "path": "/spec/replicas", **rest}
