"""Law: a flow that went through a pipe as plain values is written as if it had not."""

import marshal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.test import tflow

from policy.codes import Code
from recordings.annotations import annotate
from recordings.events import Call, outcome
from recordings.flow_parts import FlowParts, RequestParts, ResponseParts
from recordings.flows import Dialogue, RecordedMessage, encode_flow, flow_parts
from recordings.recorder.jobs import Job
from recordings.said import said
from tests.recordings.strategies import DIALOGUES, METADATA, RECORDED, flows


def sent(parts: FlowParts) -> FlowParts:
    """What arrives."""
    return FlowParts.named(marshal.loads(marshal.dumps(parts.plain())))


@given(
    live=flows(),
    request=st.none() | RECORDED,
    response=st.none() | RECORDED,
    metadata=METADATA,
    comment=st.text(max_size=20),
    dialogue=st.none() | DIALOGUES,
    part=st.integers(1, 3),
)
def test_the_bytes_are_the_same_on_the_other_side(  # noqa: PLR0917
    live: http.HTTPFlow,
    request: RecordedMessage | None,
    response: RecordedMessage | None,
    metadata: dict[str, Any],
    comment: str,
    dialogue: Dialogue | None,
    part: int,
) -> None:
    """Whatever the flow was: no byte differs, and all parts come back under their names."""
    parts = flow_parts(
        live, request=request, response=response, metadata=metadata, comment=comment, part=part, dialogue=dialogue
    )
    again = sent(parts)
    assert again.encoded() == parts.encoded()
    assert isinstance(again.request, RequestParts)
    assert isinstance(again.response, ResponseParts) == (live.response is not None)
    assert again.plain() == sent(again).plain()


@given(live=flows(), dialogue=st.none() | DIALOGUES)
def test_parts_that_were_picked_do_not_change(live: http.HTTPFlow, dialogue: Dialogue | None) -> None:
    """The flow goes on while its record waits: what is written is what it was."""
    parts = flow_parts(live, dialogue=dialogue)
    before = parts.encoded()
    live.request.path, live.request.headers["x-late"] = "/late", "late"
    live.request.content, live.comment, live.is_replay = b"late", "late", "request"
    live.client_conn.sni = "late.example"
    live.response = http.Response.make(500, b"late")
    if dialogue is not None:
        dialogue.clear()
    assert parts.encoded() == before


def test_remarks_are_made_by_whoever_writes(call: Call) -> None:
    """They are those of ``annotate`` for the call of the last event, in place of the ones that stand there."""
    live = tflow.tflow(resp=True)
    remarks: dict[str, Any] = {"code": Code.ALLOWED, "masked": {"PERSON": 2}, "approval": "a-1", "part": 1}
    note = annotate(call, **remarks)
    made = said(outcome, call, status=200, time=call.time)
    parts = sent(flow_parts(live, remarks=remarks | {"code": Code.ALLOWED.value}))
    record = Job(number=1, events=[made], flow=parts).record()
    assert record.flow == encode_flow(live, metadata=note.metadata, comment=note.comment, marked=note.marked)


def test_remarks_that_were_made_stay(call: Call) -> None:
    """Without anything for ``annotate``, and where the last event is made already."""
    live = tflow.tflow()
    done = encode_flow(live, comment="as it is")
    made = said(outcome, call, status=200, time=call.time)
    assert Job(number=1, events=[made], flow=flow_parts(live, comment="as it is")).record().flow == done
    picked = flow_parts(live, comment="as it is", remarks={"code": Code.ALLOWED})
    assert Job(number=1, events=[made.event()], flow=picked).record().flow == done


@given(live=flows(), secret=st.sets(st.sampled_from([b"x", b"accept"])))
def test_names_to_hide_go_along(live: http.HTTPFlow, secret: set[bytes]) -> None:
    """What a target calls a credential is hidden by the other side, too."""
    live.request.headers["X"] = live.request.headers["accept"] = "SECRET"
    again = sent(flow_parts(live, secret_headers=secret))
    assert (b"SECRET" in again.encoded()) == (len(secret) < 2)


@given(live=flows(), dialogue=st.none() | DIALOGUES)
def test_the_size_tells_about_the_memory(live: http.HTTPFlow, dialogue: Dialogue | None) -> None:
    """Never less than all bodies and messages take, so that a bound on sizes is one on memory."""
    parts = flow_parts(live, dialogue=dialogue)
    bodies = len(live.request.raw_content or b"") + len((live.response and live.response.raw_content) or b"")
    spoken = sum(len(each.content) for each in dialogue.messages) if dialogue else 0
    assert parts.size >= bodies + spoken


def test_what_is_no_json_is_refused_when_it_is_written() -> None:
    """Picking looks at nothing; a ``TypeError`` comes from whoever makes the bytes."""
    parts = flow_parts(tflow.tflow(), metadata={"x": object()})
    with pytest.raises(TypeError, match="a flow cannot hold a object"):
        parts.encoded()
