"""Status objects."""

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.resources import CONFIGMAPS, DEPLOYMENTS
from gatehold.demo.kubernetes.statuses import Cause


def test_one_cause_stands_alone() -> None:
    """One cause is named as it is, several in brackets; the details carry all of them."""
    one = statuses.invalid("Deployment", "apps", "x", [Cause(field="a", message="wrong")])
    assert one.message == 'Deployment.apps "x" is invalid: a: wrong'
    two = statuses.invalid("ConfigMap", "", "x", [Cause(field="a", message="1"), Cause(field="b", message="2")])
    assert two.message == 'ConfigMap "x" is invalid: [a: 1, b: 2]'
    assert two.details == {
        "name": "x",
        "kind": "ConfigMap",
        "causes": [
            {"reason": "FieldValueInvalid", "message": "1", "field": "a"},
            {"reason": "FieldValueInvalid", "message": "2", "field": "b"},
        ],
    }


def test_status_has_the_order_of_the_server() -> None:
    """Kind first, code last, details only where there are some."""
    assert list(statuses.not_found(DEPLOYMENTS, "x").status()) == [
        *("kind", "apiVersion", "metadata", "status", "message", "reason", "details", "code")
    ]
    assert "details" not in statuses.unauthorized().status()
    assert statuses.success(CONFIGMAPS, "x", "u")["details"] == {"name": "x", "kind": "configmaps", "uid": "u"}
