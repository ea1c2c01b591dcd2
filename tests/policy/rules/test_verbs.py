"""Which verbs a call counts as."""

import pytest

from policy.actions.kubernetes import KubernetesAction, decode_kubernetes
from policy.model import Family, TargetName, TargetTraits, WireRequest
from policy.rules.verbs import counted_verbs, required_verbs

MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
PODS, ROLES = "/api/v1/namespaces/x/pods/a", "/apis/rbac.authorization.k8s.io/v1/namespaces/x/roles/a"


def action(method: str, path: str, content_type: str) -> KubernetesAction:
    return decode_kubernetes(
        MAIN, WireRequest(method=method, path=path, headers=(("content-type", content_type),), body=b"")
    )


@pytest.mark.parametrize(
    ("method", "path", "content_type", "counted", "required"),
    [
        ("GET", PODS, "", ("get",), (("get",),)),
        ("HEAD", PODS, "", ("get",), (("get",),)),
        ("HEAD", "/version", "", ("head", "get"), (("head", "get"),)),
        ("PATCH", PODS, MERGE, ("patch",), (("patch",),)),
        ("PATCH", PODS, APPLY, ("patch", "create"), (("patch",), ("create",))),
        ("PUT", PODS, "", ("update", "create"), (("update",),)),
        ("PUT", ROLES, "", ("update", "create"), (("update",), ("create",))),
        ("PUT", f"{PODS}/status", "", ("update",), (("update",),)),
        ("GET", "/api/v1/watch/pods", "", ("watch",), (("watch",),)),
        ("PATCH", "/api/v1/watch/pods", MERGE, ("watch", "patch"), (("watch",), ("patch",))),
        ("GET", f"{PODS}/exec", "", ("get", "create"), (("get",), ("create",))),
    ],
)
def test_verbs(
    method: str, path: str, content_type: str, counted: tuple[str, ...], required: tuple[tuple[str, ...], ...]
) -> None:
    """A wall is met by any of the counted verbs; a door has to name one of each required group."""
    found = action(method, path, content_type)
    assert counted_verbs(found) == counted
    assert required_verbs(found) == required
    assert {verb for group in required for verb in group} <= set(counted)
