"""What a write makes of an object."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.decoding import decode
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.actions.resulting import resulting
from policy.model import UNKNOWN, Family, TargetName, TargetTraits, WireRequest

MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
WEB, THING = "/apis/apps/v1/namespaces/x/deployments/web", "/apis/example.com/v1/namespaces/x/things/t"
MERGE, STRATEGIC, OPERATIONS, APPLY = (
    "merge-patch+json",
    "strategic-merge-patch+json",
    "json-patch+json",
    "apply-patch+yaml",
)
NOW: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "namespace": "x",
        "uid": "u",
        "resourceVersion": "5",
        "generation": 2,
        "labels": {"a": "b"},
    },
    "spec": {"replicas": 3, "template": {"spec": {"containers": [{"name": "c", "image": "i"}]}}},
    "status": {"replicas": 3},
}


def action(method: str, path: str, body: Any, kind: str = "json") -> KubernetesAction:
    headers = (("Content-Type", f"application/{kind}"),)
    decoded = decode(MAIN, WireRequest(method=method, path=path, headers=headers, body=json.dumps(body).encode()))
    assert isinstance(decoded, KubernetesAction)
    return decoded


def after(kind: str, body: Any, path: str = WEB, now: Any = NOW) -> Any:
    before = copy.deepcopy(now)
    found = resulting(action("PUT" if kind == "json" else "PATCH", path, body, kind), now)
    assert now == before
    return found


@pytest.mark.parametrize(
    ("kind", "body", "spec"),
    [
        (MERGE, {"spec": {"replicas": 5}}, {**NOW["spec"], "replicas": 5}),
        (MERGE, {"spec": {"replicas": None, "x": {"y": None, "z": 1}}}, {"template": NOW["spec"]["template"], "x": {"z": 1}}),
        (MERGE, {"spec": {"template": {"spec": {"containers": []}}}}, {"replicas": 3, "template": {"spec": {"containers": []}}}),
        (MERGE, {}, NOW["spec"]),
        (STRATEGIC, {"spec": {"replicas": 5}}, {**NOW["spec"], "replicas": 5}),
        (STRATEGIC, {"spec": {"paused": True, "template": None}}, {"replicas": 3, "paused": True}),
        (OPERATIONS, [{"op": "replace", "path": "/spec/replicas", "value": 5}], {**NOW["spec"], "replicas": 5}),
        (OPERATIONS, [{"op": "copy", "from": "/status/replicas", "path": "/spec/replicas"}], NOW["spec"]),
        ("json", {"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 1}}, {"replicas": 1}),
    ],
)  # fmt: skip
def test_computed(kind: str, body: Any, spec: Any) -> None:
    """By the rules of each patch type; what only the server writes stays as it was."""
    assert after(kind, body) == {**NOW, "spec": spec}


def test_metadata() -> None:
    """Labels and annotations change; versions, owners of fields and the status do not."""
    body = {
        "metadata": {"labels": {"a": None, "c": "d"}, "generation": 9, "resourceVersion": "5"},
        "status": {"replicas": 0},
    }
    assert after(MERGE, body) == {**NOW, "metadata": {**NOW["metadata"], "labels": {"c": "d"}}}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (APPLY, {"spec": {"replicas": 5}}),
        (STRATEGIC, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": "j"}]}}}}),
        (STRATEGIC, {"spec": {"$patch": "replace"}}),
        (STRATEGIC, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x"]}}),
        (MERGE, {"spec": {"template": {"spec": {"containers": [{"name": "c", "image": None}]}}}}),
        (MERGE, {"metadata": {"name": "other"}}),
        (MERGE, {"metadata": {"uid": "other"}}),
        (MERGE, {"metadata": None}),
        (MERGE, {"kind": "StatefulSet"}),
        (MERGE, []),
        (MERGE, 5),
        (OPERATIONS, [{"op": "test", "path": "/spec/replicas", "value": 4}]),
        (OPERATIONS, [{"op": "remove", "path": "/spec/absent"}]),
        (OPERATIONS, [{"op": "remove", "path": "/metadata"}]),
        ("unknown", {}),
        ("json", {"spec": {}}),
        ("json", {"metadata": {"namespace": "y"}}),
        ("json", []),
    ],
)
def test_unknown(kind: str, body: Any) -> None:
    """What depends on a schema, on owners of fields or on the server's mood, or would be refused, is not computed."""
    assert after(kind, body) is UNKNOWN


def test_kinds_that_are_not_known() -> None:
    """A custom resource may take its status from any write, and takes no strategic merge patch."""
    now = {"metadata": {"name": "t"}, "status": {"x": 1}}
    assert after(MERGE, {"spec": {"y": 1}}, THING, now) == {**now, "spec": {"y": 1}}
    assert after(MERGE, {"status": {"x": 2}}, THING, now) is UNKNOWN
    assert after("json", {"metadata": {"name": "t"}}, THING, now) is UNKNOWN
    assert after(STRATEGIC, {"spec": {}}, THING, now) is UNKNOWN


@pytest.mark.parametrize("subresource", ["status", "ephemeralcontainers", "resize", "proxy"])
def test_subresources(subresource: str) -> None:
    """Each takes another part of what is sent."""
    assert after(MERGE, {"spec": {"replicas": 1}}, f"{WEB}/{subresource}") is UNKNOWN


def test_scale() -> None:
    """Of a Scale the spec changes, and nothing else."""
    now = {
        "kind": "Scale",
        "metadata": {"name": "web", "resourceVersion": "5"},
        "spec": {"replicas": 3},
        "status": {"replicas": 3},
    }
    assert after(MERGE, {"spec": {"replicas": 9}, "status": {"replicas": 9}}, f"{WEB}/scale", now) == {
        **now,
        "spec": {"replicas": 9},
    }
    assert after("json", {"metadata": {"name": "web"}, "spec": {"replicas": 9}}, f"{WEB}/scale", now) == {
        **now,
        "spec": {"replicas": 9},
    }


@pytest.mark.parametrize(("method", "path"), [("DELETE", WEB), ("GET", WEB), ("POST", "/api/v1/namespaces/x/pods")])
def test_no_write_of_an_object(method: str, path: str) -> None:
    """There is no object that would come of it."""
    made = decode(MAIN, WireRequest(method=method, path=path, body=b""))
    assert isinstance(made, KubernetesAction)
    assert resulting(made, NOW) is UNKNOWN


LEAVES = st.integers(0, 9) | st.none() | st.text(max_size=2)
SPECS = st.recursive(
    st.dictionaries(st.sampled_from(["replicas", "a", "b"]), LEAVES, max_size=3),
    lambda below: st.dictionaries(st.sampled_from(["replicas", "a", "b"]), below | LEAVES, max_size=3),
)


@given(SPECS, SPECS, st.sampled_from([MERGE, STRATEGIC]))
def test_facts_agree(before: dict[str, Any], patch: dict[str, Any], kind: str) -> None:
    """The replicas read from the computed object are those that the patch alone, or the object before, tells."""
    now = {**NOW, "spec": before}
    made = action("PATCH", WEB, {"spec": patch}, kind)
    found = resulting(made, now)
    assert isinstance(found, dict)
    known = made.knowing(KnownObjects(old=now))
    if known.replicas is not UNKNOWN:
        assert made.knowing(KnownObjects(old=now, new=found)).replicas == known.replicas
