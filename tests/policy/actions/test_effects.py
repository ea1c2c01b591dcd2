"""What a call does to its object, from the request and from what was looked up."""

import json
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.model import UNKNOWN, Family, TargetName, TargetTraits, Wanted, WireRequest

MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
ALL, WEB, POD = (
    "/apis/apps/v1/namespaces/x/deployments",
    "/apis/apps/v1/namespaces/x/deployments/web",
    "/api/v1/namespaces/x/pods/p",
)
MERGE, APPLY, PROTOBUF = "merge-patch+json", "apply-patch+yaml", "vnd.kubernetes.protobuf"


def action(method: str, path: str, body: Any = None, kind: str = "json", **known: Any) -> KubernetesAction:
    sent = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (("content-type", f"application/{kind}"),)
    decoded = decode(MAIN, WireRequest(method=method, path=path, headers=headers, body=sent))
    assert isinstance(decoded, KubernetesAction)
    return decoded.knowing(KnownObjects(**known))


def deployment(replicas: int | None = None, image: str = "i", **labels: str) -> dict[str, Any]:
    spec: dict[str, Any] = {} if replicas is None else {"replicas": replicas}
    template = {"spec": {"containers": [{"name": "c", "image": image}]}}
    return {"metadata": {"name": "web", "labels": labels}, "spec": {**spec, "template": template}}


def scale(replicas: int | None) -> dict[str, Any]:
    return {"kind": "Scale", "metadata": {"name": "web"}, "spec": {} if replicas is None else {"replicas": replicas}}


OLD, NEW = deployment(3, "old", a="b"), deployment(20, "new", c="d")
PAUSE = {"spec": {"paused": True}}


@pytest.mark.parametrize(
    ("made", "before", "after"),
    [
        (action("POST", ALL, NEW), 0, 20),
        (action("POST", ALL, deployment()), 0, 1),
        (action("POST", ALL, NEW, new=deployment(5)), 0, 5),
        (action("POST", ALL, b"k8s\x00", PROTOBUF), 0, UNKNOWN),
        (action("POST", ALL, b"k8s\x00", PROTOBUF, new=NEW), 0, 20),
        (action("PUT", WEB, NEW), UNKNOWN, 20),
        (action("PUT", WEB, NEW, old=OLD), 3, 20),
        (action("PUT", WEB, NEW, old=None), 0, 20),
        (action("PATCH", WEB, PAUSE, MERGE), UNKNOWN, UNKNOWN),
        (action("PATCH", WEB, PAUSE, MERGE, old=OLD), 3, 3),
        (action("PATCH", WEB, PAUSE, MERGE, old=deployment()), 1, 1),
        (action("PATCH", WEB, PAUSE, MERGE, old=OLD, new=NEW), 3, 20),
        (action("PATCH", WEB, {"spec": {"replicas": 9}}, MERGE, old=OLD), 3, 9),
        (action("PATCH", WEB, {"spec": {"replicas": 9}}, MERGE, old=OLD, new=NEW), 3, 20),
        (action("PATCH", WEB, PAUSE, APPLY, old=OLD), 3, UNKNOWN),
        (action("PATCH", WEB, PAUSE, APPLY, old=None, new=deployment(1)), 0, 1),
        (action("PATCH", f"{WEB}/scale", {"spec": {"replicas": 9}}, MERGE, old=scale(3)), 3, 9),
        (action("PATCH", f"{WEB}/scale", {}, MERGE, old=scale(None)), 0, 0),
        (action("PUT", f"{WEB}/scale", scale(None), old=scale(2)), 2, 0),
        (action("PUT", f"{WEB}/status", NEW, old=OLD), 3, 3),
        (action("DELETE", WEB, old=OLD), 3, UNKNOWN),
        (action("DELETE", WEB, old=OLD, new=None), 3, UNKNOWN),
        (action("PUT", WEB, NEW, old={"spec": {"replicas": "3"}}), UNKNOWN, 20),
        (action("GET", WEB), UNKNOWN, UNKNOWN),
    ],
)
def test_replicas(made: KubernetesAction, before: object, after: object) -> None:
    """The server's answer counts before the request, and what a patch leaves alone is what there was."""
    assert (made.old_replicas, made.replicas) == (before, after)
    variables = made.variables(body=True)
    assert (variables.get("k8s.oldReplicas", UNKNOWN), variables.get("k8s.replicas", UNKNOWN)) == (before, after)


