"""Strategic merge patch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.patches import PatchError
from gatehold.demo.kubernetes.strategic import strategic_merge

POD = "core.v1.PodSpec"
CONTAINERS = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from("abc")}, optional={"image": st.sampled_from("xyz")}),
    unique_by=lambda container: container["name"],
    max_size=3,
)


def test_containers_merge_by_name() -> None:
    """The named container is changed, the others and their other fields stay."""
    document = {"containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]}
    patch = {"containers": [{"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}]}, {"name": "c"}]}
    assert strategic_merge(document, patch, POD) == {
        "containers": [
            {"name": "a", "image": "2", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]},
            {"name": "b"},
            {"name": "c"},
        ]
    }


def test_lists_without_a_key_are_replaced() -> None:
    """Tolerations are one value."""
    patch = {"tolerations": [{"key": "b"}]}
    assert strategic_merge({"tolerations": [{"key": "a"}]}, patch, POD) == patch


def test_sets_are_united() -> None:
    """Finalizers are a set; a directive takes from it."""
    document = {"finalizers": ["a", "b"]}
    assert strategic_merge(document, {"finalizers": ["b", "c"]}, "meta.v1.ObjectMeta") == {
        "finalizers": ["a", "b", "c"]
    }
    dropped = {"$deleteFromPrimitiveList/finalizers": ["a"]}
    assert strategic_merge(document, dropped, "meta.v1.ObjectMeta") == {"finalizers": ["b"]}


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"containers": [{"name": "a", "$patch": "delete"}]}, {"containers": [{"name": "b"}]}),
        ({"containers": [{"$patch": "replace"}, {"name": "z"}]}, {"containers": [{"name": "z"}]}),
        ({"$patch": "replace", "containers": [{"name": "z"}]}, {"containers": [{"name": "z"}]}),
        ({"$patch": "delete"}, {}),
        ({"$patch": "merge", "nodeName": "n"}, {"containers": [{"name": "a"}, {"name": "b"}], "nodeName": "n"}),
        ({"$retainKeys": ["nodeName"], "nodeName": "n"}, {"nodeName": "n"}),
        ({"containers": None}, {}),
        (
            {
                "$setElementOrder/containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}],
                "containers": [{"name": "c"}],
            },
            {"containers": [{"name": "b"}, {"name": "c"}, {"name": "a"}]},
        ),
    ],
)
def test_directives(patch: dict[str, Any], expected: dict[str, Any]) -> None:
    """Each directive does what it says and leaves no trace."""
    assert strategic_merge({"containers": [{"name": "a"}, {"name": "b"}]}, patch, POD) == expected


def test_maps_merge_without_a_type() -> None:
    """Labels merge key by key; null takes one away."""
    document = {"labels": {"a": "1", "b": "2"}}
    assert strategic_merge(document, {"labels": {"a": None, "c": "3"}}, "meta.v1.ObjectMeta") == {
        "labels": {"b": "2", "c": "3"}
    }


@pytest.mark.parametrize(
    "patch", [{"containers": [{"image": "x"}]}, {"$patch": "explode"}, {"containers": ["a"]}, {"$retainKeys": 1}]
)
def test_patches_that_make_no_sense(patch: dict[str, Any]) -> None:
    """Items without their key and unknown directives are refused."""
    with pytest.raises(PatchError):
        strategic_merge({"containers": [{"name": "a"}]}, patch, POD)


@given(CONTAINERS, CONTAINERS)
def test_merging_twice_is_merging_once(document: list[Any], patch: list[Any]) -> None:
    """A patch without directives is idempotent, keeps names unique, and loses no container."""
    once = strategic_merge({"containers": document}, {"containers": patch}, POD)
    assert strategic_merge(once, {"containers": patch}, POD) == once
    names = [container["name"] for container in once["containers"]]
    assert len(names) == len(set(names))
    assert set(names) == {container["name"] for container in [*document, *patch]}
