"""JSON values as API types."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.structs import MistypedError, conform

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["replicas", "selector", "template", "paused", "strategy", "minReadySeconds", "x"])


@given(
    st.dictionaries(
        st.sampled_from(["metadata", "spec", "status", "kind", "other"]), JSON | st.dictionaries(NAMES, JSON)
    )
)
def test_any_json_is_taken_or_mistyped(value: dict[str, Any]) -> None:
    """Nothing but MistypedError comes out of any JSON; what is taken is taken again without a change."""
    try:
        item, _ = conform(value, "apps.v1.Deployment")
    except MistypedError:
        return
    again, unknown = conform(item, "apps.v1.Deployment")
    assert (again, unknown) == (item, [])
    assert list(again) == list(item)


def test_unknown_fields_are_dropped_and_reported() -> None:
    """Names count in their exact case, paths are dotted and indexed."""
    value = {
        "spec": {"replica": 1, "Replicas": 2, "template": {"spec": {"containers": [{"name": "c", "immage": "x"}]}}},
        "extra": {},
    }
    item, unknown = conform(value, "apps.v1.Deployment")
    assert item == {"spec": {"template": {"spec": {"containers": [{"name": "c"}]}}}}
    assert unknown == ["spec.replica", "spec.Replicas", "spec.template.spec.containers[0].immage", "extra"]


def test_order_is_the_order_of_the_type() -> None:
    """Kind, version and metadata come first, maps are sorted."""
    value = {
        "data": {"b": "2", "a": "1"},
        "metadata": {"uid": "u", "name": "n"},
        "apiVersion": "v1",
        "kind": "ConfigMap",
    }
    item, _ = conform(value, "core.v1.ConfigMap")
    assert list(item) == ["kind", "apiVersion", "metadata", "data"]
    assert list(item["metadata"]) == ["name", "uid"]
    assert list(item["data"]) == ["a", "b"]


def test_absence_and_zero() -> None:
    """Null is absence; zero stays only where a pointer tells it from absence, or where it is always written."""
    value = {"spec": {"replicas": 0, "minReadySeconds": 0, "paused": False, "selector": None}}
    assert conform(value, "apps.v1.Deployment")[0] == {"spec": {"replicas": 0}}
    assert conform({"status": {"replicas": 0, "readyReplicas": 0}}, "apps.v1.ReplicaSet")[0] == {
        "status": {"replicas": 0}
    }
    assert conform({"data": {"empty": "", "null": None}}, "core.v1.ConfigMap")[0] == {"data": {"empty": "", "null": ""}}


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"replicas": "3"}, "cannot unmarshal string into Go struct field spec.replicas of type int32"),
        ({"replicas": 1.5}, "cannot unmarshal number 1.5 into Go struct field spec.replicas of type int32"),
        ({"replicas": True}, "cannot unmarshal bool into"),
        ({"replicas": 2**31}, "cannot unmarshal number into"),
        ({"paused": "no"}, "of type bool"),
        ({"template": []}, "cannot unmarshal array into Go struct field spec.template of type PodTemplateSpec"),
        ({"template": {"spec": {"containers": {}}}}, "cannot unmarshal object into"),
    ],
)
def test_wrong_types_are_named(spec: dict[str, Any], text: str) -> None:
    """The error says what was found, where, and what belongs there."""
    with pytest.raises(MistypedError, match="json: cannot unmarshal") as error:
        conform({"spec": spec}, "apps.v1.Deployment")
    assert text in str(error.value)


def test_secret_data_must_be_base64() -> None:
    """Bytes are base64 in JSON and nothing else."""
    assert conform({"data": {"a": "YWI="}}, "core.v1.Secret")[0] == {"data": {"a": "YWI="}}
    with pytest.raises(MistypedError, match="base64"):
        conform({"data": {"a": "not base64!"}}, "core.v1.Secret")
