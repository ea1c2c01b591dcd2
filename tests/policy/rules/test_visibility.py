"""Parts of answers."""

from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.actions.kubernetes import KubernetesAction
from policy.model import Family, FilterObligation, TargetName, TargetTraits, Visible, WireRequest
from policy.rules.compiler import Surroundings, compile_rules
from policy.rules.rule import Rule
from policy.rules.schema import PolicyDocument
from policy.rules.visibility import can_be_filtered, combine_views, partial_views

MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
API = TargetTraits(name=TargetName("api"), family=Family.HTTP)
PODS = "/api/v1/namespaces/x/pods"


def doors(*terms: dict[str, Any]) -> list[Rule]:
    specs = [{"name": f"r{at}", "effect": "allow", **term} for at, term in enumerate(terms)]
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    return list(
        compile_rules([PolicyDocument.model_validate({**head, "rules": specs})], Surroundings(targets={})).rules
    )


def action(path: str, method: str = "GET", *headers: tuple[str, str]) -> KubernetesAction:
    decoded = decode(MAIN, WireRequest(method=method, path=path, headers=headers, body=b""))
    assert isinstance(decoded, KubernetesAction)
    return decoded


@pytest.mark.parametrize(
    ("made", "can"),
    [
        (action(PODS), True),
        (action("/api/v1/pods"), True),
        (action(f"{PODS}?watch=1"), True),
        (action("/api/v1/watch/pods"), True),
        (action(f"{PODS}/web"), True),
        (action(PODS, "HEAD"), False),
        (action(PODS, "DELETE"), False),
        (action(PODS, "OPTIONS"), False),
        (action(PODS, "POST"), False),
        (action("/api/v1/watch/pods", "POST"), False),
        (action("/api/v1/proxy/nodes/n"), False),
        (action(f"{PODS}/web/log"), False),
        (action(f"{PODS}/web/status"), False),
        (action(f"{PODS}?watch=1", "GET", ("Upgrade", "websocket")), False),
        (action("/version"), True),
    ],
)
def test_what_can_be_filtered(made: KubernetesAction, can: bool) -> None:
    """Objects that a plain GET brings, and nothing else."""
    assert can_be_filtered(made) is can


def test_views() -> None:
    """Names count where the path names none, labels always; a door without either shows all."""
    found = doors(
        {"kubernetes": {"names": ["a-*"]}},
        {"kubernetes": {"labels": {"x": "y", "b": "c"}}},
        {"kubernetes": {"names": ["a"], "labels": {"x": "y"}}},
        {"kubernetes": {"names": ["a", "*"]}},
        {"kubernetes": {}},
    )
    both = (("b", "c"), ("x", "y"))
    assert partial_views(found, action(PODS)) == {
        "r0": Visible(names=("a-*",)),
        "r1": Visible(labels=both),
        "r2": Visible(names=("a",), labels=(("x", "y"),)),
    }
    assert partial_views(found, action(f"{PODS}/a")) == {
        "r1": Visible(labels=both),
        "r2": Visible(labels=(("x", "y"),)),
    }
    assert partial_views(found, action(f"{PODS}/a", "PUT")) == {}
    # Whether a server of another group heeds the selector is its own affair.
    for query in ("fieldSelector=metadata.name=a", "watch=1&fieldSelector=metadata.name%3Da"):
        assert partial_views(found, action(f"{PODS}?{query}")) == partial_views(found, action(PODS))
    assert partial_views(found, decode(API, WireRequest(method="GET", path="/", body=b""))) == {}


def test_views_are_joined() -> None:
    """Through a door to a part, what others show for nothing comes along; through one to all there is no filter."""
    found = doors(
        {"kubernetes": {"names": ["a"]}, "approval": {"groups": ["g"]}},
        {"kubernetes": {"names": ["b"]}, "limit": {"rate": "1/day"}},
        {"kubernetes": {"names": ["c"]}},
        {"kubernetes": {"names": ["c"]}, "mask": {"profiles": ["pii"]}},
        {"kubernetes": {}, "approval": {"groups": ["g"]}},
    )
    views = partial_views(found, action(PODS))
    asked, limited, free, again, whole = found
    a, b, c = (Visible(names=(name,)) for name in "abc")
    assert combine_views(asked, found, views) == FilterObligation(visible=(a, c))
    assert combine_views(limited, found, views) == FilterObligation(visible=(b, c))
    assert combine_views(free, found, views) == combine_views(again, found, views) == FilterObligation(visible=(c,))
    assert combine_views(whole, found, views) is None
