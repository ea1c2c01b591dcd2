"""Law: protected data does not leave in a request; what cannot be searched does not leave at all, and no answer tells."""

import dataclasses
import gzip
import json
from typing import Any

import pytest
from mitmproxy import http

from addons import header_rules
from addons.calls import Call, Stage
from addons.dlp import Dlp, covers
from addons.runtime import Runtime, wire_request
from policy.actions.decoding import decode
from policy.codes import Code
from policy.model import DlpObligation
from tests.addons.support import AGENT, make_flow, make_request

EMAIL = "ada.lovelace@example.com"
JSON = {"Content-Type": "application/json"}
HOST = "https://crm.corp.example"
CLUSTER = "https://kubernetes.corp.example:6443"
SECRETS = f"{CLUSTER}/api/v1/namespaces/searched/secrets"


async def asked(
    runtime: Runtime, url: str, *, content: bytes = b"", headers: dict[str, str] | None = None, method: str = "POST"
) -> tuple[http.HTTPFlow, Call]:
    """A decoded call after its search."""
    request = make_request(url, method, content=content, headers={})
    for name, value in (headers or {}).items():
        request.headers[name] = value
    request.raw_content = content
    flow = make_flow(request)
    call = runtime.ledger.open(flow)
    call.target = runtime.gateway.registry.named("main" if url.startswith(CLUSTER) else "crm")
    call.wire, call.agent = wire_request(flow, body=content), AGENT
    assert call.target is not None
    call.action = decode(call.target.traits, call.wire)
    flow.request.path = call.action.wire_path
    await Dlp(runtime).request(flow)
    return flow, call


def refused(flow: http.HTTPFlow, call: Call) -> str:
    """What an agent is told of a blocked request, which holds nothing of the data."""
    assert call.refusal is not None
    assert call.refusal.code is Code.DLP_BLOCKED
    assert flow.response is not None
    assert flow.response.status_code == 403
    text = (flow.response.content or b"").decode()
    assert EMAIL not in text + str(flow.response.headers) + str(call.refusal)
    assert Stage.DLP not in call.stamps
    return call.refusal.detail


def body(value: Any) -> bytes:
    return json.dumps(value).encode()


