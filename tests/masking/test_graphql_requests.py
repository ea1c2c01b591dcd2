"""Aliases that would carry a value past the mask are refused before they leave."""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.engine import MaskingEngine
from masking.graphql_requests import HiddenAlias, refuse_aliases
from masking.plan import Plan

JSON = "application/json"
ALIAS, PLAIN = "{ user { x: ssn } }", "{ user { ssn x: title } }"


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("pii", "secrets")


def request(document: str, **more: Any) -> bytes:
    return json.dumps({"query": document, **more}).encode()


CARRIERS: list[tuple[str, Callable[[str], dict[str, Any]]]] = [
    ("JSON", lambda document: {"body": request(document), "content_type": JSON}),
    ("JSON of any type", lambda document: {"body": request(document), "content_type": "text/plain"}),
    ("no type", lambda document: {"body": b"\xef\xbb\xbf" + request(document)}),
    ("a charset that is not listed", lambda document: {"body": request(document), "content_type": "application/json; charset=utf-7"}),
    ("a batch", lambda document: {"body": b"[" + request("{ a }") + b"," + request(document) + b"]", "content_type": JSON}),
    ("twice", lambda document: {"body": b'{"query": "{ a }", ' + request(document)[1:], "content_type": JSON}),
    ("another case", lambda document: {"body": request(document).replace(b"query", b"Query"), "content_type": JSON}),
    ("escapes", lambda document: {"body": request(document).replace(b"x: s", b"x\\u003a \\u0073"), "content_type": JSON}),
    ("a subscription", lambda document: {"body": json.dumps({"type": "subscribe", "payload": {"query": document}}).encode(), "content_type": JSON}),
    ("the document itself", lambda document: {"body": document.encode(), "content_type": "application/graphql"}),
    ("the document as text", lambda document: {"body": document.encode(), "content_type": "text/plain"}),
    ("the URL", lambda document: {"body": b"", "query": urlencode({"a": 1, "query": document})}),
    ("a form", lambda document: {"body": urlencode({"query": document}).encode(), "content_type": "application/x-www-form-urlencoded"}),
    ("parts", lambda document: {
        "body": b'--X\r\nContent-Disposition: form-data; name="operations"\r\n\r\n' + request(document) + b"\r\n--X--",
        "content_type": "multipart/form-data; boundary=X",
    }),
]  # fmt: skip


@pytest.mark.parametrize("carrier", [carry for _, carry in CARRIERS], ids=[name for name, _ in CARRIERS])
def test_aliases_are_found_wherever_a_document_stands(plan: Plan, carrier: Callable[[str], dict[str, Any]]) -> None:
    """And documents without pass."""
    refuse_aliases(plan, **carrier(PLAIN))
    with pytest.raises(HiddenAlias):
        refuse_aliases(plan, **carrier(ALIAS))


def test_utf_16_is_refused(plan: Plan) -> None:
    """Some servers take it for JSON."""
    with pytest.raises(HiddenAlias):
        refuse_aliases(plan, request(ALIAS).decode().encode("utf-16"), content_type=JSON)


@pytest.mark.parametrize(
    ("document", "hidden"),
    [
        ("{ x: password }", True),
        ("{ password: password }", False),
        ("{ x: phone }", True),
        ("{ phone: mobilePhone }", False),
        ("{ x: email }", False),
        ("{ x: title }", False),
        ("{ ...F } fragment F on User { y: ssn }", True),
        ('{ find(q: "x: ssn") { id } }', False),
    ],
)
def test_only_aliases_that_change_something_are_refused(plan: Plan, document: str, hidden: bool) -> None:
    """Names that tell and names that lend context; an address is told by itself."""
    with pytest.raises(HiddenAlias) if hidden else contextlib.nullcontext():
        refuse_aliases(plan, request(document), content_type=JSON)


def test_with_paths_every_alias_is_refused(make_plan: Callable[..., Plan]) -> None:
    """A path leads past it."""
    plan = make_plan(spec={"paths": [{"path": "$.data.a"}]})
    refuse_aliases(plan, request("{ a b }"), content_type=JSON)
    with pytest.raises(HiddenAlias):
        refuse_aliases(plan, request("{ x: a }"), content_type=JSON)


@pytest.mark.parametrize(
    "body",
    [
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "a"}}},
        {"query": "", "extensions": {"persistedQuery": {}}},
        {"documentId": "a", "variables": {}},
        {"id": "a", "operationName": "b"},
        {"query": "{ x: ssn"},
        {"query": "{ a(b: 'x: y') }"},
    ],
)
def test_what_cannot_be_read_is_refused(plan: Plan, body: Mapping[str, Any]) -> None:
    """Stored documents of which only the name is sent, and texts that are none."""
    with pytest.raises(HiddenAlias):
        refuse_aliases(plan, json.dumps(body).encode(), content_type=JSON)


@pytest.mark.parametrize(
    "body",
    [
        {"query": {"match": {"x": "ssn"}}},
        {"query": "select x from y"},
        {"query": "name: x"},
        {"id": 5},
        {"documentId": 5, "title": "x"},
        {"query": '{app="x"} |= "y"'},
        {"id": 5, "variables": {}, "name": "x"},
        [],
        "query",
    ],
)
def test_other_requests_pass(plan: Plan, body: Any) -> None:
    """Searches are often called ``query``, too."""
    refuse_aliases(plan, json.dumps(body).encode(), content_type=JSON)


def test_persisted_queries_in_a_url_are_refused(plan: Plan) -> None:
    """There the extensions are a JSON text."""
    with pytest.raises(HiddenAlias):
        refuse_aliases(plan, b"", query=urlencode({"extensions": '{"persistedQuery":{"sha256Hash":"a"}}'}))


def test_an_engine_is_asked_by_its_profiles(engine: MaskingEngine) -> None:
    """Without profiles nothing is masked, so nothing can be hidden from the mask."""
    refuse_aliases(engine, request(ALIAS), content_type=JSON)
    with pytest.raises(HiddenAlias):
        refuse_aliases(engine, request(ALIAS), content_type=JSON, profiles=("pii",))


@given(
    st.binary(max_size=60),
    st.sampled_from([JSON, "", "application/graphql", "multipart/form-data; boundary=X", "image/png", "x"]),
)
def test_any_request_passes_or_is_refused(plan: Plan, body: bytes, content_type: str) -> None:
    """No other exception; the reason holds nothing of the request."""
    with contextlib.suppress(HiddenAlias):
        refuse_aliases(plan, body, content_type=content_type, query=body.decode("latin-1"))
