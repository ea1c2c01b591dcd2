"""Law: an agent sees of a cluster what its rules open, and cannot tell a hidden object from one that is not there."""

import gzip
import json
from collections.abc import Callable
from typing import Any, cast

import pytest
from mitmproxy import http

from addons import answers
from addons.calls import Call, Stage
from addons.inject import Inject
from addons.offload import ON_LOOP
from addons.record import Recording
from addons.redact import Redact
from addons.response_streams import is_stream
from addons.runtime import Runtime
from masking.encodings import ACCEPTED, Limits
from masking.errors import Unmaskable
from policy.codes import Code
from policy.model import FilterObligation, Visible
from tests.addons.support import judged, make_flow, make_request, make_response, sealed

PODS = "https://kubernetes.corp.example:6443/api/v1/namespaces/prod/pods"
POD, WATCH = f"{PODS}/a", f"{PODS}?watch=1&resourceVersion=5"
TEAM_A = FilterObligation(visible=(Visible(labels=(("team", "a"),)),))
JSON = {"Content-Type": "application/json"}


def _pod(name: str, team: str = "a", revision: int = 1, **more: Any) -> dict[str, Any]:
    labels = {"labels": {"team": team}}
    metadata = {"name": name, "namespace": "prod", "uid": f"uid-{name}", "resourceVersion": str(revision)}
    return {"kind": "Pod", "apiVersion": "v1", "metadata": metadata | labels} | more


def _list(*items: Any, **metadata: Any) -> bytes:
    return json.dumps({"kind": "PodList", "apiVersion": "v1", "metadata": metadata, "items": items}).encode()


def _status(code: int, **metadata: Any) -> bytes:
    return json.dumps(
        {"kind": "Status", "metadata": metadata, "status": "Failure", "code": code, "message": "x"}
    ).encode()


@pytest.fixture
async def redact(runtime: Runtime) -> Redact:
    return Redact(runtime, Recording(runtime))


async def _answered(
    redact: Redact, body: bytes, url: str = PODS, status: int = 200, headers: dict[str, str] = JSON, **more: Any
) -> http.HTTPFlow:
    flow = make_flow(make_request(url))
    sealed(redact.runtime, flow, target="main", filter=TEAM_A, **more)
    flow.response = make_response(body, headers)
    flow.response.status_code = status
    await redact.responseheaders(flow)
    await redact.response(flow)
    return flow


def _json(flow: http.HTTPFlow) -> Any:
    assert flow.response is not None
    return json.loads(flow.response.raw_content or b"")


def _code(redact: Redact, flow: http.HTTPFlow) -> Code | None:
    refusal = redact.runtime.call(flow).refusal
    return None if refusal is None else refusal.code


@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.parametrize("count", [1, 400], ids=["small", "large"])
async def test_a_list_is_filtered(redact: Redact, encoding: str, count: int) -> None:
    """On the loop or off it, decoded, with its new length and without the validators of the old."""
    redact._limits = Limits(body=1 << 20)
    body = _list(*[_pod(f"a{at}") for at in range(count)], _pod("planted", "b"), resourceVersion="7")
    assert (len(body) > ON_LOOP) is (count > 1)
    headers = JSON | {"ETag": '"x"', "Content-Length": "1"} | ({"Content-Encoding": encoding} if encoding else {})
    flow = await _answered(redact, gzip.compress(body) if encoding else body, headers=headers)
    assert flow.response is not None
    raw = flow.response.raw_content or b""
    assert b"planted" not in raw
    assert [each["metadata"]["name"] for each in _json(flow)["items"]] == [f"a{at}" for at in range(count)]
    assert flow.response.headers["Content-Length"] == str(len(raw))
    assert not {"etag", "content-encoding"} & {name.lower() for name in flow.response.headers}
    assert answers.MASKED not in flow.response.headers


