"""Law: a fact that is another one than was judged is told; what one side does not tell is no difference."""

from typing import Any

import pytest

from gatehold.lookups.divergence import divergence
from policy.actions.knowledge import KnownObjects
from tests.gatehold.lookups.conftest import DEPLOYMENT, make_action

MERGE = "application/merge-patch+json"


def deployment(replicas: Any = 3, image: str = "app:1", labels: Any = None) -> dict[str, Any]:
    template = {"spec": {"containers": [{"name": "main", "image": image}]}}
    return {
        "kind": "Deployment",
        "metadata": {"labels": labels or {}},
        "spec": {"replicas": replicas, "template": template},
    }


def test_what_came_as_judged_is_no_difference() -> None:
    """By the request alone, and by what was found."""
    assert divergence(make_action("PUT", DEPLOYMENT, deployment()), deployment()) == {}
    patch = make_action("PATCH", DEPLOYMENT, {"spec": {"replicas": 20}}, MERGE)
    assert divergence(patch, deployment(replicas=20, image="other:1")) == {}


@pytest.mark.parametrize(
    ("real", "expected"),
    [
        (deployment(replicas=99), {"replicas": (3, 99)}),
        (deployment(image="evil:1"), {"images": (("app:1",), ("evil:1",))}),
        (deployment(labels={"a": "b"}), {"labels": ({}, {"a": "b"})}),
    ],
)
def test_each_fact_is_compared(real: dict[str, Any], expected: dict[str, Any]) -> None:
    """Replicas, images and labels."""
    assert divergence(make_action("PUT", DEPLOYMENT, deployment()), real) == expected


def test_found_facts_are_compared() -> None:
    """What the cluster said would become of the object is what was judged."""
    patch = make_action("PATCH", DEPLOYMENT, {"metadata": {"annotations": {"a": "b"}}}, MERGE)
    judged = patch.knowing(KnownObjects(old=deployment(), new=deployment()))
    assert divergence(judged, deployment(replicas=4, image="app:2")) == {
        "replicas": (3, 4),
        "images": (("app:1",), ("app:2",)),
    }


def test_a_scale_has_replicas_only() -> None:
    """Its labels and images are not those of the object."""
    action = make_action("PUT", f"{DEPLOYMENT}/scale", {"spec": {"replicas": 3}})
    assert divergence(action, {"kind": "Scale", "spec": {"replicas": 3}, "metadata": {"labels": {"a": "b"}}}) == {}
    assert divergence(action, {"kind": "Scale", "spec": {"replicas": 4}}) == {"replicas": (3, 4)}


@pytest.mark.parametrize("real", [{}, {"spec": []}, {"metadata": [], "spec": {"replicas": "x"}}])
def test_odd_answers_do_not_break_it(real: dict[str, Any]) -> None:
    """Whatever a server answers."""
    divergence(make_action("PUT", DEPLOYMENT, deployment()), real)
