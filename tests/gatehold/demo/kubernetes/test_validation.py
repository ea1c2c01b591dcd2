"""Checks of objects in the server's words."""

from typing import Any

import pytest

from gatehold.demo.kubernetes.resources import CONFIGMAPS, NAMESPACES, PODS, SECRETS, SERVICES, Resource
from gatehold.demo.kubernetes.statuses import ApiError
from gatehold.demo.kubernetes.validation import validate


def made(resource: Resource, name: str = "x", **parts: Any) -> dict[str, Any]:
    return {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {"name": name}, **parts}


@pytest.mark.parametrize("name", ["web", "web-1", "a.b-c.d", "0"])
def test_good_names(name: str) -> None:
    """DNS subdomains are names."""
    validate(made(CONFIGMAPS, name), CONFIGMAPS)


@pytest.mark.parametrize("name", ["Web", "-web", "web-", "we_b", "a..b", "a/b", "é", "x" * 254])
def test_bad_names(name: str) -> None:
    """Anything else is not, and the rule is told."""
    with pytest.raises(ApiError, match="RFC 1123 subdomain") as error:
        validate(made(CONFIGMAPS, name), CONFIGMAPS)
    assert error.value.code == 422


def test_namespaces_are_labels() -> None:
    """No dots in the name of a namespace."""
    with pytest.raises(ApiError, match="RFC 1123 label"):
        validate(made(NAMESPACES, "a.b"), NAMESPACES)


@pytest.mark.parametrize(
    ("containers", "message"),
    [
        ([], "spec.containers: Required value"),
        ([{"name": "a"}], r"spec.containers\[0\].image: Required value"),
        ([{"image": "x"}], r"spec.containers\[0\].name: Required value"),
        ([{"name": "A", "image": "x"}], "RFC 1123 label"),
        ([{"name": "a", "image": "x"}] * 2, r'spec.containers\[1\].name: Duplicate value: "a"'),
    ],
)
def test_pods_need_containers(containers: list[dict[str, Any]], message: str) -> None:
    """Named, once each, with an image."""
    with pytest.raises(ApiError, match=message):
        validate(made(PODS, spec={"containers": containers}), PODS)


def test_pods_keep_their_spec() -> None:
    """The image of a running pod may change, its command may not."""
    pod = made(PODS, spec={"containers": [{"name": "a", "image": "x"}]})
    validate(made(PODS, spec={"containers": [{"name": "a", "image": "y"}]}), PODS, pod)
    changed = made(PODS, spec={"containers": [{"name": "a", "image": "x", "command": ["sh"]}]})
    with pytest.raises(ApiError, match="Forbidden: pod updates may not change fields"):
        validate(changed, PODS, pod)


def test_services_need_ports() -> None:
    """Between 1 and 65535; headless ones may do without."""
    with pytest.raises(ApiError, match=r"spec\.ports: Required value"):
        validate(made(SERVICES, spec={}), SERVICES)
    with pytest.raises(ApiError, match="must be between 1 and 65535"):
        validate(made(SERVICES, spec={"ports": [{"port": 70000}]}), SERVICES)
    validate(made(SERVICES, spec={"clusterIP": "None"}), SERVICES)


@pytest.mark.parametrize("resource", [CONFIGMAPS, SECRETS])
def test_immutable_data_stays(resource: Resource) -> None:
    """What is marked immutable cannot change."""
    old = made(resource, immutable=True, data={"a": "MQ=="})
    with pytest.raises(ApiError, match="immutable"):
        validate(made(resource, immutable=True, data={"a": "Mg=="}), resource, old)


def test_label_values() -> None:
    """Values of labels have a form; several causes are listed together."""
    item = made(CONFIGMAPS, "BAD")
    item["metadata"]["labels"] = {"a": "no spaces"}
    with pytest.raises(ApiError, match="a valid label must be") as error:
        validate(item, CONFIGMAPS)
    assert error.value.details is not None
    assert len(error.value.details["causes"]) == 2
