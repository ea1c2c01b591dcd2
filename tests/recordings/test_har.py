"""Law: an export is HAR 1.2, says nothing that the record does not, and is read back by mitmproxy as the same calls."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mitmproxy import http
from mitmproxy.io import FlowReader
from mitmproxy.test import tflow, tutils

from recordings.har import har

SCHEMA = Draft202012Validator(json.loads(Path(__file__).with_name("har.schema.json").read_text()))


def exported(*flows: http.HTTPFlow) -> dict[str, Any]:
    """The document, which the schema takes and whose bytes are ASCII."""
    text = "".join(har(flows))
    assert text.isascii()
    document: dict[str, Any] = json.loads(text)
    SCHEMA.validate(document)
    return document


def flow(*, request: bytes = b"", response: bytes | None = b"", **fields: Any) -> http.HTTPFlow:
    """One call."""
    headers = http.Headers(((b"content-type", b"application/json"),))
    answer = None if response is None else tutils.tresp(content=response, headers=headers)
    made = tflow.tflow(req=tutils.treq(content=request, headers=headers, **fields), resp=answer or False)
    made.metadata = {"gatehold": {"decision": "d-1", "rule": "r-1", "input": "{}"}}
    made.comment = "allow r-1 (agent a1)"
    return made


def test_the_words_of_the_decision_stand_beside_each_entry() -> None:
    """Without the input of the decision, which is for other tools."""
    [entry] = exported(flow())["log"]["entries"]
    assert entry["_gatehold"] == {"decision": "d-1", "rule": "r-1"}
    assert entry["comment"] == "allow r-1 (agent a1)"


def test_no_flow_is_an_empty_log() -> None:
    """Still a whole document."""
    assert exported()["log"]["entries"] == []


def test_a_call_without_an_answer() -> None:
    """Has status 0, and says how it broke off."""
    broken = flow(response=None)
    broken.error = tflow.terr("the client left")
    [entry] = exported(broken)["log"]["entries"]
    assert (entry["response"]["status"], entry["response"]["_error"]) == (0, "the client left")


def test_bodies_of_every_method_are_kept() -> None:
    """Kubernetes clients send bodies with DELETE."""
    [entry] = exported(flow(request=b"{}", method=b"DELETE"))["log"]["entries"]
    assert entry["request"]["postData"]["text"] == "{}"


def test_messages_of_a_web_socket_are_kept() -> None:
    """Text as text, bytes as base64."""
    spoken = tflow.twebsocketflow()
    [entry] = exported(spoken)["log"]["entries"]
    assert [each["data"] for each in entry["_webSocketMessages"]] == ["aGVsbG8gYmluYXJ5", "hello text", "it's me"]


@given(
    request=st.binary(max_size=40),
    response=st.binary(max_size=40),
    status=st.sampled_from([200, 204, 403, 599]),
    path=st.from_regex(rb"/[!-~]{0,20}", fullmatch=True).filter(lambda path: b"#" not in path),
)
def test_stock_mitmproxy_reads_it_back(request: bytes, response: bytes, status: int, path: bytes) -> None:
    """The same method, URL (as it reads any), status and bodies; bytes that are no text are base64, marked so."""
    made = flow(request=request, response=response, path=path, method=b"POST")
    assert made.response
    made.response.status_code = status
    document = exported(made)
    [read] = FlowReader(BytesIO(json.dumps(document).encode())).stream()
    assert isinstance(read, http.HTTPFlow)
    assert read.response
    url = made.request.pretty_url
    assert document["log"]["entries"][0]["request"]["url"] == url
    assert (read.request.method, read.request.url) == ("POST", http.Request.make("POST", url).url)
    assert (read.response.status_code, read.response.raw_content) == (status, response)
    marked = document["log"]["entries"][0]["request"].get("postData", {}).get("_encoding")
    assert marked == "base64" or read.request.raw_content == request


@pytest.mark.parametrize("name", ["send", "wait", "receive"])
def test_clocks_that_were_set_back(name: str) -> None:
    """Make no negative time."""
    made = flow()
    made.request.timestamp_start = made.request.timestamp_end = 2.0e9
    assert made.response
    made.response.timestamp_start, made.response.timestamp_end = 2.0e9 - 10, 2.0e9 - 20
    [entry] = exported(made)["log"]["entries"]
    assert entry["timings"][name] >= 0


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (b"/", ((b"content-encoding", b"rot13"),)),
        (b"/", ((b"content-type", b"multipart/form-data"), (b"host", b"[::"))),
        (b"[x]", ()),
        (b"//[::1", ((b"cookie", b"\xff=\x00"),)),
    ],
)
def test_no_agent_can_keep_a_session_from_being_exported(path: bytes, headers: tuple[tuple[bytes, bytes], ...]) -> None:
    """By what the library cannot take to pieces: the entry has it as it came."""
    odd = flow(request=b"a=b", method=b"POST", path=path)
    odd.request.headers = http.Headers(headers)
    first, second = exported(odd, flow(request=b"x"))["log"]["entries"]
    assert first["request"]["postData"]["text"] == "a=b"
    assert [each["name"] for each in first["request"]["headers"]] == [name.decode() for name, _ in headers]
    assert first["request"]["url"] == odd.request.url
    assert second["request"]["postData"]["text"] == "x"


def test_the_address_is_the_one_that_was_called() -> None:
    """And not what the agent wrote into Host."""
    forged = flow()
    forged.request.headers["host"] = "elsewhere.example"
    [entry] = exported(forged)["log"]["entries"]
    assert entry["request"]["url"] == "http://address:22/path"
