"""Law: only the definition of exactly this resource, served in this version, makes it a custom one."""

from typing import Any

import pytest

from gatehold.lookups.definitions import KEPT, Definitions, request_for
from policy.model import TargetName
from tests.gatehold.lookups.conftest import make_action

TARGET = TargetName("main")
ACTION = make_action("POST", "/apis/example.com/v1/namespaces/prod/widgets", {})


def _definition(**changes: Any) -> dict[str, Any]:
    spec = {"group": "example.com", "names": {"plural": "widgets"}, "versions": [{"name": "v1", "served": True}]}
    return {"kind": "CustomResourceDefinition", "spec": spec | changes}


def test_a_yes_is_kept_for_a_while() -> None:
    """And for this version only."""
    now = [0.0]
    definitions = Definitions(clock=lambda: now[0])
    assert not definitions.knows(TARGET, ACTION)
    assert definitions.keep(TARGET, ACTION, _definition())
    assert definitions.knows(TARGET, ACTION)
    assert not definitions.knows(TargetName("other"), ACTION)
    assert not definitions.knows(TARGET, make_action("POST", "/apis/example.com/v2/namespaces/prod/widgets", {}))
    now[0] = KEPT
    assert not definitions.knows(TARGET, ACTION)


@pytest.mark.parametrize(
    "definition",
    [
        {},
        {"kind": "CustomResourceDefinition"},
        {"kind": "CustomResourceDefinition", "spec": {"names": [], "versions": {}}},
        _definition(group="other.example"),
        _definition(names={"plural": "gadgets"}),
        _definition(versions=[{"name": "v2", "served": True}, "v1"]),
        _definition(versions=[{"name": "v1", "served": False}]),
        _definition() | {"kind": "ConfigMap"},
    ],
)
def test_anything_else_is_a_no(definition: dict[str, Any]) -> None:
    """And is not kept."""
    definitions = Definitions()
    assert not definitions.keep(TARGET, ACTION, definition)
    assert not definitions.knows(TARGET, ACTION)


def test_it_is_asked_as_the_gateway() -> None:
    """By a name that cannot lead elsewhere."""
    request = request_for(ACTION)
    assert (request.method, request.agent) == ("GET", None)
    assert request.path == "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com"
    odd = make_action("POST", "/apis/example.com/v1/namespaces/prod/wid%3Fgets", {})
    assert request_for(odd).path.endswith("/wid%3Fgets.example.com")
