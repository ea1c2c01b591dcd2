"""Law: what an API server and the gateway could read in two ways, or not at all, is refused with the reason, and nothing
of it reaches the cluster; whether a rule reads the body (a gate) or none does (a plain allow)."""

import gzip
import json
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.e2e import rows
from tests.e2e.clusters import one_cluster
from tests.e2e.harness import COMMANDS, Answer, Installation, installation, running

CONFIGURATION = one_cluster(
    """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: bad-input}
rules:
  - name: all
    effect: allow
    agents: {groups: [planners]}
    kubernetes: {targets: [main], namespaces: [prod, dev-1], apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
  - name: gate
    effect: constrain
    kubernetes: {targets: [main], namespaces: [prod], apiGroups: ["*"], resources: ["*"], verbs: [create, update, patch, delete]}
    when: k8s.replicas > 10 || object.metadata.name == "forbidden" || k8s.dryRun
    approval: {groups: [sre]}
""",
    limits="{maxRequestBody: 1MiB}",
)
CLUSTER = "https://kubernetes.corp.example"
JSON, YAML, MERGE, STRATEGIC = rows.JSON, rows.YAML, rows.MERGE, rows.STRATEGIC
OPERATIONS, APPLY, PROTOBUF = rows.JSON_PATCH, rows.APPLY, rows.PROTOBUF
ROUTES = {"gated": ("prod", "web"), "plain": ("dev-1", "api")}
"""By route: a namespace, and a deployment in it."""
UNREADABLE = frozenset({"malformed", "unevaluable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Bad:
    """One request; ``@NS@`` and ``@NAME@`` in its path are the route's."""

    method: str = "POST"
    path: str = "/apis/apps/v1/namespaces/@NS@/deployments"
    body: bytes | None = None
    headers: tuple[str, ...] = (f"Content-Type: {JSON}",)
    codes: frozenset[str] = field(default=UNREADABLE)


def manifest(name: str = "made") -> dict[str, Any]:
    """A deployment for whatever namespace it is sent to."""
    item = rows.manifest("apps/v1", "Deployment", name, 1)
    del item["metadata"]["namespace"]
    return item


ONE = "/apis/apps/v1/namespaces/@NS@/deployments/@NAME@"
WHOLE = json.dumps(manifest()).encode()


def create(body: bytes, content_type: str = JSON) -> Bad:
    return Bad(body=body, headers=(f"Content-Type: {content_type}",))


def patch(body: bytes, content_type: str = MERGE) -> Bad:
    return Bad(method="PATCH", path=ONE, body=body, headers=(f"Content-Type: {content_type}",))


def delete(body: bytes) -> Bad:
    return Bad(method="DELETE", path=ONE, body=body)


def listing(query: str) -> Bad:
    return Bad(method="GET", path=f"/api/v1/namespaces/@NS@/pods?{query}", headers=())


def spec(text: bytes) -> bytes:
    """A manifest with something else where its number of replicas stands."""
    return WHOLE.replace(b'"replicas": 1', b'"replicas": ' + text)


def cbor(item: Mapping[str, str]) -> bytes:
    """A map of short texts as RFC 8949 has it, with the tag by which the API server knows it."""
    pairs = b"".join(bytes([0x60 + len(text)]) + text.encode() for pair in item.items() for text in pair)
    return b"\xd9\xd9\xf7" + bytes([0xA0 + len(item)]) + pairs


PROTO = rows.protobuf(manifest())
DEEP = b'{"a":' * 200 + b"1" + b"}" * 200
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(8)
)
MANY = json.dumps([{"op": "add", "path": "/metadata/labels/a", "value": "b"}] * 10_001).encode()
NOISE = bytes(range(256))

TABLE: dict[str, Bad] = {
    "duplicate key": create(WHOLE.replace(b'"replicas": 1', b'"replicas": 1, "replicas": 50')),
    "duplicate key, escaped": create(WHOLE.replace(b'"replicas": 1', b'"replicas": 1, "replic\\u0061s": 50')),
    "duplicate key in a merge": patch(b'{"spec": {"replicas": 1, "replicas": 50}}'),
    "duplicate key in a strategic merge": patch(b'{"spec": {"replicas": 1}, "spec": {"replicas": 50}}', STRATEGIC),
    "duplicate key in an operation": patch(
        b'[{"op": "add", "path": "/metadata/labels/a", "path": "/spec/replicas", "value": 50}]', OPERATIONS
    ),
    "duplicate key in YAML": create(b"spec: {replicas: 1}\nspec: {replicas: 50}\n", YAML),
    "duplicate key in an apply": patch(b"spec: {replicas: 1}\nspec: {replicas: 50}\n", APPLY),
    "duplicate key in a delete": delete(b'{"dryRun": ["All"], "dryRun": []}'),
    "NaN": create(spec(b"NaN")),
    "Infinity": create(spec(b"-Infinity")),
    "NaN in a merge": patch(b'{"spec": {"replicas": NaN}}'),
    "a leading zero": create(spec(b"01")),
    "a hexadecimal number": create(spec(b"0x10")),
    "a comment": create(b"/* x */" + WHOLE),
    "single quotes": create(WHOLE.replace(b'"', b"'")),
    "a trailing comma": create(WHOLE[:-1] + b",}"),
    "two documents": create(WHOLE + WHOLE),
    "text behind": create(WHOLE + b" x"),
    "cut short": create(WHOLE[:-2]),
    "depth bomb": create(DEEP),
    "depth bomb of lists": patch(b"[" * 5000 + b"]" * 5000, OPERATIONS),
    "depth bomb in a merge": patch(DEEP),
    "depth bomb in YAML": create(b"a: " + b"[" * 3000 + b"]" * 3000, YAML),
    "a list": create(b"[]"),
    "a text": create(b'"x"'),
    "a number": create(b"1"),
    "null": create(b"null"),
    "blanks": create(b"  \n"),
    "invalid UTF-8": create(WHOLE.replace(b"made", b"ma\xff\xfe")),
    "an overlong form": create(WHOLE.replace(b"made", b"ma\xc0\xaf")),
    "a lone surrogate": create(WHOLE.replace(b"made", b"ma\\ud800")),
    "NUL": create(WHOLE.replace(b"made", b"ma\x00de")),
    "NUL behind": create(WHOLE + b"\x00"),
    "a line break in a text": create(WHOLE.replace(b"made", b"ma\nde")),
    "BOM": create(b"\xef\xbb\xbf" + WHOLE),
    "UTF-16": create(WHOLE.decode().encode("utf-16")),
    "noise": create(NOISE),
    "form": create(b"a=b", "application/x-www-form-urlencoded"),
    "text/plain": create(WHOLE, "text/plain"),
    "text/json": create(WHOLE, "text/json"),
    "a type with parts": create(b"--x\r\n\r\n--x--", "multipart/form-data; boundary=x"),
    "merge by a create": create(WHOLE, MERGE),
    "another patch type": patch(b'{"spec": {"replicas": 50}}', "application/json"),
    "unknown patch type": patch(b'{"spec": {"replicas": 50}}', "application/x-patch+json"),
    "patch type in capitals": patch(b'{"spec": {"replicas": 50}}', "Application/Merge-Patch+JSON"),
    "patch type with a space": patch(b'{"spec": {"replicas": 50}}', "application/merge-patch+json ; charset=utf-8"),
    "no patch type": Bad(method="PATCH", path=ONE, body=b"{}", headers=("Content-Type:",)),
    "several content types": Bad(body=WHOLE, headers=(f"Content-Type: {JSON}", f"Content-Type: {YAML}")),
    "content types in one": Bad(body=WHOLE, headers=(f"Content-Type: {JSON}, {YAML}",)),
    "gzip": Bad(body=gzip.compress(WHOLE), headers=(f"Content-Type: {JSON}", "Content-Encoding: gzip")),
    "gzip that is none": Bad(body=WHOLE, headers=(f"Content-Type: {JSON}", "Content-Encoding: gzip")),
    "identity": Bad(body=WHOLE, headers=(f"Content-Type: {JSON}", "Content-Encoding: identity, deflate")),
    "operations that are an object": patch(b"{}", OPERATIONS),
    "a merge that is a list": patch(b'[{"op": "replace", "path": "/spec/replicas", "value": 50}]'),
    "too many operations": patch(MANY, OPERATIONS),
    "too large": Bad(body=b'{"a": "' + b"x" * 1_100_000 + b'"}', codes=frozenset({"too-large"})),
    "too large a patch": Bad(
        method="PATCH",
        path=ONE,
        body=MANY * 2,
        headers=(f"Content-Type: {OPERATIONS}",),
        codes=frozenset({"too-large"}),
    ),
    "label selector": listing("labelSelector=a%3D%3D%3Db"),
    "label selector, open": listing("labelSelector=a+in+(b"),
    "label selector, key": listing("labelSelector=-%2Fa%3Db"),
    "field selector": listing("fieldSelector=metadata.name"),
    "field selector, terms": listing("fieldSelector=%2Ca%2C%3D"),
    "protobuf cut short": create(PROTO[: len(PROTO) // 4], PROTOBUF),
    "protobuf, magic only": create(b"k8s\0", PROTOBUF),
    "protobuf without magic": create(PROTO[4:], PROTOBUF),
    "protobuf, length beyond the end": create(b"k8s\0\x0a\xff\xff\xff\xff\x0f", PROTOBUF),
    "protobuf of JSON": create(WHOLE, PROTOBUF),
    "protobuf called JSON": create(PROTO, JSON),
    "CBOR called JSON": create(cbor({"kind": "Deployment"}), JSON),
    "YAML anchors": create(BOMB.encode(), YAML),
    "YAML anchors in an apply": patch(BOMB.encode(), APPLY),
    "YAML merge key": create(b"base: &b {replicas: 50}\nspec:\n  <<: *b\n", YAML),
    "YAML documents": create(b"---\nspec: {replicas: 1}\n---\nspec: {replicas: 50}\n", YAML),
    "YAML of an own type": create(b"spec: !!python/name:os.system\n", YAML),
    "YAML with a tab": create(b"spec:\n\treplicas: 1\n", YAML),
    "YAML directive": create(b"%YAML 9.9\n---\nspec: {replicas: 1}\n", YAML),
    "YAML of itself": create(b"&a [*a]\n", YAML),
    "a double's bytes": create(struct.pack(">d", 1.5), YAML),
    "an empty create": Bad(body=b""),
    "an empty patch": patch(b""),
    "an empty apply": patch(b"", APPLY),
    "options that are a list": delete(b"[]"),
    "options cut short": delete(b'{"dryRun": ["All"]'),
    "options with NaN": delete(b'{"gracePeriodSeconds": NaN}'),
    "body on GET": Bad(method="GET", path=ONE, body=WHOLE),
    "body on a list": Bad(method="GET", path="/api/v1/namespaces/@NS@/pods", body=b"x"),
}


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A gateway that reads the bodies of one namespace's writes, and lets those of another pass."""
    with installation(tmp_path_factory.mktemp("bad-input")) as made:
        made.write("all.yaml", CONFIGURATION)
        with running(made, request.param):
            yield made


def send(installed: Installation, bad: Bad, route: str) -> Answer:
    namespace, name = ROUTES[route]
    options = ["-X", bad.method, "-H", "Expect:"]
    for each in bad.headers:
        options += ["-H", each]
    if bad.body is not None:
        file = installed.directory / "bad-body"
        file.write_bytes(bad.body)
        options += ["--data-binary", f"@{file}"]
    path = bad.path.replace("@NS@", namespace).replace("@NAME@", name)
    return installed.curl(CLUSTER + path, *options)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("bad", TABLE.values(), ids=TABLE)
def test_bad_input_is_refused(installed: Installation, bad: Bad, route: str) -> None:
    """A Status that names the reason; nothing forwarded, and nothing tried at the cluster either."""
    installed.cluster.received.clear()
    answer = send(installed, bad, route)
    assert [each for each in installed.cluster.received if "dryRun" not in each.path and each.method != "GET"] == []
    assert 400 <= answer.status < 500, answer
    status = answer.json
    assert (status["kind"], status["apiVersion"], status["status"]) == ("Status", "v1", "Failure")
    assert status["code"] == answer.status
    told = {cause["reason"] for cause in status["details"]["causes"]} | {
        cause.get("message", "") for cause in status["details"]["causes"]
    }
    assert told & bad.codes, status
    assert answer.headers["gatehold-decision"]
    assert list(installed.cluster.received) == []


GOOD: dict[str, Bad] = {
    "JSON": create(WHOLE),
    "JSON with a parameter": create(WHOLE.replace(b"made", b"made-b"), "application/json; charset=utf-8"),
    "YAML": create(rows.written(manifest("made-c"), YAML), YAML),
    "merge": patch(b'{"metadata": {"labels": {"a": "b"}}}'),
    "operations": patch(b'[{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}]', OPERATIONS),
    "selectors": listing("labelSelector=app+in+(web,api),x!%3Dy&fieldSelector=status.phase%3DRunning"),
}


@pytest.mark.parametrize("good", GOOD.values(), ids=GOOD)
def test_good_input_passes(installed: Installation, good: Bad) -> None:
    """The table refuses what is bad, not everything."""
    answer = send(installed, good, "plain")
    assert answer.status in (200, 201), answer.body
