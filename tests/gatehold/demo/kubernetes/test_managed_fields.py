"""Sets of fields."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.managed_fields import dotted, fields_of, paths, remove_at, tree, value_at

CONTAINER = {"name": "c", "image": "x", "ports": [{"containerPort": 80}]}
ITEM: dict[str, Any] = {
    "kind": "Pod",
    "apiVersion": "v1",
    "metadata": {"name": "p", "uid": "u", "labels": {"a": "1"}, "finalizers": ["f"]},
    "spec": {"containers": [CONTAINER], "nodeSelector": {}},
}


def test_fields_have_the_form_of_the_server() -> None:
    """Members, items by key (defaults of keys filled in), set members; identity is nobody's."""
    assert fields_of(ITEM, "core.v1.Pod") == {
        "f:metadata": {"f:labels": {"f:a": {}}, "f:finalizers": {'v:"f"': {}}},
        "f:spec": {
            "f:containers": {
                'k:{"name":"c"}': {
                    ".": {},
                    "f:name": {},
                    "f:image": {},
                    "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                }
            },
            "f:nodeSelector": {},
        },
    }
    marked = fields_of(ITEM, "core.v1.Pod", marked=True)
    assert marked["f:metadata"]["f:labels"] == {".": {}, "f:a": {}}


def test_paths_lead_to_values() -> None:
    """Every leaf of an object's set leads to something in it, can be shown, and can be taken out."""
    item = {**ITEM, "spec": {"containers": [dict(CONTAINER)]}}
    leaves = set(paths(fields_of(item, "core.v1.Pod")))
    assert tree(leaves) == fields_of(item, "core.v1.Pod")
    for leaf in leaves:
        assert value_at(item, leaf) is not None
    image = ("f:spec", "f:containers", 'k:{"name":"c"}', "f:image")
    assert dotted(image) == '.spec.containers[name="c"].image'
    remove_at(item, image)
    assert "image" not in item["spec"]["containers"][0]
    remove_at(item, ("f:spec", "f:containers", 'k:{"name":"c"}', "."))
    assert item["spec"]["containers"] == []
    remove_at(item, ("f:spec", "f:absent"))
    assert dotted(("f:metadata", "f:finalizers", 'v:"f"')) == '.metadata.finalizers[="f"]'


@given(st.sets(st.lists(st.sampled_from(["f:a", "f:b", "f:c"]), min_size=1, max_size=3).map(tuple), max_size=5))
def test_trees_hold_their_leaves(leaves: set[tuple[str, ...]]) -> None:
    """A tree has the given leaves, without those that are above another."""
    kept = {leaf for leaf in leaves if not any(other[: len(leaf)] == leaf != other for other in leaves)}
    assert set(paths(tree(leaves))) == kept
