"""Facts from bodies, by verb and content type."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.paths import canonical
from policy.actions.payloads import PROTOBUF, Payload, patch_type, read_payload
from policy.actions.requestinfo import request_info
from policy.model import UNKNOWN

CASES = yaml.safe_load((Path(__file__).parents[2] / "cases/actions/replicas.yaml").read_text("utf-8"))
WRITES = {
    "create": ("POST", "/apis/apps/v1/namespaces/a/deployments", "application/json"),
    "update": ("PUT", "/apis/apps/v1/namespaces/a/deployments/web", "application/json"),
    "merge-patch": ("PATCH", "/apis/apps/v1/namespaces/a/deployments/web", "application/merge-patch+json"),
    "strategic-merge-patch": (
        "PATCH", "/apis/apps/v1/namespaces/a/deployments/web", "application/strategic-merge-patch+json",
    ),
    "json-patch": ("PATCH", "/apis/apps/v1/namespaces/a/deployments/web", "application/json-patch+json"),
    "apply-patch": ("PATCH", "/apis/apps/v1/namespaces/a/deployments/web", "application/apply-patch+yaml"),
    "other patch types": ("PATCH", "/apis/apps/v1/namespaces/a/deployments/web", ""),
}  # fmt: skip
PODS = "/api/v1/namespaces/a/pods"


def payload(method: str, path: str, body: bytes | None, content_type: str = "application/json") -> Payload:
    return read_payload(request_info(method, path, canonical(path).segments, {}), content_type, body)


def _rows() -> list[Any]:
    return [
        pytest.param(WRITES[kind], case, id=f"{kind}: {case.get('raw', json.dumps(case.get('body')))}"[:100])
        for kind, cases in CASES.items()
        for case in cases
    ]


@pytest.mark.parametrize(("write", "case"), _rows())
def test_replicas(write: tuple[str, str, str], case: dict[str, Any]) -> None:
    """Every write leads to what the table states."""
    method, path, content_type = write
    body = case["raw"].encode() if "raw" in case else json.dumps(case["body"]).encode()
    change = payload(method, case.get("path", path), body, case.get("type", content_type)).change
    got = "unchanged" if change.unchanged else "unknown" if change.replicas is UNKNOWN else change.replicas
    assert got == case["is"]


def test_create() -> None:
    """A whole object tells everything."""
    body = {"metadata": {"name": "a", "labels": {"b": "c"}}, "spec": {"containers": [{"image": "x"}]}}
    got = payload("POST", PODS, json.dumps(body).encode())
    assert (got.name, got.value, got.labels, got.images, got.reason) == ("a", body, {"b": "c"}, ("x",), "")


def test_subresources_are_other_objects() -> None:
    """The labels and images of an Eviction are not those of its pod."""
    body = b'{"metadata":{"name":"a","labels":{"b":"c"}}}'
    got = payload("POST", f"{PODS}/a/eviction", body)
    assert got.value == json.loads(body)
    assert got.labels is got.images is UNKNOWN


def test_ephemeral_containers_have_images() -> None:
    """They are sent as the whole pod."""
    body = b'{"spec":{"containers":[{"image":"x"}],"ephemeralContainers":[{"image":"busybox"}]}}'
    assert payload("PUT", f"{PODS}/a/ephemeralcontainers", body).images == ("x", "busybox")


@pytest.mark.parametrize(
    ("body", "dry_run"),
    [
        (b"{}", ()),
        (b'{"dryRun":["All"]}', ("All",)),
        (b'{"dryRun":null}', ()),
        (b'{"dryRun":["all"]}', ("all",)),
        (b'{"dryRun":"All"}', UNKNOWN),
        (b'{"dryRun":[1]}', UNKNOWN),
        (b"[]", UNKNOWN),
        (b" ", UNKNOWN),
        (b"k8s\x00", UNKNOWN),
    ],
)
def test_options_of_a_delete(body: bytes, dry_run: object) -> None:
    """Read from the body that replaces those of the query."""
    assert payload("DELETE", f"{PODS}/a", body).dry_run == dry_run
    assert payload("DELETE", PODS, body).dry_run == dry_run


def test_protobuf_tells_the_name_of_a_create_only() -> None:
    """The rest needs a schema; and of an update the name is in the URL."""
    body = b'k8s\x00\n\x0f\n\x02v1\x12\tConfigMap\x12$\n\x1a\n\x03dry\x12\x00\x1a\x07staging"\x00*\x002\x008\x00B\x00'
    body += b'\x12\x06\n\x01a\x12\x01b\x1a\x00"\x00'
    path = "/api/v1/namespaces/staging/configmaps"
    got = payload("POST", path, body, PROTOBUF)
    assert (got.name, got.value) == ("dry", UNKNOWN)
    assert "protobuf" in got.reason
    assert payload("POST", path, body[:-9], PROTOBUF).name is UNKNOWN
    assert payload("PUT", f"{path}/dry", body, PROTOBUF).name is UNKNOWN


@pytest.mark.parametrize("content_type", ["application/cbor", "text/plain", "application/vnd.kubernetes.protobuf+x"])
def test_other_types_tell_nothing(content_type: str) -> None:
    """Neither name nor object, and a reason for the audit trail."""
    got = payload("POST", PODS, b"\xd9\xd9\xf7\xa0", content_type)
    assert (got.name, got.value) == (UNKNOWN, UNKNOWN)
    assert got.reason


def test_no_body_and_no_access() -> None:
    """An empty create names nothing; of a body that is not there nothing is known."""
    assert payload("POST", PODS, b"").name == ""
    assert payload("POST", PODS, None).name is UNKNOWN


def test_patch_type_is_exact() -> None:
    """Cut at the first semicolon, neither trimmed nor folded."""
    assert patch_type("A/b ; c;d") == "A/b "


@given(
    st.sampled_from(["POST", "PUT", "PATCH", "DELETE", "GET"]),
    st.sampled_from([PODS, f"{PODS}/a", f"{PODS}/a/scale", "/version", "/api/v1/watch/pods"]),
    st.binary(max_size=40) | st.text(alphabet='{}[]":,spec/replicas013null', max_size=40).map(str.encode),
    st.sampled_from(["", "application/json", "application/yaml", PROTOBUF, *(write[2] for write in WRITES.values())]),
)
def test_never_raises(method: str, path: str, body: bytes, content_type: str) -> None:
    """Any body of any request is facts, or a reason why there are none."""
    got = payload(method, path, body, content_type)
    assert got.value is UNKNOWN or isinstance(got.value, dict)


def test_values_are_not_in_the_repr() -> None:
    """An object may be a Secret."""
    body = b'{"metadata":{"labels":{"a":"planted-value"}},"data":{"a":"planted-value"}}'
    assert "planted-value" not in repr(payload("POST", "/api/v1/namespaces/a/secrets", body))
