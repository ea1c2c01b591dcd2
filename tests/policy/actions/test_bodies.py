"""Which reader a body gets, and when it gets none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.bodies import media_type, read_body
from policy.actions.readings import NOT_AVAILABLE
from policy.actions.wire import read_headers
from policy.model import UNKNOWN, WireRequest


def read(body: bytes | None, *headers: tuple[str, str]) -> object:
    return read_body(body, read_headers(WireRequest(method="POST", path="/", headers=headers, body=body))).value


@pytest.mark.parametrize(
    "content_type",
    [
        *(
            "application/json",
            "APPLICATION/JSON",
            "application/json; charset=utf-8",
            'application/json;charset="UTF-8"',
        ),
        *("application/problem+json", "application/vnd.api+json", "text/json", "application/json;profile=x"),
        *("application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml", "application/vnd.oai.openapi+yaml"),
    ],
)
def test_json_and_yaml_types(content_type: str) -> None:
    """Every common name of the two."""
    assert read(b'{"a": 1}', ("Content-Type", content_type)) == {"a": 1}


def test_forms_are_maps_of_lists() -> None:
    """A name may occur more than once."""
    form = ("Content-Type", "application/x-www-form-urlencoded")
    assert read(b"a=1&a=2&b=x+y%21", form) == {"a": ["1", "2"], "b": ["x y!"]}
    for body in (b"a=1;b=2", b"a=%zz", b"a=%FF", b"\xff=1", b"&" * 2000):
        assert read(body, form) is UNKNOWN


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (("Content-Type", ""),),
        (("Content-Type", "text/plain"),),
        (("Content-Type", "multipart/form-data; boundary=x"),),
        (("Content-Type", "application/octet-stream"),),
        (("Content-Type", "application/x-ndjson"),),
        (("Content-Type", "application/json, text/plain"),),
        (("Content-Type", "application/json; charset=utf-16"),),
        (("Content-Type", "application/json; charset=utf-8; charset=utf-7"),),
        (("Content-Type", "json"),),
        (("Content-Type", "application/json/x"),),
        (("Content-Type", "application/json x"),),
        (("Content-Type", "application/json"), ("Content-Type", "application/json")),
        (("Content-Type", "application/json"), ("content_type", "text/plain")),
        (("Content-Type", "application/json"), ("Content-Encoding", "gzip")),
        (("Content-Type", "application/json"), ("Content-Encoding", "identity")),
        (("Content-Type", "application/json"), ("Content_Encoding", "gzip")),
    ],
)
def test_bodies_without_one_meaning(headers: tuple[tuple[str, str], ...]) -> None:
    """Several types, no type, an encoding, a charset or a type without a reader: unknown."""
    assert read(b'{"a": 1}', *headers) is UNKNOWN


def test_no_body_is_known_to_be_none() -> None:
    """Empty is a fact; unavailable is not."""
    assert read(b"", ("Content-Type", "application/json")) is None
    assert read(None, ("Content-Type", "application/json")) is UNKNOWN
    headers = read_headers(WireRequest(method="POST", path="/"))
    assert read_body(None, headers).reason == NOT_AVAILABLE


def test_media_type_is_the_bare_name() -> None:
    """Lower case, without parameters."""
    assert media_type("Text/HTML; charset=utf-8") == "text/html"
    assert media_type("") == ""
    assert media_type("nonsense") is UNKNOWN


@given(st.binary(max_size=50), st.text())
def test_never_raises(body: bytes, content_type: str) -> None:
    """Any body of any type is a value or unknown with a reason."""
    for name in (content_type, "application/json", "application/yaml", "application/x-www-form-urlencoded"):
        headers = read_headers(WireRequest(method="POST", path="/", headers=(("Content-Type", name),)))
        reading = read_body(body, headers)
        assert (reading.value is UNKNOWN) == bool(reading.reason)
