"""The API server's own reading of a URL."""

import json
from pathlib import Path
from typing import Any

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
