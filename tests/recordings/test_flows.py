"""Flows as mitmproxy reads them."""

import copy
import io
import json
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import flow, http, version
from mitmproxy.coretypes.serializable import SerializableDataclass
from mitmproxy.io import FlowReader, tnetstring
from mitmproxy.test import tflow, tutils

from recordings.flow_parts import CREDENTIAL_HEADERS, HIDDEN, scrub
from recordings.flows import Dialogue, RecordedMessage, dialogues, encode_flow
from recordings.netstrings import dump
from tests.recordings.strategies import DIALOGUES, METADATA, RECORDED, flows


def read(data: bytes) -> list[flow.Flow]:
    """What stock mitmproxy reads."""
    return list(FlowReader(io.BytesIO(data)).stream())


def redacted_message(message: http.Message, recorded: RecordedMessage | None) -> None:
    """What the encoder is to do, done in the slow way."""
    if recorded is not None:
        message.raw_content = recorded.body
        if recorded.headers is not None:
            message.headers = http.Headers(recorded.headers)
        if recorded.path is not None and isinstance(message, http.Request):
            message.data.path = recorded.path.encode("utf-8", "surrogateescape")
    message.headers = http.Headers(scrub(message.headers.fields))
    message.trailers = None


def redacted_state(
    live: http.HTTPFlow, request: RecordedMessage | None, response: RecordedMessage | None, **notes: Any
) -> Any:
    """The state of a copy of the flow that was redacted by hand."""
    bare = http.HTTPFlow(copy.copy(live.client_conn), copy.copy(live.server_conn))
    bare.request = http.Request.from_state(live.request.get_state())
    bare.response = live.response and http.Response.from_state(live.response.get_state())
    bare.id, bare.error, bare.is_replay = live.id, live.error, live.is_replay
    bare.timestamp_created = live.timestamp_created
    bare.client_conn.mitmcert, bare.client_conn.certificate_list = None, ()
    bare.server_conn.certificate_list = ()
    bare.metadata, bare.comment, bare.marked = notes["metadata"], notes["comment"], notes["marked"]
    redacted_message(bare.request, request)
    if bare.response is not None:
        redacted_message(bare.response, response)
    return bare.get_state()


@given(flows(), st.none() | RECORDED, st.none() | RECORDED, METADATA, st.text(max_size=20))
def test_the_stock_reader_reads_the_redacted_flow(
    live: http.HTTPFlow,
    request: RecordedMessage | None,
    response: RecordedMessage | None,
    metadata: dict[str, Any],
    comment: str,
) -> None:
    """What is read back is the state of the redacted flow, and the live flow is as it was."""
    before = {name: copy.copy(value) for name, value in vars(live).items()}
    request_state = live.request.get_state()
    notes: dict[str, Any] = {"metadata": metadata, "comment": comment, "marked": ":lock:"}
    record = encode_flow(live, request=request, response=response, **notes)
    [found] = read(record)
    [expected] = read(tnetstring.dumps(redacted_state(live, request, response, **notes)))
    assert found.get_state() == expected.get_state()
    assert live.request.get_state() == request_state
    assert vars(live).keys() == before.keys()
    assert live.comment == "old"
    assert b"PASSWORD" not in record


@given(st.recursive(METADATA | st.lists(METADATA, max_size=2), lambda inner: st.lists(inner, max_size=2), max_leaves=5))
def test_the_encoder_writes_what_mitmproxy_writes(value: Any) -> None:
    """Byte for byte but for the order of keys: it reads back the same."""
    assert tnetstring.loads(dump(value)) == tnetstring.loads(tnetstring.dumps(value))
    assert len(dump(value)) == len(tnetstring.dumps(value))


def test_a_flow_file_is_flows_behind_each_other() -> None:
    """Records are appended without anything between them."""
    live = [tflow.tflow(resp=True) for _ in range(3)]
    assert [f.id for f in read(b"".join(encode_flow(f, metadata={}) for f in live))] == [f.id for f in live]


@pytest.mark.parametrize("name", sorted(CREDENTIAL_HEADERS))
def test_credentials_are_hidden(name: bytes) -> None:
    """In request and response, live or given, in any spelling."""
    spelled = name.title().replace(b"-", b"_")
    live = tflow.tflow(
        req=tutils.treq(headers=((name, b"SECRET"),)), resp=tutils.tresp(headers=((spelled, b"SECRET"),))
    )
    given_headers = RecordedMessage(body=b"", headers=((spelled, b"SECRET"), (b"accept", b"*/*")))
    for record in (
        encode_flow(live, metadata={}),
        encode_flow(live, request=given_headers, response=given_headers, metadata={}),
    ):
        assert b"SECRET" not in record
        assert HIDDEN in record


def test_credentials_under_names_of_the_caller() -> None:
    """A target's own credential header is hidden too."""
    live = tflow.tflow(req=tutils.treq(headers=((b"X-Crm-Pass", b"SECRET"),)), resp=True)
    assert b"SECRET" in encode_flow(live, metadata={})
    assert b"SECRET" not in encode_flow(live, metadata={}, secret_headers={b"x-crm-pass"})


