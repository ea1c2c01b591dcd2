"""Values that users of a pack choose."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy import packs
from policy.expressions import Environment
from policy.model import Family
from policy.packs import PackError
from policy.packs.parameters import Parameter, ParameterError, chosen, expression, put_in
from policy.rules.schema import PackUse

GUARD = "kubernetes-prod-guardrails"
COUNT = Parameter(description="", type="integer", default=1, minimum=1, maximum=10)
TEXTS = Parameter(description="", type="texts", default=["a"])
GROUPS = Parameter(description="", type="groups", default=["sre"])


def used(**parameters: Any) -> Any:
    return packs.load(PackUse.model_validate({"use": GUARD, "parameters": parameters}))


def rule(document: Any, name: str) -> Any:
    return next(each for each in document.rules if each.name == f"{GUARD}/{name}")


def test_chosen_values_stand_in_the_rules() -> None:
    """In selectors, in approvals and in conditions; what is not chosen has its default."""
    document = used(approvers=[["sre"], ["security"]], count=2, replicas=50)
    assert rule(document, "deletions").approval.groups == (("security",), ("sre",))
    assert rule(document, "deletions").approval.count == 2
    assert rule(document, "scale-ups").when == "k8s.replicas > 50 && k8s.replicas > k8s.oldReplicas"
    assert rule(document, "scale-ups").kubernetes.namespaces == ("prod", "prod-*")
    scaled = used(scaled=["rollouts"], namespaces=["live"])
    assert rule(scaled, "scale-ups").kubernetes.resources == ("rollouts",)
    assert rule(scaled, "image-changes").kubernetes.namespaces == ("live",)


def test_namespaces_of_the_use_are_the_parameter() -> None:
    """Given once, in either place; rules about the cluster's own namespaces stay what they are."""
    use = PackUse.model_validate({"use": GUARD, "namespaces": ["live"]})
    assert rule(packs.load(use), "deletions").kubernetes.namespaces == ("live",)
    with pytest.raises(PackError, match="once"):
        packs.load(PackUse.model_validate({"use": GUARD, "namespaces": ["a"], "parameters": {"namespaces": ["b"]}}))
    with pytest.raises(PackError, match="namespaces"):
        packs.load(PackUse.model_validate({"use": "kubernetes-no-privilege-escalation", "namespaces": ["dev"]}))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"approver": ["sre"]}, "there is no parameter 'approver'; there are namespaces, approvers"),
        ({"count": "2"}, "parameter count: '2' is not a whole number"),
        ({"count": True}, "parameter count: True is not a whole number"),
        ({"count": 11}, "parameter count: 11 is more than 10"),
        ({"replicas": -1}, "parameter replicas: -1 is less than 0"),
        ({"approvers": []}, "parameter approvers: [] is not a list of groups"),
        ({"approvers": "sre"}, "parameter approvers: 'sre' is not a list of groups"),
        ({"approvers": ["*"]}, "parameter approvers: '*': agents are matched by equality"),
        ({"scaled": ["Deployments"]}, "parameter scaled: 'Deployments' is not a resource"),
        ({"namespaces": ["Prod"]}, "parameter namespaces: 'Prod' is not a namespace"),
    ],
)
def test_what_is_no_value(parameters: dict[str, Any], message: str) -> None:
    """An unknown name, a value of another type or out of range, one that a rule cannot have: told with its place."""
    with pytest.raises(PackError) as error:
        used(**parameters)
    assert message in str(error.value)
    assert error.value.place == ("parameters", *parameters)


def test_a_pack_without_parameters() -> None:
    """Has none to give."""
    with pytest.raises(PackError, match="it has none"):
        packs.load(PackUse.model_validate({"use": "kubernetes-discovery", "parameters": {"x": 1}}))


@pytest.mark.parametrize("name", packs.names())
def test_defaults_are_values(name: str) -> None:
    """Every parameter takes its own default, and says what it is for."""
    for parameter in packs.parameters(name).values():
        assert parameter.check(parameter.default) == ""
        assert parameter.description


@given(st.text())
def test_a_text_stays_a_text(text: str) -> None:
    """Whatever is in it, it is one string in the condition and nothing else."""
    source = expression('parameters.names.exists(n, n == "x") && k8s.name in parameters.names', {"names": [text]})
    assert source.count("k8s.name") == 1 + text.count("k8s.name")
    environment = Environment.for_family(Family.KUBERNETES)
    if len(source.encode()) <= 1024:
        compiled = environment.compile(source)
        activation = environment.activation({"k8s.name": text})
        assert compiled.evaluate(activation).outcome.name in {"MATCH", "NO_MATCH"}


def test_only_the_mark_is_replaced() -> None:
    """Not what is inside a string, nor a member of another name."""
    source = """'parameters.x' + "parameters.x" + string(parameters.x) + object.parameters"""
    assert expression(source, {"x": 7}) == """'parameters.x' + "parameters.x" + string(7) + object.parameters"""


def test_places_are_remembered() -> None:
    """Where a value stands is known, whatever it is."""
    node = {"a": [{"parameter": "x"}, 1], "when": "parameters.x", "b": {"parameter": "x", "other": 1}}
    found, places = put_in(node, {"x": ["v"]})
    assert found == {"a": [["v"], 1], "when": '["v"]', "b": {"parameter": "x", "other": 1}}
    assert places == {("a", 0): "x"}


def test_choosing() -> None:
    """What is given, else the default."""
    declared = {"count": COUNT, "texts": TEXTS, "groups": GROUPS}
    assert chosen(declared, {"count": 3}) == {"count": 3, "texts": ["a"], "groups": ["sre"]}
    for name, value in {"count": 1.5, "texts": [1], "groups": [["a"], "b"]}.items():
        with pytest.raises(ParameterError):
            chosen(declared, {name: value})
