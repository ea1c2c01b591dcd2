"""Laws of access in advance: every rule that may ask about such calls is found, and none of another agent's."""

from typing import Any

import pytest
import yaml

from policy.access import Wish, asking
from policy.engine import Engine
from policy.model import Agent, Family, RuleName, TargetName, TargetTraits
from policy.rules.schema import PolicyDocument

RULES = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: p}
rules:
  - {name: k-scale, effect: constrain, kubernetes: {targets: [main], namespaces: [prod, "dev-*"], apiGroups: [apps], resources: [deployments/scale], verbs: [patch]}, approval: {groups: [sre], grant: 10m, scope: rule}}
  - {name: k-named, effect: constrain, kubernetes: {targets: ["*"], resources: ["*"], verbs: ["*"], names: ["api*"]}, approval: {groups: [sre]}}
  - {name: k-others, effect: constrain, agents: {groups: [others]}, kubernetes: {}, approval: {groups: [sre]}}
  - {name: k-shadow, effect: constrain, mode: shadow, kubernetes: {}, approval: {groups: [sre]}}
  - {name: k-plain, effect: allow, kubernetes: {verbs: [patch]}}
  - {name: k-paths, effect: constrain, kubernetes: {nonResourcePaths: [/metrics]}, approval: {groups: [sre]}}
  - {name: h-delete, effect: allow, http: {targets: [crm], methods: [DELETE], paths: ["/customers/{id}"]}, approval: {groups: [sre]}}
  - {name: h-socket, effect: allow, http: {targets: [crm], paths: ["/**"], upgrade: websocket}, approval: {groups: [sre]}}
"""
TARGETS = {
    "main": TargetTraits(name=TargetName("main"), family=Family.KUBERNETES),
    "crm": TargetTraits(name=TargetName("crm"), family=Family.HTTP),
}
AGENT = Agent(issuer="corp", subject="a1", groups=("ci",))


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The rules above."""
    return Engine.compile([PolicyDocument.model_validate(yaml.safe_load(RULES))], TARGETS)


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"verbs": ("patch",), "resource": "deployments.apps/scale"}, ["k-named", "k-scale"]),
        ({"verbs": ("patch",), "resource": "deployments.apps/scale", "namespace": "dev-1", "name": "web"}, ["k-scale"]),
        ({"verbs": ("patch",), "resource": "deployments.apps/scale", "namespace": "kube-system", "name": "web"}, []),
        ({"verbs": ("get",), "resource": "pods", "name": "web"}, []),
        ({"verbs": ("get", "patch"), "resource": "deployments/scale", "name": "web"}, []),
        ({"rule": "k-scale"}, ["k-scale"]),
        ({"rule": "k-others"}, []),
        ({"rule": "k-shadow"}, []),
        ({"rule": "k-plain"}, []),
        ({"rule": "nothing"}, []),
        ({"rule": "h-delete"}, []),
        ({"target": "crm", "verbs": ("DELETE",), "resource": "/customers/7"}, ["h-delete"]),
        ({"target": "crm", "verbs": ("DELETE",), "resource": "/customers/{id}"}, ["h-delete"]),
        ({"target": "crm", "verbs": ("DELETE",), "resource": "/orders/7"}, []),
        ({"target": "crm", "verbs": ("GET",), "resource": "/customers/7"}, []),
        ({"target": "crm", "rule": "h-socket"}, []),
        ({"target": "nowhere", "rule": "k-scale"}, []),
    ],
)
def test_the_rules_that_may_ask(engine: Engine, wish: dict[str, Any], expected: list[str]) -> None:
    """By target, agent, verb, kind, namespace, name and path; shadows, walls and sockets do not count."""
    made = Wish(**({"target": TargetName("main")} | wish))
    assert [rule.name for rule in asking(engine, AGENT, made)] == [RuleName(name) for name in expected]
