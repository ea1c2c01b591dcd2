"""Facts of a whole object."""

from typing import Any

import pytest

from policy.actions.objects import as_replicas, default_replicas, images_of, labels_of, name_of, replicas_of
from policy.model import UNKNOWN

POD = {"containers": [{"name": "a", "image": "x:1"}], "initContainers": [{"image": "y:2"}]}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ({"metadata": {"name": "a"}}, "a"),
        ({"metadata": {"generateName": "a-"}}, ""),
        ({"metadata": {"name": None}}, ""),
        ({"metadata": None}, ""),
        ({}, ""),
        ({"metadata": {"name": 5}}, UNKNOWN),
        ({"metadata": "a"}, UNKNOWN),
    ],
)
def test_name(value: dict[str, Any], name: object) -> None:
    """Empty where the server chooses; unknown where it is no text."""
    assert name_of(value) == name


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ({"metadata": {"labels": {"a": "b"}}}, {"a": "b"}),
        ({"metadata": {"labels": None}}, {}),
        ({}, {}),
        ({"metadata": {"labels": {"a": 5}}}, UNKNOWN),
        ({"metadata": {"labels": []}}, UNKNOWN),
        ({"metadata": []}, UNKNOWN),
    ],
)
def test_labels(value: dict[str, Any], labels: object) -> None:
    """A map of texts."""
    assert labels_of(value) == labels


@pytest.mark.parametrize(
    ("value", "group", "images"),
    [
        ({"spec": POD}, "", ("x:1", "y:2")),
        ({"spec": {"template": {"spec": POD}}}, "apps", ("x:1", "y:2")),
        ({"spec": {"jobTemplate": {"spec": {"template": {"spec": POD}}}}}, "batch", ("x:1", "y:2")),
        ({"template": {"spec": POD}}, "", ("x:1", "y:2")),
        ({"spec": {"ephemeralContainers": [{"image": "z"}]}}, "", ("z",)),
        ({"spec": {"template": {"spec": POD}}}, "argoproj.io", ("x:1", "y:2")),
        ({"spec": {"containers": [{"name": "a"}]}}, "", ("",)),
        ({"data": {}}, "", ()),
        ({"spec": None}, "apps", ()),
        ({"spec": {"elsewhere": POD}}, "example.com", UNKNOWN),
        ({"spec": {"containers": {}}}, "", UNKNOWN),
        ({"spec": {"containers": ["x"]}}, "", UNKNOWN),
        ({"spec": {"containers": [{"image": 5}]}}, "", UNKNOWN),
    ],
)
def test_images(value: dict[str, Any], group: str, images: object) -> None:
    """Of every container of a pod or pod template; custom resources without any at the usual places are unknown."""
    assert images_of(value, group) == images


def test_replicas() -> None:
    """Absent and null mean the default; only an integer is a number of replicas."""
    assert replicas_of({"spec": {"replicas": 3}}, 1) == 3
    assert replicas_of({"spec": {}}, 1) == replicas_of({}, 1) == 1
    assert [as_replicas(value, 1) for value in (None, 0, True, 3.0, "3", [3])] == [1, 0, *[UNKNOWN] * 4]
    broken: Any
    for broken in ({"spec": 0}, {"spec": []}, [], None, "x"):
        assert replicas_of(broken, 1) is UNKNOWN


def test_default_replicas() -> None:
    """0 in a Scale, 1 in the kinds that have replicas, unknown in others."""
    assert default_replicas("apps", "deployments", "") == 1
    assert default_replicas("apps", "deployments", "scale") == 0
    assert default_replicas("example.com", "things", "scale") == 0
    assert default_replicas("example.com", "things", "") is UNKNOWN
