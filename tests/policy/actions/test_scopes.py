"""What lives in no namespace."""

import pytest

from policy.actions.scopes import BUILT_IN_GROUPS, CLUSTER_SCOPED, DEFAULT_REPLICAS


def test_lists_are_of_built_in_groups() -> None:
    """Nothing is claimed of custom resources."""
    assert {group for group, _ in CLUSTER_SCOPED} | {group for group, _ in DEFAULT_REPLICAS} <= BUILT_IN_GROUPS


@pytest.mark.parametrize(
    "resource", [("", "pods"), ("", "secrets"), ("", "namespaces"), ("apps", "deployments"), ("example.com", "nodes")]
)
def test_namespaced_resources_are_not_listed(resource: tuple[str, str]) -> None:
    """A call without a namespace to one of these reaches every namespace."""
    assert resource not in CLUSTER_SCOPED
