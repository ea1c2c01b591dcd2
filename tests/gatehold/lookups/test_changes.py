"""Law: people see what changes and nothing that is hidden; the digest changes with the change, and with nothing else."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.lookups.changes import MOST_LINES, change, digest, essence
from gatehold.lookups.requests import KubernetesObject

OLD: KubernetesObject = {
    "kind": "Deployment",
    "metadata": {
        "name": "web",
        "uid": "u1",
        "resourceVersion": "7",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "x"}],
        "labels": {"app": "web"},
    },
    "spec": {"replicas": 3},
    "status": {"readyReplicas": 3},
}


def _changed(**parts: Any) -> KubernetesObject:
    return {**deepcopy(OLD), **parts}


def plain(value: KubernetesObject) -> KubernetesObject:
    """A mask that hides nothing."""
    return value


def hiding(value: KubernetesObject) -> KubernetesObject:
    """A mask that hides data."""
    return {**value, "data": dict.fromkeys(value.get("data", {}), "***")}


def test_a_scale_up_is_one_line() -> None:
    """Old and new, in YAML, without what the server keeps for itself."""
    shown = change(OLD, _changed(spec={"replicas": 20}), plain)
    assert "-  replicas: 3" in shown.diff.split("\n")
    assert "+  replicas: 20" in shown.diff.split("\n")
    assert not any(word in shown.diff for word in ("uid", "resourceVersion", "managedFields", "status", "generation"))
    assert (shown.cut, shown.problem) == (0, "")


def test_creation_and_deletion() -> None:
    """Nothing before, nothing after."""
    assert change(None, OLD, plain).diff.startswith("--- nothing\n+++ after the call")
    assert change(OLD, None, plain).diff.startswith("--- now\n+++ nothing")
    assert change(OLD, deepcopy(OLD), plain).diff == "nothing changes"


def test_hidden_values_are_not_shown_but_told() -> None:
    """Where a value that is masked changes, its place is named, also beside changes that are seen."""
    old = {"kind": "Secret", "metadata": {}, "data": {"password": "b2xk", "user": "YQ=="}}
    new = {"kind": "Secret", "metadata": {"labels": {"a": "b"}}, "data": {"password": "bmV3", "user": "YQ=="}}
    shown = change(old, new, hiding).diff
    assert "! data.password: a value that is hidden here changes" in shown
    assert "data.user:" not in shown
    assert "a: b" in shown
    assert "b2xk" not in shown
    assert "bmV3" not in shown


def test_a_large_change_is_cut() -> None:
    """With a count of what is left out."""
    shown = change({"spec": {}}, {"spec": {"items": list(range(2 * MOST_LINES))}}, plain)
    assert len(shown.diff.split("\n")) == MOST_LINES
    assert shown.cut > MOST_LINES
    assert change({}, {"x": "y" * 300_000}, plain).problem


def test_nothing_hides_behind_the_end_of_a_line() -> None:
    """A long one goes on in further ones, under its own sign."""
    shown = change({"x": "a"}, {"x": "y" * 3_000 + "; rm -rf /data"}, plain)
    lines = shown.diff.split("\n")
    assert max(map(len, lines)) < 320
    assert lines[-1].startswith("+[...] yyy")
    assert lines[-1].endswith("; rm -rf /data")
    assert shown.diff.count("y") == 3_000


def test_what_is_masked_is_told_before_anything_is_cut() -> None:
    """Nor does it matter that something else was added to its list."""

    def mask(value: KubernetesObject) -> KubernetesObject:
        return {**value, "env": ["***", *value["env"][1:]]}

    noise = [str(number) for number in range(2 * MOST_LINES)]
    shown = change({"env": ["s3cr3t"]}, {"env": ["0th3r", *noise]}, mask)
    assert shown.diff.startswith("! env[0]: a value that is hidden here changes\n")
    assert "0th3r" not in shown.diff


def test_what_cannot_be_masked_is_not_shown() -> None:
    """The approver is told so."""

    def broken(_value: KubernetesObject) -> KubernetesObject:
        raise ValueError("x")

    assert change(OLD, OLD, broken).problem == "the object could not be masked"


@pytest.mark.parametrize(
    "noise",
    [
        {"status": {"readyReplicas": 1}},
        {"metadata": OLD["metadata"] | {"resourceVersion": "9", "generation": 9, "managedFields": []}},
    ],
)
def test_noise_does_not_change_the_digest(noise: dict[str, Any]) -> None:
    """A status is not what was approved."""
    new = _changed(spec={"replicas": 20})
    assert digest(OLD, new) == digest(_changed(**noise), {**new, **noise})
    assert digest(OLD, new, status=True) != digest(_changed(status={}), new, status=True)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (OLD, _changed(spec={"replicas": 21})),
        (_changed(spec={"replicas": 4}), _changed(spec={"replicas": 20})),
        (_changed(metadata=OLD["metadata"] | {"uid": "u2"}), _changed(spec={"replicas": 20})),
        (_changed(metadata=OLD["metadata"] | {"labels": {}}), _changed(spec={"replicas": 20})),
        (None, _changed(spec={"replicas": 20})),
        (OLD, None),
    ],
)
def test_another_change_has_another_digest(old: KubernetesObject | None, new: KubernetesObject | None) -> None:
    """Whichever side differs; an object that was made anew is another one."""
    assert digest(old, new) != digest(OLD, _changed(spec={"replicas": 20}))


def test_two_tries_at_making_an_object_are_the_same() -> None:
    """Though the server chooses uids, names, addresses and volume names anew each time."""

    def tried(uid: str, address: str, suffix: str) -> KubernetesObject:
        return {
            "kind": "Service",
            "metadata": {"generateName": "web-", "name": f"web-{suffix}", "uid": uid},
            "spec": {
                "clusterIP": address,
                "ports": [{"port": 80, "nodePort": int(suffix)}],
                "selector": {"controller-uid": uid, "volume": f"kube-api-access-{suffix}"},
            },
        }

    assert digest(None, tried("u1", "10.0.0.1", "30001")) == digest(None, tried("u2", "10.0.0.2", "30002"))
    assert digest(tried("u1", "10.0.0.1", "30001"), None) != digest(tried("u1", "10.0.0.2", "30001"), None)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)
_OBJECTS = st.dictionaries(st.sampled_from(["kind", "metadata", "spec", "data", "status"]), _JSON, max_size=4)


@given(_OBJECTS, _OBJECTS)
def test_no_object_breaks_it(old: KubernetesObject, new: KubernetesObject) -> None:
    """Whatever its shape; and what goes in is not changed."""
    before = deepcopy((old, new))
    assert isinstance(change(old, new, plain).diff, str)
    assert len(digest(old, new)) == 64
    essence(old, made=True)
    assert (old, new) == before