@pytest.mark.parametrize(
    ("made", "before", "after"),
    [
        (action("POST", ALL, NEW), None, NEW),
        (action("POST", ALL, NEW, new=OLD), None, OLD),
        (action("PUT", WEB, NEW, old=OLD), OLD, NEW),
        (action("PUT", WEB, NEW, old=None), None, NEW),
        (action("PATCH", WEB, PAUSE, MERGE, old=OLD), OLD, UNKNOWN),
        (action("PATCH", WEB, PAUSE, MERGE, old=OLD, new=NEW), OLD, NEW),
        (action("DELETE", WEB), UNKNOWN, None),
        (action("DELETE", WEB, old=OLD, new=None), OLD, None),
        (action("DELETE", ALL), UNKNOWN, UNKNOWN),
        (action("GET", f"{POD}/exec", old=OLD), OLD, UNKNOWN),
        (action("GET", WEB), UNKNOWN, UNKNOWN),
    ],
)
def test_objects(made: KubernetesAction, before: object, after: object) -> None:
    """Null where there is none, as admission sees a create and a delete."""
    assert (made.old_object, made.object) == (before, after)
    variables = made.variables(body=True)
    assert (variables.get("oldObject", UNKNOWN), variables.get("object", UNKNOWN)) == (before, after)


@pytest.mark.parametrize(
    ("made", "labels", "images"),
    [
        (action("POST", ALL, NEW), {"c": "d"}, ("new",)),
        (action("PUT", WEB, NEW, old=OLD), {"c": "d"}, ("new",)),
        (action("PUT", WEB, NEW, new=OLD), {"a": "b"}, ("old",)),
        (action("PATCH", WEB, PAUSE, MERGE, old=OLD), UNKNOWN, UNKNOWN),
        (action("PATCH", WEB, PAUSE, MERGE, old=OLD, new=NEW), {"c": "d"}, ("new",)),
        (action("DELETE", WEB), UNKNOWN, UNKNOWN),
        (action("DELETE", WEB, old=OLD, new=None), {"a": "b"}, UNKNOWN),
        (action("PUT", f"{WEB}/scale", scale(3), old=scale(2), new=scale(3)), UNKNOWN, UNKNOWN),
        (action("PUT", f"{WEB}/scale", scale(3), parent=OLD), {"a": "b"}, ("old",)),
        (action("PUT", f"{WEB}/status", NEW, old=OLD), UNKNOWN, UNKNOWN),
        (action("PUT", f"{WEB}/status", NEW, parent=OLD, new=NEW), {"c": "d"}, ("new",)),
        (action("GET", f"{POD}/exec", parent=OLD), {"a": "b"}, ("old",)),
        (action("POST", f"{POD}/eviction", NEW, parent=OLD), {"a": "b"}, ("old",)),
    ],
)
def test_labels_and_images(made: KubernetesAction, labels: object, images: object) -> None:
    """Of the object after a write, be it by its status; of a delete the labels before, of other subresources its own."""
    assert (made.labels, made.images) == (labels, images)


@pytest.mark.parametrize(
    ("made", "sources"),
    [
        (action("POST", ALL, NEW), "new new new new old old"),
        (action("PATCH", WEB, PAUSE, MERGE), "new new new new old old"),
        (action("PATCH", f"{WEB}/scale", {}, MERGE), "new new parent parent old old"),
        (action("PATCH", f"{POD}/ephemeralcontainers", {}, MERGE), "new new new new old old"),
        (action("DELETE", WEB), "- - old - old old"),
        (action("GET", f"{POD}/exec"), "- - parent parent old old"),
        (action("POST", f"{POD}/eviction", {}), "- - parent parent old old"),
    ],
)
def test_sources(made: KubernetesAction, sources: str) -> None:
    """For each variable the object to look at, and for no other variable any."""
    names = ("object", "k8s.replicas", "k8s.labels", "k8s.images", "oldObject", "k8s.oldReplicas")
    assert " ".join(made.effect.source(name) or "-" for name in names) == sources
    assert made.effect.source("k8s.name") is made.effect.source("agent.claims") is None


def test_looked_at() -> None:
    """An object that was found missing was looked at; of a create there is nothing to look at before."""
    created, found = action("POST", ALL, NEW), action("GET", f"{POD}/exec", old=OLD)
    assert [created.effect.looked_at(each) for each in Wanted] == [True, False, False]
    assert [found.effect.looked_at(each) for each in Wanted] == [True, False, True]
    assert action("PUT", WEB, NEW, old=None).effect.looked_at(Wanted.OLD)
