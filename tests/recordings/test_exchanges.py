"""Laws of exchanges: what was written is what is read; anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy.test import tflow

from recordings.errors import RecordUnreadable
from recordings.exchanges import exchanges
from recordings.flows import Dialogue, RecordedMessage, Spoken, encode_flow


def test_what_was_kept_is_read() -> None:
    """Lines, header fields and bodies of both sides; credentials were never in it."""
    flow = tflow.tflow(resp=True)
    flow.request.headers["authorization"] = "Bearer x"
    kept = RecordedMessage(
        body=b'{"a": "***"}', headers=((b"content-type", b"application/json"), (b"cookie", b"s=1")), path="/x?y=1"
    )
    [found] = exchanges(encode_flow(flow, request=kept, metadata={}))
    assert found.request.line.startswith("GET /x?y=1 HTTP/")
    assert found.request.body == b'{"a": "***"}'
    assert found.request.content_type == "application/json"
    assert ("cookie", "***") in found.request.headers
    assert found.response is not None
    assert (found.response.line, found.response.body) == ("200 OK", b"message")
    assert (found.error, found.spoken) == ("", ())


def test_a_broken_off_call_and_a_conversation() -> None:
    """Without an answer but with why; messages in order."""
    [found] = exchanges(encode_flow(tflow.tflow(err=True), metadata={}))
    assert (found.response, found.error) == (None, "error")
    said = [
        Spoken(time=1.0, from_client=True, content=b"hi", is_text=True),
        Spoken(time=2.0, from_client=False, content=b"\0"),
    ]
    [found] = exchanges(
        encode_flow(tflow.tflow(resp=True), metadata={}, dialogue=Dialogue(messages=said, close_code=1000))
    )
    assert list(found.spoken) == said


@given(st.binary(max_size=200) | st.just(b"4:true!") | st.just(b"2:{}}"))
def test_anything_else_is_refused_or_empty(record: bytes) -> None:
    """And never raises what nobody expects."""
    try:
        assert exchanges(record) == []
    except RecordUnreadable:
        return


def test_flows_that_are_none_are_refused() -> None:
    """A record that is cut."""
    whole = encode_flow(tflow.tflow(resp=True), metadata={})
    with pytest.raises(RecordUnreadable):
        exchanges(whole[:-5])
