"""Server-side apply and field managers."""

from datetime import UTC, datetime
from typing import Any

import pytest

from gatehold.demo.kubernetes.apply import Manager, apply, track
from gatehold.demo.kubernetes.statuses import ApiError

KIND = "core.v1.ConfigMap"
MOMENT = datetime(2026, 11, 21, tzinfo=UTC)


def config_map(**data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}} | ({"data": data} if data else {})


def manager(name: str) -> Manager:
    return Manager(name=name, moment=MOMENT)


def applied(live: dict[str, Any], wanted: dict[str, Any], name: str, *, force: bool = False) -> dict[str, Any]:
    return apply(live, wanted, KIND, manager(name), force=force)


def owners(item: dict[str, Any]) -> dict[tuple[str, str], set[str]]:
    """Who manages which keys of the data."""
    return {
        (entry["manager"], entry["operation"]): {key[2:] for key in entry["fieldsV1"].get("f:data", {}) if key != "."}
        for entry in item["metadata"]["managedFields"]
    }


def test_what_is_no_longer_declared_is_removed() -> None:
    """A field of the last declaration goes, unless somebody else manages it too."""
    first = applied(config_map(), config_map(a="1", b="2"), "me")
    shared = applied(first, config_map(b="2"), "other")
    second = applied(shared, config_map(), "me")
    assert second["data"] == {"b": "2"}
    assert owners(second) == {("other", "Apply"): {"b"}}


def test_foreign_values_are_conflicts() -> None:
    """Another manager's value stands unless forced; the same value is shared."""
    live = applied(config_map(), config_map(a="1"), "first")
    with pytest.raises(ApiError) as error:
        applied(live, config_map(a="2"), "second")
    assert error.value.message == 'Apply failed with 1 conflict: conflict with "first": .data.a'
    assert error.value.details == {
        "causes": [{"reason": "FieldManagerConflict", "message": 'conflict with "first"', "field": ".data.a"}]
    }
    assert owners(applied(live, config_map(a="1"), "second")) == {("first", "Apply"): {"a"}, ("second", "Apply"): {"a"}}
    forced = applied(live, config_map(a="2"), "second", force=True)
    assert (forced["data"], owners(forced)) == ({"a": "2"}, {("second", "Apply"): {"a"}})


def test_several_conflicts_are_listed_by_manager() -> None:
    """The message has one block for each manager."""
    live = applied(config_map(), config_map(a="1", b="1"), "first")
    with pytest.raises(ApiError, match="Apply failed with 2 conflicts") as error:
        applied(live, config_map(a="2", b="2"), "second")
    assert error.value.message.endswith('conflicts with "first":\n- .data.a\n- .data.b')


def test_the_same_declaration_changes_nothing() -> None:
    """Applying twice leaves the object as it is, times included."""
    once = applied(config_map(), config_map(a="1"), "me")
    later = Manager(name="me", moment=datetime(2027, 1, 1, tzinfo=UTC))
    assert apply(once, config_map(a="1"), KIND, later, force=False) == once


def test_updates_take_over_what_they_change() -> None:
    """A plain write owns the changed fields, and its writer is named with version and time in a conflict."""
    live = applied(config_map(), config_map(a="1", b="1"), "me")
    changed = {**live, "data": {"a": "2", "b": "1"}}
    track(live, changed, KIND, manager("kubectl-edit"))
    assert owners(changed) == {("me", "Apply"): {"b"}, ("kubectl-edit", "Update"): {"a"}}
    with pytest.raises(ApiError, match=r'conflict with "kubectl-edit" using v1 at 2026-11-21T00:00:00Z: \.data\.a'):
        applied(changed, config_map(a="3", b="1"), "me")


def test_removed_fields_belong_to_nobody() -> None:
    """A write that drops a field takes it out of every set."""
    live = applied(config_map(), config_map(a="1", b="1"), "me")
    changed = {**live, "data": {"a": "1"}}
    track(live, changed, KIND, manager("kubectl-edit"))
    assert owners(changed) == {("me", "Apply"): {"a"}}


def test_status_is_its_own_door() -> None:
    """A write of the status owns status fields only, under the subresource's name."""
    old = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "n"}, "status": {"phase": "Active"}}
    new = {**old, "metadata": {"name": "n", "labels": {"x": "1"}}, "status": {"phase": "Terminating"}}
    track(old, new, "core.v1.Namespace", Manager(name="kubelet", moment=MOMENT, subresource="status"))
    (entry,) = new["metadata"]["managedFields"]
    assert (entry["subresource"], entry["fieldsV1"]) == ("status", {"f:status": {"f:phase": {}}})


def test_items_of_lists_are_merged_and_removed_by_key() -> None:
    """A container that is no longer declared goes, one of another manager stays."""

    def pod(*containers: str) -> dict[str, Any]:
        spec = {"containers": [{"name": name, "image": f"{name}:1"} for name in containers]}
        return {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": spec}

    first = apply(pod(), pod("a", "b"), "core.v1.Pod", manager("me"), force=False)
    second = apply(first, pod("c"), "core.v1.Pod", manager("other"), force=False)
    third = apply(second, pod("b"), "core.v1.Pod", manager("me"), force=False)
    assert [container["name"] for container in third["spec"]["containers"]] == ["b", "c"]


def test_an_item_that_others_share_keeps_its_key() -> None:
    """Dropping a container whose image somebody else set leaves the container with its name and that image."""
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}}
    mine = {**pod, "spec": {"containers": [{"name": "a", "image": "a:1", "command": ["x"]}]}}
    first = apply(pod, mine, "core.v1.Pod", manager("me"), force=False)
    changed = {**first, "spec": {"containers": [{"name": "a", "image": "a:2", "command": ["x"]}]}}
    track(first, changed, "core.v1.Pod", manager("kubectl-set"))
    dropped = apply(changed, {**pod, "spec": {"nodeName": "n"}}, "core.v1.Pod", manager("me"), force=False)
    assert dropped["spec"] == {"containers": [{"name": "a", "image": "a:2"}], "nodeName": "n"}