async def test_what_stays_is_masked(redact: Redact) -> None:
    """First the filter, then the mask."""
    flow = await _answered(redact, _list(_pod("a", note="ada.lovelace@example.com"), _pod("b", "b")), profiles=("pii",))
    assert flow.response is not None
    assert b"ada.lovelace" not in (flow.response.raw_content or b"")
    assert len(_json(flow)["items"]) == 1
    assert flow.response.headers[answers.MASKED] == "EMAIL_ADDRESS=1"


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [(b"name\nb\n", {"Content-Type": "text/plain"}, 200), (_list(_pod("b", "b")), {}, 200), (b"{}", JSON, 200),
     (_list(_pod("b", "b"))[:-1], JSON, 200), (_list(_pod("b", "b")), JSON, 206), (_list(_pod("b", "b")), JSON, 404),
     (b"k8s\x00b", {"Content-Type": "application/vnd.kubernetes.protobuf"}, 200), (b"b" * 5_000, JSON, 200), (b"", JSON, 200),
     (b"b", JSON | {"Content-Encoding": "zstd"}, 200), (b"b", {"Content-Type": "text/plain"}, 403)],
    ids=["text", "no type", "no list", "cut", "part", "no status", "protobuf", "large", "empty", "coding", "failed text"],
)  # fmt: skip
async def test_what_cannot_be_filtered_is_withheld(
    redact: Redact, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Whatever the rule says of what cannot be masked."""
    flow = await _answered(redact, body, status=status, headers=headers)
    assert _code(redact, flow) is Code.UNMASKABLE
    assert b'"b"' not in (flow.response.raw_content or b"") if flow.response else False


async def test_failures_pass(redact: Redact) -> None:
    """Those that say nothing of an object; the token to go on with an expired list is sealed."""
    flow = await _answered(redact, _status(403), status=403)
    assert _json(flow)["code"] == 403
    flow = await _answered(redact, _status(410, **{"continue": "clear"}), status=410)
    assert _json(flow)["metadata"]["continue"] not in ("", "clear")


async def _got(redact: Redact, body: bytes, status: int = 200) -> tuple[http.HTTPFlow, Any]:
    flow = await _answered(redact, body, url=POD, status=status, headers=JSON | {"Audit-Id": "x"})
    answer = _json(flow)
    call_id = redact.runtime.call(flow).id
    return flow, json.loads(json.dumps(answer).replace(call_id, "ID"))


async def test_a_hidden_object_is_one_that_no_rule_opens(redact: Redact) -> None:
    """Hidden, missing, gone: the same answer, word for word and header for header, as without any rule."""
    table = {"kind": "Table", "rows": [{"cells": ["a"], "object": _pod("a", "b")}]}
    hidden = [
        (_pod("a", "b"), 200),
        (table, 200),
        ({"kind": "Pod"}, 200),
        (json.loads(_status(404)), 404),
        (None, 404),
        (1, 410),
    ]
    unopened = make_flow(make_request(POD))
    call = redact.runtime.ledger.open(unopened)
    call.target = redact.runtime.gateway.registry.named("main")
    decision = redact.runtime.gateway.ruling.engine.default_deny()
    from addons.decide import denial

    redact.runtime.refuse(unopened, denial(decision, None))
    expected = json.loads(json.dumps(_json(unopened)).replace(call.id, "ID"))
    assert unopened.response is not None
    for body, status in hidden:
        flow, answer = await _got(redact, b"" if body is None else json.dumps(body).encode(), status)
        assert answer == expected
        assert flow.response is not None
        assert flow.response.status_code == 403
        assert sorted(flow.response.headers.keys()) == sorted(unopened.response.headers.keys())
        assert _code(redact, flow) is Code.DEFAULT_DENY


async def test_a_visible_object_is_shown(redact: Redact) -> None:
    """As it came, also as a Table."""
    _, answer = await _got(redact, json.dumps(_pod("a")).encode())
    assert answer == _pod("a")
    table = {"kind": "Table", "rows": [{"cells": ["a"], "object": _pod("a")}]}
    assert (await _got(redact, json.dumps(table).encode()))[1] == table


async def _injected(runtime: Runtime, request: http.Request, **more: Any) -> tuple[http.HTTPFlow, Call]:
    flow = make_flow(request)
    call = judged(runtime, flow, target="main", **({"filter": TEAM_A} | more))
    call.stamps.remove(Stage.INJECT)
    await Inject(runtime).request(flow)
    return flow, call


async def test_pages_of_a_list(runtime: Runtime, redact: Redact) -> None:
    """What the server gave as a token arrives there again, and is nothing to the agent."""
    flow = await _answered(
        redact, _list(_pod("a"), **{"continue": "clear/token", "remainingItemCount": 9}), url=f"{PODS}?limit=1"
    )
    metadata = _json(flow)["metadata"]
    assert metadata.keys() == {"continue"}
    assert "clear" not in metadata["continue"]
    sent, _ = await _injected(runtime, make_request(f"{PODS}?limit=1&continue={metadata['continue']}"))
    assert sent.request.path == "/api/v1/namespaces/prod/pods?limit=1&continue=clear%2Ftoken"
    for other in ("clear", metadata["continue"][:-1]):
        _, call = await _injected(runtime, make_request(f"{PODS}?continue={other}"))
        assert call.refusal is not None
        assert call.refusal.code is Code.MALFORMED
    sent, call = await _injected(runtime, make_request(f"{PODS}?continue=clear"), filter=None)
    assert sent.request.path.endswith("?continue=clear")
    assert call.outgoing_path is None


async def test_tables_name_their_objects(runtime: Runtime) -> None:
    """A row without one could not be judged."""
    sent, _ = await _injected(runtime, make_request(f"{PODS}?includeObject=None&limit=5"))
    assert sent.request.path == "/api/v1/namespaces/prod/pods?includeObject=Metadata&limit=5"


@pytest.mark.parametrize(
    ("accept", "expected"),
    [([], "application/json"), (["*/*"], "application/json"), (["application/yaml"], "application/json"),
     (["application/vnd.kubernetes.protobuf,application/json"], "application/json"),
     (["application/json;as=Table;v=v1;g=meta.k8s.io", "application/json;q=0.5, application/cbor"],
      "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;q=0.5"),
     (["application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"],
      "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1")],
)  # fmt: skip
async def test_json_is_asked_for(runtime: Runtime, accept: list[str], expected: str) -> None:
    """In one header; nothing that would make the answer a part, or none, is asked for."""
    request = make_request(PODS, headers={"Range": "bytes=0-9", "If-None-Match": "x", "Accept-Encoding": "identity"})
    for value in accept:
        request.headers.add("Accept", value)
    sent, _ = await _injected(runtime, request)
    assert sent.request.headers.get_all("accept") == [expected]
    assert sent.request.headers["accept-encoding"] == ACCEPTED
    assert not {"range", "if-none-match"} & {name.lower() for name in sent.request.headers}


async def test_the_existence_of_an_object_cannot_be_asked_for(runtime: Runtime) -> None:
    """HEAD has no object to judge by; a list may be asked for its headers."""
    _, call = await _injected(runtime, make_request(POD, method="HEAD"))
    assert call.refusal is not None
    assert call.refusal.code is Code.DEFAULT_DENY
    _, call = await _injected(runtime, make_request(PODS, method="HEAD"))
    assert call.refusal is None


@pytest.mark.parametrize(("method", "url"), [("POST", PODS), ("DELETE", PODS), ("PATCH", POD), ("GET", "https://kubernetes.corp.example:6443/version")])  # fmt: skip
async def test_only_reads_of_objects_can_be_filtered(runtime: Runtime, method: str, url: str) -> None:
    """Anything else is refused before it is sent."""
    _, call = await _injected(runtime, make_request(url, method=method))
    assert call.refusal is not None
    assert call.refusal.code is Code.GATEWAY_ERROR


async def test_nothing_is_filtered_over_another_protocol(runtime: Runtime) -> None:
    """A watch may be asked for as a WebSocket, whose messages are not read here."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    _, call = await _injected(runtime, make_request(WATCH, headers=headers))
    assert call.refusal is not None
    assert call.refusal.code is Code.MALFORMED


def _event(kind: str, value: Any) -> bytes:
    return json.dumps({"type": kind, "object": value}).encode() + b"\n"


async def _watching(
    redact: Redact, url: str = WATCH, headers: dict[str, str] = JSON, **more: Any
) -> tuple[http.HTTPFlow, Callable[[bytes], Any]]:
    flow = make_flow(make_request(url))
    sealed(redact.runtime, flow, target="main", filter=TEAM_A, **more)
    flow.response = make_response(headers=headers)
    await redact.responseheaders(flow)
    return flow, cast("Callable[[bytes], Any]", flow.response.stream)


async def test_a_watch_is_filtered_as_it_comes(redact: Redact) -> None:
    """Event by event, before it ends; what is kept for the record is what the agent got."""
    flow, stream = await _watching(redact)
    shown = _event("ADDED", _pod("a"))
    assert stream(_event("ADDED", _pod("b", "b"))) == []
    assert stream(shown[:9]) == []
    assert stream(shown[9:]) == shown
    assert stream(b"") == []
    assert bytes(redact.runtime.call(flow).kept) == shown


async def test_a_watch_is_decoded_filtered_and_masked(redact: Redact) -> None:
    """In that order."""
    _, stream = await _watching(redact, headers=JSON | {"Content-Encoding": "gzip"}, profiles=("pii",))
    raw = gzip.compress(
        _event("ADDED", _pod("b", "b", note="bob@example.com"))
        + _event("ADDED", _pod("a", note="ada.lovelace@example.com"))
    )
    passed = b"".join(each for each in map(stream, (raw, b"")) if each)
    assert b"@example.com" not in passed
    assert json.loads(passed)["object"]["metadata"]["name"] == "a"


async def test_a_watch_knows_what_was_listed(redact: Redact) -> None:
    """An object that was listed and is hidden now is deleted; another session was shown nothing."""
    await _answered(redact, _list(_pod("a"), _pod("b", "b")))
    hidden = _event("MODIFIED", _pod("a", "b", 9)) + _event("MODIFIED", _pod("b", "b", 9))
    _, stream = await _watching(redact)
    told = json.loads(stream(hidden))
    assert told["type"] == "DELETED"
    assert "labels" not in told["object"]["metadata"]
    for fresh in (
        f"{PODS}?watch=1&sendInitialEvents=true&resourceVersion=5",
        f"{PODS}?watch=1",
        "https://kubernetes.corp.example:6443/api/v1/pods?watch=1&resourceVersion=5",
    ):
        _, stream = await _watching(redact, fresh)
        assert stream(hidden) == []


async def test_what_is_no_event_aborts(redact: Redact) -> None:
    """An exception, which ends the stream for both sides."""
    _, stream = await _watching(redact)
    with pytest.raises(Unmaskable):
        stream(b'{"kind":"Pod"}\n')


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/vnd.kubernetes.protobuf;stream=watch"])
async def test_a_watch_of_another_type_does_not_begin(redact: Redact, content_type: str) -> None:
    """It is known before its first byte."""
    with pytest.raises(Unmaskable):
        await _watching(redact, headers={"Content-Type": content_type} if content_type else {})


async def test_only_watches_are_streamed(runtime: Runtime) -> None:
    """Whatever the answer says of itself; an error of a watch is one object."""
    events = {"Content-Type": "text/event-stream", "Content-Length": "999999999"}
    for url, status, expected in (
        (WATCH, 200, True),
        (WATCH, 410, False),
        (PODS, 200, False),
        (f"{POD}/log?follow=true", 200, False),
    ):
        call = sealed(runtime, make_flow(make_request(url)), target="main", filter=TEAM_A)
        response = make_response(headers=events)
        response.status_code = status
        assert is_stream(call, response, runtime.gateway.ruling.masking) is expected
