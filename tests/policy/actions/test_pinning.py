"""Writes that are bound to a version."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.decoding import decode
from policy.actions.kubernetes import KubernetesAction
from policy.actions.pinning import pin
from policy.actions.readings import Unreadable
from policy.actions.yamltext import read_yaml
from policy.model import Family, TargetName, TargetTraits, WireRequest

MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
WEB = "/apis/apps/v1/namespaces/x/deployments/web"
MERGE, STRATEGIC, OPERATIONS = (
    f"application/{kind}+json" for kind in ("merge-patch", "strategic-merge-patch", "json-patch")
)
APPLY, YAML, JSON = "application/apply-patch+yaml", "application/yaml", "application/json"
LEAVES = st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
KEYS = st.sampled_from(["spec", "replicas", "a", "é", "x-y"])
VALUES = st.recursive(LEAVES, lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3))
OBJECTS = st.builds(
    lambda rest, metadata: {**rest, **({} if metadata is None else {"metadata": metadata})},
    st.dictionaries(KEYS, VALUES, max_size=3),
    st.none() | st.dictionaries(KEYS, VALUES, max_size=2),
)


def action(method: str, path: str, body: bytes, kind: str) -> KubernetesAction:
    headers = (("Content-Type", kind),) if kind else ()
    decoded = decode(MAIN, WireRequest(method=method, path=path, headers=headers, body=body))
    assert isinstance(decoded, KubernetesAction)
    return decoded


def pinned(method: str, path: str, body: bytes, kind: str = "") -> bytes:
    return pin(action(method, path, body, kind), body, "77")


@given(
    OBJECTS,
    st.sampled_from(
        [("PUT", JSON), ("PUT", ""), ("PUT", YAML), ("PATCH", MERGE), ("PATCH", STRATEGIC), ("PATCH", APPLY)]
    ),
    st.sampled_from([WEB, f"{WEB}/scale", f"{WEB}/status"]),
)
def test_says_what_it_said_and_the_version(value: dict[str, Any], kind: tuple[str, str], path: str) -> None:
    """A pinned body reads as the original with the version in its metadata, and is no other text besides."""
    body = json.dumps(value).encode()
    found = pinned(kind[0], path, body, kind[1])
    assert json.loads(found) == {**value, "metadata": {**value.get("metadata", {}), "resourceVersion": "77"}}
    assert len(found) - len(body) <= len(b'"metadata":{"resourceVersion":"77"},')


@given(st.lists(st.fixed_dictionaries({"op": st.just("add"), "path": st.text(), "value": VALUES}), max_size=3))
def test_operations_are_tested_first(patch: list[Any]) -> None:
    """A json-patch begins with the test, and goes on as it was."""
    found = json.loads(pinned("PATCH", WEB, json.dumps(patch).encode(), OPERATIONS))
    assert found == [{"op": "test", "path": "/metadata/resourceVersion", "value": "77"}, *patch]


@pytest.mark.parametrize(
    "text",
    [
        "spec: {replicas: 3}\n",
        "# a comment\nmetadata:\n  name: web\nspec:\n  x: 0.5\n  w: -7\n  z: [true, ~, 'no', \"\\u00e9\"]\n",
        "{a: b, metadata: {labels: {x: z}}}",
        "metadata:\nspec: &a {x: 1}\nother: *a\n",
        '{"<<": 1}',
        "{}",
    ],
)
@pytest.mark.parametrize(("method", "kind"), [("PUT", YAML), ("PATCH", APPLY)])
def test_yaml_is_written_as_json(text: str, method: str, kind: str) -> None:
    """What a YAML document says is said by JSON, which is YAML too; what cannot be read is not guessed at."""
    if "<<" in text:
        with pytest.raises(Unreadable):
            pinned(method, WEB, text.encode(), kind)
        return
    value = read_yaml(text.encode())
    found = pinned(method, WEB, text.encode(), kind)
    wanted = {**value, "metadata": {**(value.get("metadata") or {}), "resourceVersion": "77"}}
    assert json.loads(found) == read_yaml(found) == wanted


@pytest.mark.parametrize("number", ["1.0", "1e3", "123456789012345678901234567890"])
def test_yaml_numbers_that_json_takes_for_others(number: str) -> None:
    """A double that is whole would become an integer, or not fit one."""
    with pytest.raises(Unreadable, match="number"):
        pinned("PATCH", WEB, f"a: {number}\n".encode(), APPLY)
    assert number.encode() in pinned("PATCH", WEB, f'{{"a": {number}}}'.encode(), APPLY)


@pytest.mark.parametrize(
    ("method", "kind", "body"),
    [
        ("PUT", JSON, b'{"metadata": {"resourceVersion": "5"}}'),
        ("PATCH", MERGE, b'{"metadata":{"resourceVersion":"5"}}'),
        ("PATCH", APPLY, b'{"metadata":{"resourceVersion":"x"}}'),
        ("DELETE", JSON, b'{"preconditions": {"resourceVersion": "0"}}'),
    ],
)
def test_a_version_that_is_stated_stays(method: str, kind: str, body: bytes) -> None:
    """The agent knows which object it means."""
    assert pinned(method, WEB, body, kind) == body


@pytest.mark.parametrize("any_version", ['""', '"0"', '"00"', "null"])
def test_a_version_that_stands_for_any_does_not(any_version: str) -> None:
    """The server takes the empty version and 0 for any."""
    body = f'{{"metadata": {{"resourceVersion": {any_version}}}}}'.encode()
    assert pinned("PUT", WEB, body, JSON) == b'{"metadata": {"resourceVersion": "77"}}'


@pytest.mark.parametrize(
    ("query", "options"),
    [
        ("", {}),
        ("?gracePeriodSeconds=0", {"gracePeriodSeconds": 0}),
        ("?gracePeriodSeconds=-1&gracePeriodSeconds=x", {"gracePeriodSeconds": -1}),
        ("?propagationPolicy=Background&pretty=true", {"propagationPolicy": "Background"}),
        ("?orphanDependents=FALSE", {"orphanDependents": False}),
        ("?orphanDependents", {"orphanDependents": True}),
        ("?dryRun=All", {"dryRun": ["All"]}),
        ("?uid=u1", {"preconditions": {"uid": "u1", "resourceVersion": "77"}}),
    ],
)
@pytest.mark.parametrize("kind", ["", JSON, YAML])
def test_a_delete_without_a_body_gets_one(query: str, options: dict[str, Any], kind: str) -> None:
    """It holds everything that the query said, as the server looks at the query no more."""
    base = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"resourceVersion": "77"}}
    assert json.loads(pinned("DELETE", WEB + query, b"", kind)) == {**base, **options}


def test_a_delete_stays_a_dry_run() -> None:
    """And a real one stays real."""
    body = pinned("DELETE", f"{WEB}?dryRun=All", b"")
    assert action("DELETE", f"{WEB}?dryRun=All", body, "").dry_run is True
    assert action("DELETE", f"{WEB}?dryRun=All", pinned("DELETE", f"{WEB}?dryRun=All", b"{}"), "").dry_run is False


def test_a_delete_whose_query_states_a_version_stays() -> None:
    """The server compares that one."""
    assert pinned("DELETE", f"{WEB}?resourceVersion=5", b"") == b""


def test_a_delete_with_a_body() -> None:
    """What it says stays."""
    assert pinned("DELETE", WEB, b'{"propagationPolicy":"Orphan"}') == (
        b'{"preconditions":{"resourceVersion":"77"},"propagationPolicy":"Orphan"}'
    )


@pytest.mark.parametrize(
    ("method", "path", "kind", "body"),
    [
        ("PUT", WEB, "application/vnd.kubernetes.protobuf", b"k8s\x00"),
        ("PUT", WEB, "application/cbor", b"\xd9\xd9\xf7"),
        ("PUT", WEB, JSON, b'{"a":1,"a":2}'),
        ("PUT", WEB, JSON, b"[]"),
        ("PUT", WEB, JSON, b'{"metadata": 5}'),
        ("PUT", WEB, JSON, b""),
        ("PUT", f"{WEB}/proxy", JSON, b"{}"),
        ("PATCH", WEB, MERGE, b'{"metadata": null}'),
        ("PATCH", WEB, MERGE, b"5"),
        ("PATCH", WEB, STRATEGIC, b'{"$patch": "delete"}'),
        ("PATCH", WEB, STRATEGIC, b'{"metadata": {"$patch": "replace"}}'),
        ("PATCH", WEB, STRATEGIC, b'{"$retainKeys": ["spec"]}'),
        ("PATCH", WEB, OPERATIONS, b"{}"),
        ("PATCH", WEB, "application/apply-patch+cbor", b"{}"),
        ("PATCH", WEB, "text/plain", b"{}"),
        ("DELETE", WEB, "application/vnd.kubernetes.protobuf", b""),
        ("DELETE", f"{WEB}?gracePeriodSeconds=soon", "", b""),
        ("DELETE", "/api/v1/namespaces/x/pods", "", b""),
        ("DELETE", "/api/v1/namespaces/x/pods/a/proxy/x", "", b""),
        ("POST", "/apis/apps/v1/namespaces/x/deployments", JSON, b"{}"),
        ("POST", "/api/v1/namespaces/x/pods/a/eviction", JSON, b"{}"),
        ("GET", WEB, "", b""),
        ("POST", "/version", JSON, b"{}"),
    ],
)
def test_what_cannot_be_pinned(method: str, path: str, kind: str, body: bytes) -> None:
    """Is not sent as if it were."""
    with pytest.raises(Unreadable):
        pinned(method, path, body, kind)


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\ufeff", "\x7f"])
def test_a_pinned_yaml_document_keeps_odd_characters(character: str) -> None:
    """The API server's YAML reader folds some of them into a space where they stand as they are, even in quotes."""
    body = f'spec: {{note: "a\\u{ord(character):04x}b"}}'.encode()
    found = pinned("PATCH", WEB, body, APPLY)
    assert character not in found.decode()
    assert read_yaml(found)["spec"] == {"note": f"a{character}b"}
