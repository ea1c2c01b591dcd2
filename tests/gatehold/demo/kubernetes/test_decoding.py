"""Bodies to objects."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.demo.kubernetes.decoding import Decoded, decode_mapping, decode_object
from gatehold.demo.kubernetes.statuses import ApiError


def config_map(body: bytes, content_type: str = "application/json") -> Decoded:
    return decode_object(body, content_type, api_version="v1", kind="ConfigMap", type_name="core.v1.ConfigMap")


def code_of(action: Callable[[], object]) -> int:
    try:
        action()
    except ApiError as error:
        return error.code
    return 200


@given(
    st.binary(max_size=60),
    st.sampled_from(["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"]),
)
def test_any_body_decodes_or_is_refused(body: bytes, content_type: str) -> None:
    """Nothing but an ApiError of the 4xx kind comes out of any bytes."""
    assert code_of(lambda: config_map(body, content_type)) in (200, 400, 415)


def test_duplicates_are_reported_and_the_last_wins() -> None:
    """Duplicate names are told with their path; objects are merged, as Go decodes them."""
    decoded = config_map(b'{"data":{"a":"1","a":"2"},"data":{"b":"3"},"metadata":{"name":"n"},"extra":1}')
    assert decoded.item["data"] == {"a": "2", "b": "3"}
    assert decoded.strict == ['duplicate field "data.a"', 'duplicate field "data"', 'unknown field "extra"']


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity"])
def test_constants_that_are_not_json_are_refused(text: str) -> None:
    """NaN and its kind are no JSON."""
    with pytest.raises(ApiError) as error:
        config_map(f'{{"data":{{"a":{text}}}}}'.encode())
    assert error.value.code == 400


def test_depth_does_not_break_the_server() -> None:
    """A body nested beyond all measure is a bad request."""
    with pytest.raises(ApiError) as error:
        config_map(b'{"a":' * 100_000)
    assert error.value.code == 400


def test_yaml_keeps_strings() -> None:
    """Dates stay text; JSON inside YAML content is read as JSON."""
    decoded = config_map(b"data:\n  day: 2026-11-21\n  text: hello\n", "application/yaml")
    assert decoded.item["data"] == {"day": "2026-11-21", "text": "hello"}
    assert decode_mapping(b'{"a": 1, "a": 2}', "YAML") == ({"a": 2}, ["a"])


def test_kind_and_version_must_fit() -> None:
    """A body of another kind is refused by name; one that names neither is taken for what the path says."""
    with pytest.raises(ApiError, match="Kind=Secret"):
        config_map(json.dumps({"kind": "Secret", "apiVersion": "v1"}).encode())
    assert config_map(b'{"data":{"a":"1"}}').item["kind"] == "ConfigMap"


@pytest.mark.parametrize("content_type", ["text/plain", "application/cbor", "application/json-patch+json"])
def test_unknown_formats_are_415(content_type: str) -> None:
    """The error lists what is taken."""
    with pytest.raises(ApiError, match="accepted media types include: application/json") as error:
        config_map(b"{}", content_type)
    assert error.value.code == 415


@pytest.mark.parametrize("value", [[], "text", 1, None])
def test_only_objects_are_objects(value: Any) -> None:
    """JSON that is no object is a bad request."""
    with pytest.raises(ApiError):
        config_map(json.dumps(value).encode())
