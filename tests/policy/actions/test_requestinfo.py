"""The API server's own reading of a URL."""

import json
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import unquote

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.decoding import decode
from policy.actions.kubernetes import KubernetesAction
from policy.actions.requestinfo import RequestInfo, request_info
from policy.errors import Refusal
from policy.model import UNKNOWN, Family, TargetName, TargetTraits, WireRequest

HERE = Path(__file__).parent
CASES = yaml.safe_load((HERE.parents[1] / "cases/actions/kubernetes_urls.yaml").read_text("utf-8"))
CALLS = [json.loads(line) for line in (HERE / "kubectl_calls.jsonl").read_text("utf-8").splitlines()]
MAIN = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)


def info(method: str, url: str) -> RequestInfo:
    decoded = decode(MAIN, WireRequest(method=method, path=url, body=b""))
    assert isinstance(decoded, KubernetesAction)
    return decoded.info


def _rows() -> list[Any]:
    return [pytest.param(case, id=f"{kind}: {case['url']}") for kind, cases in CASES.items() for case in cases]


@pytest.mark.parametrize("case", _rows())
def test_case(case: dict[str, Any]) -> None:
    """Every URL is taken for what the table states, or refused."""
    method = case.get("method", "GET")
    if "refused" in case:
        with pytest.raises(Refusal, match=case["refused"]):
            info(method, case["url"])
        return
    got = info(method, case["url"])
    if "path" in case:
        assert (got.resource_request, got.path, got.verb, got.parts) == (False, case["path"], case["verb"], ())
        return
    words = ["" if word == "-" else word for word in case["is"].split()]
    assert [got.verb, got.group, got.version, got.namespace, got.resource, got.subresource, got.name] == words
    assert got.resource_request
    if "parts" in case:
        assert list(got.parts) == case["parts"]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call['method']} {call['path'][:60]}")
def test_agrees_with_a_live_server(call: dict[str, Any]) -> None:
    """Every request of a kubectl session is what the server's audit log took it for."""
    content_type = call.get("contentType", "")
    body = call.get("body", "").encode("latin-1" if "protobuf" in content_type else "utf-8")
    headers = (("Content-Type", content_type),) if content_type else ()
    facts = decode(MAIN, WireRequest(method=call["method"], path=call["path"], headers=headers, body=body)).facts()
    names = {"apiGroup": "group", "apiVersion": "version"}
    assert {name: facts[names.get(name, name)] for name in call["apiserver"]} == call["apiserver"]


def test_session_is_whole() -> None:
    """All of the recorded calls are there."""
    assert len(CALLS) == 215


@pytest.mark.parametrize(
    ("method", "url", "labels", "fields"),
    [
        ("GET", "/api/v1/pods?labelSelector=a%3Db&fieldSelector=c%3Dd", "a=b", "c=d"),
        ("GET", "/api/v1/pods?watch=1&labelSelector=a", "a", ""),
        ("DELETE", "/api/v1/pods?labelSelector=a&fieldSelector=c!%3Dd", "a", "c!=d"),
        ("GET", "/api/v1/pods?labelSelector=a&labelSelector=b", "a", ""),
        ("GET", "/api/v1/pods?labelSelector=a,,b&fieldSelector=x", UNKNOWN, UNKNOWN),
        ("GET", "/api/v1/watch/pods?labelSelector=a&fieldSelector=c%3Dd", "", ""),
        ("GET", "/api/v1/pods/x?labelSelector=a&fieldSelector=c%3Dd", "", ""),
        ("POST", "/api/v1/pods?labelSelector=!!", "", ""),
        ("GET", "/version?labelSelector=a", "", ""),
    ],
)
def test_selectors(method: str, url: str, labels: object, fields: object) -> None:
    """Selectors are facts where the server applies them, and unknown where it cannot parse them."""
    got = info(method, url)
    assert (got.label_selector, got.field_selector) == (labels, fields)


