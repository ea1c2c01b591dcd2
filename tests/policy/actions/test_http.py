"""Calls to http targets."""

import json
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.actions.http import BODY_VARIABLES, HttpAction
from policy.codes import Code
from policy.errors import Refusal
from policy.model import UNKNOWN, Family, PathOptions, TargetName, TargetTraits, WireRequest

JSON = ("Content-Type", "application/json")


def action(
    path: str,
    *headers: tuple[str, str],
    method: str = "GET",
    body: bytes | None = b"",
    **options: Any,
) -> HttpAction:
    traits = TargetTraits(name=TargetName("crm"), family=Family.HTTP, paths=PathOptions(**options))
    decoded = decode(traits, WireRequest(method=method, path=path, headers=headers, body=body))
    assert isinstance(decoded, HttpAction)
    return decoded


@pytest.mark.parametrize(
    ("path", "wire", "read"),
    [
        ("/customers/%34711/?a=%61&b#"[:-1], "/customers/4711/?a=%61&b", "/customers/4711"),
        ("/a%3ab?", "/a%3Ab?", "/a:b"),
        ("/?x", "/?x", "/"),
        ("/a?b?c=/../d", "/a?b?c=/../d", "/a"),
    ],
)
def test_path_that_is_matched_is_the_one_that_is_sent(path: str, wire: str, read: str) -> None:
    """The path is canonical on the wire, decoded in rules; the query goes on as it came."""
    got = action(path)
    assert (got.wire_path, got.path) == (wire, read)
    assert action(got.wire_path) == got


def test_trailing_slash() -> None:
    """Ignored by rules, sent as it came, and kept in the path where the target tells the two apart."""
    assert action("/a/").path == "/a"
    assert action("/a/").trailing_slash
    assert action("/a/", trailing_slash="significant").path == "/a/"
    assert action("/a/").wire_path == "/a/"
    assert action("/a/").segments == action("/a").segments == ("a",)


@pytest.mark.parametrize("path", ["*", "http://crm.corp.example/a", "/a/../b", "/a?b c", "/a?b#c", "/a\n", "/a?\xff"])
def test_malformed(path: str) -> None:
    """What is not one path and one query is refused."""
    with pytest.raises(Refusal) as refusal:
        action(path)
    assert refusal.value.code is Code.MALFORMED


def test_variables() -> None:
    """Under the names of the policy language, as JSON types."""
    got = action("/a?x=1&x=2", ("Accept", "a"), ("Authorization", "Bearer t"), JSON, method="POST", body=b'{"n": 1}')
    assert got.variables(body=False) == {
        "http.method": "POST",
        "http.path": "/a",
        "http.query": {"x": ["1", "2"]},
        "http.headers": {"accept": ["a"], "content-type": ["application/json"]},
        "http.contentType": "application/json",
    }
    assert got.variables(body=True) == got.variables(body=False) | {"body": {"n": 1}}


def test_unknown_facts_are_not_bound() -> None:
    """A rule that reads one of these cannot be evaluated, instead of seeing something else than the target."""
    headers = (("X-Name", "\udcff"), ("Content-Type", "x"))
    got = action("/a?x=1;y=2", *headers, method="POST", body=b"{}")
    assert got.variables(body=True) == {"http.method": "POST", "http.path": "/a"}
    assert got.facts()["query"] == got.facts()["contentType"] == "unknown"
    assert got.body_reason()


def test_text_beyond_ascii_in_headers_is_bound() -> None:
    """UTF-8 is text."""
    assert action("/", ("X-Name", "é")).variables(body=False)["http.headers"] == {"x-name": ["é"]}


def test_body_is_read_once_and_only_when_asked() -> None:
    """Decisions that need no body cost no parsing."""
    got = action("/a", JSON, method="POST", body=b"{")
    got.variables(body=False)
    got.facts()
    assert repr(got.reading) == "<not read yet>"
    assert got.body() is UNKNOWN
    assert repr(got.reading) == "<read>"
    assert got.body_reason().startswith("not JSON")


def test_no_body_is_null() -> None:
    """A rule can ask for ``body == null``; it cannot when the body was not to be had."""
    assert action("/a").variables(body=True)["body"] is None
    assert "body" not in action("/a", method="POST", body=None).variables(body=True)


def test_body_variables_are_those_that_need_the_body() -> None:
    """The engine leaves out what is named here until a rule asks for it."""
    got = action("/a", JSON, method="POST", body=b"1")
    assert set(got.variables(body=True)) - set(got.variables(body=False)) == BODY_VARIABLES


@pytest.mark.parametrize(
    ("method", "upgrade", "write"),
    [("GET", "", False), ("HEAD", "", False), ("OPTIONS", "", False), ("POST", "", True), ("DELETE", "", True),
     ("GET", "websocket", True)],
)  # fmt: skip
def test_writes(method: str, upgrade: str, write: bool) -> None:
    """Everything but a plain read."""
    headers = (("Upgrade", upgrade),) if upgrade else ()
    assert action("/a", *headers, method=method).is_write is write


def test_head_counts_as_get() -> None:
    """It tells what GET tells."""
    assert action("/a", method="HEAD").also_methods == ("GET",)
    assert action("/a").also_methods == ()


def test_facts_are_json_and_hold_no_values() -> None:
    """Names of query parameters are told, their values and the headers are not."""
    got = action("/a?key=planted-value", ("X-Custom", "planted-value"), JSON, method="POST", body=b'"planted-value"')
    assert got.facts() == {
        "method": "POST",
        "path": "/a",
        "query": ["key"],
        "contentType": "application/json",
        "upgrade": "",
    }
    got.body()
    assert "planted-value" not in json.dumps(got.facts()) + repr(got)
