"""Labels of what a call is about, before and after."""

import json
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.model import UNKNOWN, Family, TargetName, TargetTraits, Wanted, WireRequest
from policy.rules.labels import labels_fit, labels_of

MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
LIST, ONE = "/api/v1/namespaces/x/pods", "/api/v1/namespaces/x/pods/web"
YES, NO = ({"metadata": {"labels": {"app": app, "x": "y"}}} for app in ("web", "db"))


def action(method: str, path: str, body: Any = None, **known: Any) -> KubernetesAction:
    kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
    sent = b"" if body is None else json.dumps(body).encode()
    decoded = decode(MAIN, WireRequest(method=method, path=path, headers=(("content-type", kind),), body=sent))
    assert isinstance(decoded, KubernetesAction)
    return decoded.knowing(KnownObjects(**known))


@pytest.mark.parametrize(
    ("made", "wall", "door"),
    [
        (action("POST", LIST, YES), True, True),
        (action("POST", LIST, NO), False, False),
        (action("POST", LIST), UNKNOWN, UNKNOWN),
        (action("POST", LIST, YES, new=NO), False, False),
        (action("PUT", ONE, YES), True, UNKNOWN),
        (action("PUT", ONE, NO), UNKNOWN, False),
        (action("PUT", ONE, YES, old=YES), True, True),
        (action("PUT", ONE, YES, old=NO), True, False),
        (action("PUT", ONE, NO, old=YES), True, False),
        (action("PUT", ONE, NO, old=NO), False, False),
        (action("PUT", ONE, YES, old=None), True, True),
        (action("PUT", ONE, NO, old=None), False, False),
        (action("PATCH", ONE, {}), UNKNOWN, UNKNOWN),
        (action("PATCH", ONE, YES, old=YES), True, UNKNOWN),
        (action("PATCH", ONE, YES, old=NO), UNKNOWN, False),
        (action("PATCH", ONE, YES, old=YES, new=NO), True, False),
        (action("DELETE", ONE), UNKNOWN, UNKNOWN),
        (action("DELETE", ONE, old=YES, new=None), True, True),
        (action("DELETE", ONE, old=NO), False, False),
        (action("DELETE", ONE, old=None), UNKNOWN, UNKNOWN),
        (action("DELETE", LIST, old=YES, new=YES), UNKNOWN, UNKNOWN),
        (action("GET", ONE, old=YES), UNKNOWN, UNKNOWN),
        (action("GET", LIST), UNKNOWN, UNKNOWN),
        (action("GET", f"{ONE}/log", parent=YES), True, True),
        (action("GET", f"{ONE}/log", old=NO), False, False),
        (action("POST", f"{ONE}/eviction", YES), UNKNOWN, UNKNOWN),
        (action("PUT", f"{ONE}/status", YES, new=YES), True, UNKNOWN),
        (action("PUT", f"{ONE}/status", YES, old=YES), True, UNKNOWN),
        (action("PUT", f"{ONE}/status", NO, old=YES, new=NO), True, False),
        (action("PATCH", f"{ONE}/status", {}, old=NO, new=YES), True, False),
        (action("PATCH", f"{ONE}/status", {}, old=YES, new=YES), True, True),
        (action("PUT", f"{ONE}/scale", YES, old=YES, new=YES), UNKNOWN, UNKNOWN),
        (action("PUT", ONE, YES, old={"metadata": {"labels": {"app": 5}}}), True, UNKNOWN),
    ],
)
def test_fit(made: KubernetesAction, wall: object, door: object) -> None:
    """One object with the labels is enough for what forbids, a door needs all; what is not known decides nothing."""
    assert labels_fit({"app": "web"}, made, forbids=True) == wall
    assert labels_fit({"app": "web"}, made, forbids=False) == door


@pytest.mark.parametrize(
    ("made", "roles"),
    [
        (action("POST", LIST, YES), [Wanted.NEW]),
        (action("PUT", ONE, YES), [Wanted.OLD, Wanted.NEW]),
        (action("DELETE", ONE), [Wanted.OLD]),
        (action("PUT", f"{ONE}/scale", YES), [Wanted.PARENT]),
        (action("PATCH", f"{ONE}/status", {}), [Wanted.PARENT, Wanted.NEW]),
        (action("PUT", f"{ONE}/finalize", YES), [Wanted.PARENT, Wanted.NEW]),
        (action("GET", f"{ONE}/exec"), [Wanted.PARENT]),
        (action("GET", ONE), []),
        (action("DELETE", LIST), []),
    ],
)
def test_objects_that_count(made: KubernetesAction, roles: list[Wanted]) -> None:
    """A write has two, a subresource one that is not its own, unless a write of it takes labels along."""
    assert [role for role, _ in labels_of(made)] == roles