def test_a_bearer_subprotocol_loses_its_token_only() -> None:
    """The other protocols stay, a replay needs them."""
    value = b"base64url.bearer.authorization.k8s.io.U0VDUkVU, v5.channel.k8s.io"
    assert scrub(((b"Sec-WebSocket-Protocol", value),)) == [
        (b"Sec-WebSocket-Protocol", b"base64url.bearer.authorization.k8s.io.***, v5.channel.k8s.io")
    ]


def test_the_live_path_is_gone_where_another_is_given() -> None:
    """Not even behind the new one."""
    live = tflow.tflow(req=tutils.treq(path=b"/search?q=SECRET"))
    record = encode_flow(live, request=RecordedMessage(body=b"", path="/search?q=***"), metadata={})
    assert b"SECRET" not in record
    [found] = read(record)
    assert isinstance(found, http.HTTPFlow)
    assert found.request.path == "/search?q=***"


def test_a_decoded_body_is_not_called_encoded() -> None:
    """Content-Encoding goes, Content-Length is true: mitmweb shows the body."""
    headers = http.Headers(((b"content-encoding", b"gzip"), (b"Content-Length", b"9999")))
    live = tflow.tflow(resp=tutils.tresp(headers=headers, content=b"\x1f\x8b"))
    [found] = read(encode_flow(live, response=RecordedMessage(body=b"masked", decoded=True), metadata={}))
    assert isinstance(found, http.HTTPFlow)
    assert found.response is not None
    assert found.response.content == b"masked"
    assert dict(found.response.headers) == {"Content-Length": "6"}


def test_a_connection_that_changed_is_encoded_anew() -> None:
    """What is kept of a connection's state is dropped with the first change."""
    live = tflow.tflow(resp=True)
    for sni in ("a.example", "b.example"):
        live.client_conn.sni = sni
        live.server_conn.timestamp_end = 12.5 if sni == "b.example" else None
        [found] = read(encode_flow(live, metadata={}))
        assert found.client_conn.sni == sni
        assert found.server_conn.timestamp_end == live.server_conn.timestamp_end


def test_parts_of_a_stream_are_flows_of_their_own() -> None:
    """mitmweb shows one flow per id: the first part has the flow's, the others their own, always the same."""
    live = tflow.tflow(resp=True)
    ids = [read(encode_flow(live, metadata={}, part=part))[0].id for part in (1, 2, 3, 3)]
    assert ids[0] == live.id
    assert len(set(ids)) == 3
    assert ids[2] == ids[3]


def test_hostile_names_do_not_stop_the_record() -> None:
    """Text that is not UTF-8 is escaped."""
    [found] = read(encode_flow(tflow.tflow(), metadata={"agent": "\udcff"}, comment="x\ud800"))
    assert found.metadata == {"agent": "\\udcff"}
    assert found.comment == "x\\ud800"


def test_metadata_that_is_no_json_is_refused() -> None:
    """An object has no place in a file."""
    with pytest.raises(TypeError, match="a flow cannot hold a object"):
        encode_flow(tflow.tflow(), metadata={"x": object()})


def test_the_format_is_the_one_we_know() -> None:
    """A new format version, or a new field of a flow or a message, needs a look at the encoder."""
    assert version.FLOW_FORMAT_VERSION == 21
    state = tflow.tflow(resp=True).get_state()
    record: Any = tnetstring.loads(encode_flow(tflow.tflow(resp=True), metadata={}))
    assert record.keys() == state.keys()
    assert {f.name for f in fields(http.RequestData)} == record["request"].keys()
    assert {f.name for f in fields(http.ResponseData)} == record["response"].keys()
    assert issubclass(type(tflow.tclient_conn()), SerializableDataclass)


def test_stock_mitmdump_reads_a_file(tmp_path: Path) -> None:
    """``mitmdump -nr FILE`` lists the flows, finds them by metadata and comment, and exports HAR."""
    path, har = tmp_path / "session.flow", tmp_path / "out.har"
    live = tflow.tflow(req=tutils.treq(path=b"/pods"), resp=True)
    path.write_bytes(encode_flow(live, metadata={"gatehold": {"rule": "r-7"}}, comment="allow r-7 (agent a1)"))
    command = [str(Path(sys.executable).with_name("mitmdump")), "-nr", str(path), "--set", f"confdir={tmp_path}"]
    command += ["--set", f"hardump={har}", "~meta r-7 & ~comment a1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "/pods" in done.stdout
    assert len(json.loads(har.read_text())["log"]["entries"]) == 1


@given(flows(), DIALOGUES)
def test_a_dialogue_is_read_by_stock_tools_and_by_us(live: http.HTTPFlow, dialogue: Dialogue) -> None:
    """Its messages are those that were handed over; what the live flow holds is not there."""
    raw = encode_flow(live, metadata={}, dialogue=dialogue)
    (stock,) = read(raw)
    assert isinstance(stock, http.HTTPFlow)
    assert stock.websocket is not None
    said = [(each.timestamp, each.from_client, each.content) for each in stock.websocket.messages]
    assert said == [(each.time, each.from_client, each.content) for each in dialogue.messages]
    assert dialogues(raw) == [dialogue]


def test_a_flow_without_a_dialogue_has_none() -> None:
    """Whatever stands in the live flow."""
    live = tflow.twebsocketflow()
    assert not dialogues(encode_flow(live, metadata={}))
