"""Discovery documents."""

import pytest

from gatehold.demo.kubernetes import discovery
from gatehold.demo.kubernetes.resources import RESOURCES

V2 = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
V2BETA1 = "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList"


@pytest.mark.parametrize(
    ("accept", "version"),
    [
        (f"{V2},{V2BETA1},application/json", "v2"),
        (f"{V2BETA1},application/json", "v2beta1"),
        (f"application/json,{V2}", None),
        ("application/json", None),
        ("*/*", None),
        ("", None),
    ],
)
def test_aggregated_discovery_is_negotiated(accept: str, version: str | None) -> None:
    """The first form in the client's order that the server knows."""
    assert discovery.aggregated_version(accept) == version


def test_both_forms_tell_the_same() -> None:
    """Every resource with verbs, names and subresources is in the plain lists and in the aggregated ones."""
    plain = {}
    for resource in RESOURCES:
        rows = discovery.resource_list(resource.group, resource.version)["resources"]
        plain |= {(resource.group, row["name"]): (row["kind"], row["verbs"]) for row in rows}
    aggregated = {}
    for core in (True, False):
        for group in discovery.aggregated(core, "v2")["items"]:
            name = group["metadata"].get("name", "")
            for row in group["versions"][0]["resources"]:
                aggregated[name, row["resource"]] = (row["responseKind"]["kind"], row["verbs"])
                for below in row.get("subresources", []):
                    path = f"{row['resource']}/{below['subresource']}"
                    aggregated[name, path] = (below["responseKind"]["kind"], below["verbs"])
    assert plain == aggregated
    assert ("apps", "deployments/scale") in plain


def test_groups_are_listed_and_found() -> None:
    """Every group can be asked for by name; the core group is not among them."""
    names = [group["name"] for group in discovery.groups()["groups"]]
    assert "apps" in names
    assert all(discovery.group(name)["preferredVersion"]["version"] for name in names)
    for unknown in ("", "nothing.example"):
        with pytest.raises(KeyError):
            discovery.group(unknown)