PLACES: list[tuple[str, str, dict[str, Any]]] = [
    ("path", f"/blocked/{EMAIL}", {}),
    ("path", f"/blocked/{EMAIL.replace('@', '%40')}", {}),
    ("query", f"/blocked/a?q={EMAIL}", {}),
    ("query", f"/blocked/a?q={EMAIL.replace('@', '%40')}", {}),
    ("query", f"/blocked/a?x=1&q={''.join(f'%{ord(each):02x}' for each in EMAIL)}", {}),
    ("header x-note", "/blocked/a", {"headers": {"X-Note": EMAIL}}),
    ("header user-agent", "/blocked/a", {"headers": {"User-Agent": f"curl {EMAIL}"}}),
    ("header accept", "/blocked/a", {"headers": {"Accept": f"text/plain; q={EMAIL}"}}),
    ("body", "/blocked/a", {"content": body({"to": EMAIL}), "headers": JSON}),
    ("body", "/blocked/a", {"content": body({"to": EMAIL}).replace(b"@", b"\\u0040"), "headers": JSON}),
    ("body", "/blocked/a", {"content": gzip.compress(body([EMAIL])), "headers": JSON | {"Content-Encoding": "gzip"}}),
    ("body", "/blocked/a", {"content": f"to={EMAIL}".encode(), "headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
    ("body", "/blocked/a", {"content": EMAIL.encode()}),
]  # fmt: skip


@pytest.mark.parametrize(("place", "path", "more"), PLACES)
async def test_what_is_found_is_blocked_wherever_it_stands(
    runtime: Runtime, place: str, path: str, more: dict[str, Any]
) -> None:
    """The agent is told what and where, never the value."""
    told = refused(*await asked(runtime, HOST + path, **more))
    assert f"EMAIL_ADDRESS=1 in {place}" in told


async def test_data_in_the_name_of_a_header(runtime: Runtime) -> None:
    """A name reaches the target just as a value does."""
    flow, call = await asked(runtime, f"{HOST}/blocked/a", headers={"x-078-05-1120": "1"})
    if call.refusal is None:  # not a number that is ever given out
        flow, call = await asked(runtime, f"{HOST}/blocked/a", headers={"x-ssn-536-22-1234": "1"})
    assert "a header's name" in refused(flow, call)


UNSEARCHABLE: list[tuple[bytes, dict[str, str]]] = [
    (b"\x89PNG\r\n\x1a\n", {"Content-Type": "image/png"}),
    (b"\x00\x01", {"Content-Type": "application/octet-stream"}),
    (b"x", {"Content-Type": "text/plain; charset=utf-7"}),
    (b"x", {"Content-Type": "text/plain", "Content-Encoding": "compress"}),
    (b"no gzip", {"Content-Type": "text/plain", "Content-Encoding": "gzip"}),
    (b'{"a": ', JSON),
    (b"a" * 5000, {"Content-Type": "text/plain"}),
]


@pytest.mark.parametrize(("content", "headers"), UNSEARCHABLE)
@pytest.mark.parametrize("place", ["blocked", "cleaned"])
async def test_what_cannot_be_searched_does_not_leave(
    runtime: Runtime, place: str, content: bytes, headers: dict[str, str]
) -> None:
    """Whatever the rule would do about a hit."""
    told = refused(*await asked(runtime, f"{HOST}/{place}/a", content=content, headers=headers))
    assert told.startswith("the body cannot be searched")


async def test_a_body_that_is_not_there_cannot_be_searched(runtime: Runtime) -> None:
    """It was streamed, or is larger than what is kept."""
    flow = make_flow(make_request(f"{HOST}/blocked/a", "POST"))
    call = runtime.ledger.open(flow)
    call.target, call.agent = runtime.gateway.registry.named("crm"), AGENT
    call.wire = wire_request(flow, body=None)
    assert call.target is not None
    call.action = decode(call.target.traits, call.wire)
    await Dlp(runtime).request(flow)
    refused(flow, call)


async def test_what_is_clean_passes_as_it_is(runtime: Runtime) -> None:
    """Not a byte of it is changed; a content coding is taken off, for only what was in it was searched."""
    content = body({"n": 1})
    headers = JSON | {"X-Note": "fine"}
    for sent, coding in ((content, {}), (gzip.compress(content), {"Content-Encoding": "gzip"})):
        flow, call = await asked(runtime, f"{HOST}/blocked/a?x=%41+b", content=sent, headers=headers | coding)
        assert call.refusal is None
        assert call.stamps[-1] is Stage.DLP
        assert flow.request.raw_content == content
        assert "content-encoding" not in flow.request.headers
        assert flow.request.path == "/blocked/a?x=%41+b"
        assert call.searched == DlpObligation(profiles=("pii", "secrets"))


async def test_no_rule_no_search(runtime: Runtime) -> None:
    """Other paths of the same target are not searched."""
    _, call = await asked(runtime, f"{HOST}/customers?q={EMAIL}", method="GET")
    assert (call.refusal, call.searched) == (None, None)


async def test_a_denied_call_is_not_searched(runtime: Runtime) -> None:
    """It is for the decision to say so."""
    _, call = await asked(runtime, f"{HOST}/elsewhere?q={EMAIL}", method="DELETE")
    assert (call.refusal, call.searched) == (None, None)


@pytest.mark.parametrize("coding", ["", "gzip"])
async def test_the_masked_request_takes_the_place_of_the_one_that_came(runtime: Runtime, coding: str) -> None:
    """It is what is judged, recorded, shown and sent."""
    content = body({"to": EMAIL, "n": 1})
    headers = JSON | {"X-Note": f"for {EMAIL}"} | ({"Content-Encoding": coding} if coding else {})
    flow, call = await asked(
        runtime,
        f"{HOST}/cleaned/a?to={EMAIL.replace('@', '%40')}&x=1",
        content=gzip.compress(content) if coding else content,
        headers=headers,
    )
    assert call.refusal is None
    assert call.wire is not None
    assert call.action is not None
    sent = flow.request.raw_content or b""
    assert json.loads(sent) == {"to": "<EMAIL_ADDRESS>", "n": 1}
    assert call.wire.body == sent == call.body_to_send
    assert flow.request.path == call.path_to_send == call.wire.path == call.action.wire_path
    assert flow.request.headers["x-note"] == "for <EMAIL_ADDRESS>"
    assert "content-encoding" not in flow.request.headers
    seen = repr((call.wire.headers, call.wire.path, call.wire.body, flow.request.get_state()))
    assert EMAIL not in seen
    assert EMAIL.replace("@", "%40") not in seen
    assert call.masked_request == {"EMAIL_ADDRESS": 3}


async def test_a_path_is_never_masked(runtime: Runtime) -> None:
    """It would name something else."""
    assert "cannot be masked" in refused(*await asked(runtime, f"{HOST}/cleaned/{EMAIL}"))


@pytest.mark.parametrize(
    ("method", "path", "content_type", "content"),
    [
        ("POST", SECRETS, "application/json", {"kind": "Secret", "apiVersion": "v1", "data": {"a": "cGxhbnRlZA=="}}),
        ("PATCH", f"{SECRETS}/a", "application/merge-patch+json", {"stringData": {"a": "planted"}}),
        ("PATCH", f"{SECRETS}/a", "application/json-patch+json", [{"op": "add", "path": "/data/a", "value": "cGxhbnRlZA=="}]),
    ],
)  # fmt: skip
async def test_values_of_secrets_are_blocked_by_their_place(
    runtime: Runtime, method: str, path: str, content_type: str, content: Any
) -> None:
    """A patch does not say what it patches; its path does."""
    flow, call = await asked(
        runtime, path, content=body(content), headers={"Content-Type": content_type}, method=method
    )
    assert "KUBERNETES_SECRET=" in refused(flow, call)


async def test_other_objects_of_a_cluster_pass(runtime: Runtime) -> None:
    """A scale of a deployment holds nothing."""
    path = f"{CLUSTER}/apis/apps/v1/namespaces/searched/deployments/web"
    content, headers = body({"spec": {"replicas": 3}}), {"Content-Type": "application/merge-patch+json"}
    _, call = await asked(runtime, path, content=content, headers=headers, method="PATCH")
    assert call.refusal is None
    assert call.stamps[-1] is Stage.DLP


def test_only_a_search_that_was_as_strict_counts() -> None:
    """Fewer profiles, or a mask where a block is asked, are no evidence."""
    done = DlpObligation(profiles=("pci", "pii"), action="mask")
    assert covers(done, DlpObligation(profiles=("pii",), action="mask"))
    assert covers(dataclasses.replace(done, action="block"), DlpObligation(profiles=("pii",), action="mask"))
    assert not covers(done, DlpObligation(profiles=("pii",), action="block"))
    assert not covers(done, DlpObligation(profiles=("secrets",), action="mask"))
    assert not covers(None, DlpObligation(profiles=("pii",), action="mask"))


def test_every_header_that_goes_on_is_searched() -> None:
    """Those that are not searched are written anew or taken out."""
    fields = [(b"X-Any", b"1"), (b"Cookie", b"a=b"), (b"Host", b"h")]
    assert header_rules.forwarded(fields) == [(b"X-Any", b"1")]