WORDS = st.sampled_from(
    ["api", "apis", "v1", "apps", "watch", "proxy", "namespaces", "a", "pods", "status", "finalize"]
)


@given(st.sampled_from(["GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT"]), st.lists(WORDS, max_size=9))
def test_agrees_with_a_transcription(method: str, parts: list[str]) -> None:
    """Paths of any of these words are read as by the algorithm of the server, written down step by step."""
    try:
        got = request_info(method, "/" + "/".join(parts), tuple(parts), {})
    except Refusal:
        assert _transcription(method, parts) is None
        return
    assert (got.verb, got.namespace, got.resource, got.subresource, got.name, list(got.parts)) == _transcription(
        method, parts
    )


PLAIN = st.lists(WORDS | st.text(st.sampled_from("aZ0.:-_~"), min_size=1, max_size=4), min_size=1, max_size=7)


@given(st.sampled_from(["GET", "POST", "DELETE", "PUT"]), PLAIN, st.randoms(use_true_random=False))
def test_decodes_then_splits(method: str, parts: list[str], random: Random) -> None:
    """However a path is escaped, it is taken for what the server takes the decoded path for, or refused."""
    path = "/" + "/".join(parts)
    forms = ((each,) if each == "/" else (each, f"%{ord(each):02x}", f"%{ord(each):02X}") for each in path)
    escaped = "".join(random.choice(each) for each in forms)
    try:
        got = info(method, escaped)
    except Refusal:
        assert {".", ".."} & set(parts) or _transcription(method, parts) is None
        return
    wanted = _transcription(method, unquote(escaped)[1:].split("/"))
    assert (got.verb, got.namespace, got.resource, got.subresource, got.name, list(got.parts)) == wanted
    assert got.path == path


@given(st.sampled_from(["GET", "DELETE"]), PLAIN, st.integers(0, 6))
def test_an_escaped_slash_is_refused(method: str, parts: list[str], at: int) -> None:
    """The server would split at it."""
    joined = "/".join(parts)
    with pytest.raises(Refusal):
        info(method, "/" + joined[:at] + "%2F" + joined[at:])


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x2FF), max_size=30), st.sampled_from(["GET", "PATCH"]))
def test_canonical_or_refused(path: str, method: str) -> None:
    """Any text is refused, or sent in a form that is its own canonical form and means the same."""
    try:
        got = decode(MAIN, WireRequest(method=method, path="/" + path, body=b""))
    except Refusal:
        return
    again = decode(MAIN, WireRequest(method=method, path=got.wire_path, body=b""))
    assert again == got
    assert again.wire_path == got.wire_path
    assert not {"", ".", ".."} & set(unquote(got.wire_path.partition("?")[0]).strip("/").split("/")[1:])


def _transcription(method: str, parts: list[str]) -> Any:
    """``NewRequestInfo`` of requestinfo.go, without selectors; None for an error."""
    none: Any = (method.lower(), "", "", "", "", [])
    current = list(parts)
    if len(current) < 3 or current[0] not in {"api", "apis"}:
        return none
    prefix, current = current[0], current[1:]
    if prefix != "api":
        if len(current) < 3:
            return none
        current = current[1:]
    current = current[1:]
    verbs = {"POST": "create", "GET": "get", "HEAD": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
    if current[0] in {"proxy", "watch"}:
        if len(current) < 2:
            return None
        verb, current = current[0], current[1:]
    else:
        verb = verbs.get(method, "")
    namespace = ""
    if current[0] == "namespaces" and len(current) > 1:
        namespace = current[1]
        if len(current) > 2 and current[2] not in {"status", "finalize"}:
            current = current[2:]
    subresource = current[2] if len(current) >= 3 and verb != "proxy" else ""
    name = current[1] if len(current) >= 2 else ""
    if not name:
        verb = {"get": "list", "delete": "deletecollection"}.get(verb, verb)
    return verb, namespace, current[0], subresource, name, current
