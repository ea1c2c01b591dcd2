"""What goes between the event loop and the scribe."""

import json
import marshal
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.test import tflow

from policy.codes import Code
from recordings.events import Call, Event, intent, outcome
from recordings.flow_parts import FlowParts
from recordings.flows import RecordedMessage, flow_parts
from recordings.lines import Entry
from recordings.ocsf import Kind
from recordings.recorder.jobs import Frames, Gap, Job, frame, pack, unpack
from recordings.recorder.limits import RecorderLimits
from recordings.said import Said, said
from recordings.writer import Record, WriterLimits
from tests.recordings.strategies import CALLS, JSON, flows

PLAIN = st.recursive(JSON | st.binary(max_size=8), lambda inner: st.tuples(inner, inner), max_leaves=4)


def sent(job: Job | Gap) -> Job | Gap:
    """What arrives."""
    *bodies, plain = Frames().feed(b"".join(pack(job)))
    return unpack(plain, bodies)


def told(record: Record) -> tuple[Any, ...]:
    """What a record says, but for the numbers of its events."""
    entries = []
    for entry in record.entries:
        data = json.loads(entry.body)
        data["metadata"].pop("uid")
        entries.append((entry.kind, data, entry.decision, entry.session))
    return entries, record.flow, record.session, record.signed


def job_of(*events: Said | Event | Entry, flow: FlowParts | bytes | None = None, **options: Any) -> Job:
    """A job."""
    return Job(number=7, events=events, flow=flow, **options)


def deep() -> dict[str, Any]:
    """More mappings within mappings than anything of ours goes down."""
    value: dict[str, Any] = {}
    for _ in range(100_000):
        value = {"x": value}
    return value


@given(values=st.lists(PLAIN, max_size=5), data=st.data())
def test_frames_are_whole_wherever_they_are_cut(values: list[Any], data: st.DataObject) -> None:
    """Any pieces, empty ones too: the same values in the same order, each as soon as it is whole."""
    raw = b"".join(map(frame, values))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    frames, found = Frames(), list[Any]()
    for start, end in zip([0, *cuts], [*cuts, len(raw)], strict=True):
        found += frames.feed(raw[start:end])
        assert found == values[: len(found)]
    assert found == values


def test_a_value_comes_with_its_last_byte() -> None:
    """Byte by byte: nothing before it is whole, and nothing later than then."""
    values = [None, b"", (1, "two", [3.0, {"four": b"5" * 300}]), {}]
    frames, found = Frames(), list[Any]()
    ends = {sum(len(frame(value)) for value in values[: n + 1]) for n in range(len(values))}
    for place, byte in enumerate(b"".join(map(frame, values)), start=1):
        new = frames.feed(bytes([byte]))
        assert bool(new) == (place in ends)
        found += new
    assert found == values


def test_many_frames_of_one_piece() -> None:
    """And the beginning of another is kept for the next."""
    raw = b"".join(frame(number) for number in range(10_000))
    frames = Frames()
    assert frames.feed(raw + frame("last")[:-1]) == list(range(10_000))
    assert frames.feed(frame("last")[-1:]) == ["last"]


@given(call=CALLS, live=st.none() | flows(), durable=st.booleans(), signed=st.booleans(), session=st.text(max_size=5))
def test_a_job_is_the_same_on_the_other_side(
    call: Call, live: http.HTTPFlow | None, durable: bool, signed: bool, session: str
) -> None:
    """What is written of it there is what would have been written of it here."""
    parts = None if live is None else flow_parts(live, remarks={"code": Code.ALLOWED.value})
    events = said(intent, call, time=1.0), said(outcome, call, time=2.0, status=200)
    job = job_of(*events, flow=parts, session=session, durable=durable, signed=signed)
    again = sent(job)
    assert isinstance(again, Job)
    assert (again.number, again.durable) == (7, durable)
    assert told(again.record()) == told(job.record())


@pytest.mark.parametrize("form", ["said", "event", "entry"])
@pytest.mark.parametrize("flow", [None, b"5:hello}"])
def test_events_go_in_any_form(call: Call, form: str, flow: bytes | None) -> None:
    """Still to be made, made, or encoded; and they arrive in that form."""
    made = outcome(call, time=2.0, status=200)
    forms = {"said": said(outcome, call, time=2.0, status=200), "event": made, "entry": made.entry()}
    again = sent(job_of(forms[form], flow=flow, session="s"))
    assert isinstance(again, Job)
    assert type(again.events[0]) is type(forms[form])
    assert told(again.record()) == told(job_of(forms[form], flow=flow, session="s").record())


def test_a_gap_is_the_same_on_the_other_side() -> None:
    """Number, calls and reason."""
    assert sent(Gap(3, 12, "the recorder's queue is full")) == Gap(3, 12, "the recorder's queue is full")


def test_what_marshal_cannot_take_is_made_here(call: Call) -> None:
    """What only the encoders know: the events and the flow go as bytes, and say the same."""
    made = intent(call, time=1.0)
    events = said(intent, call, time=1.0), Event(kind=made.kind, data={**made.data, "x": Kind.INTENT})
    flow = flow_parts(tflow.tflow(), metadata=MappingProxyType({"a": {"b": 1}}))
    again = sent(job_of(*events, flow=flow, session="s", durable=True))
    assert isinstance(again, Job)
    assert [type(event) for event in again.events] == [Entry, Entry]
    assert (again.flow, again.durable, again.session) == (flow.encoded(), True, "s")
    assert told(again.record()) == told(job_of(*events, flow=flow, session="s").record())


def test_remarks_are_not_lost_with_it(call: Call) -> None:
    """They are made here, too, before the flow is encoded."""
    flow = flow_parts(tflow.tflow(), remarks={"code": Code.ALLOWED, "masked": None})
    again = sent(job_of(said(outcome, call, time=2.0, status=200), flow=flow))
    assert isinstance(again, Job)
    assert isinstance(again.flow, bytes)
    assert b"allow planners-read-dev-pods" in again.flow


@given(call=CALLS)
def test_a_fact_that_marshal_cannot_take_is_told_all_the_same(call: Call) -> None:
    """Whether the call was packed before or not."""
    odd = replace(call, facts={"x": Kind.INTENT})
    job = job_of(said(outcome, odd, time=2.0, status=200), flow=b"5:hello}")
    again = sent(job)
    assert isinstance(again, Job)
    assert told(again.record()) == told(job.record())


@pytest.mark.parametrize("form", ["event", "fact", "word", "metadata"])
@pytest.mark.parametrize("value", [object(), deep()], ids=["object", "deep"])
def test_what_has_no_form_at_all_is_refused(call: Call, form: str, value: Any) -> None:
    """By an error of ``pack`` that the recorder knows, wherever it stands."""
    made = outcome(call, time=2.0, status=200)
    jobs: dict[str, Callable[[], Job]] = {
        "event": lambda: job_of(Event(kind=made.kind, data={**made.data, "x": value})),
        "fact": lambda: job_of(said(outcome, replace(call, facts={"x": value}), time=2.0, status=200)),
        "word": lambda: job_of(said(outcome, call, time=2.0, status=200, approval=value)),
        "metadata": lambda: job_of(made, flow=flow_parts(tflow.tflow(), metadata={"x": value})),
    }
    with pytest.raises((TypeError, ValueError, RecursionError)):
        pack(jobs[form]())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1j])
def test_what_is_no_json_is_found_out_by_whoever_writes(call: Call, value: Any) -> None:
    """It can be sent, not written: the record fails there, by a ``TypeError`` or ``ValueError``."""
    made = outcome(call, time=2.0, status=200)
    again = sent(job_of(Event(kind=made.kind, data={**made.data, "x": value})))
    assert isinstance(again, Job)
    with pytest.raises((TypeError, ValueError)):
        again.record()


def test_text_that_is_not_utf_8_goes_along(call: Call) -> None:
    """Names that an agent chose may hold half a surrogate."""
    job = job_of(said(outcome, replace(call, path="/\udcff"), time=2.0, status=200))
    again = sent(job)
    assert isinstance(again, Job)
    assert told(again.record()) == told(job.record())


@pytest.mark.parametrize("asked", [None, b"", b"a" * 20_000, b"b" * 16_383, b"c" * 16_384])
@pytest.mark.parametrize("answered", [None, b"d" * 100, b"e" * 70_000])
def test_large_bodies_go_by_themselves(call: Call, asked: bytes | None, answered: bytes | None) -> None:
    """They are not copied here, and each comes back into its place, also where its bytes are the same as another's."""
    messages = [RecordedMessage(body=body) for body in (asked, answered)]
    parts = flow_parts(tflow.tflow(resp=True), request=messages[0], response=messages[1])
    job = job_of(said(outcome, call, time=2.0, status=200), flow=parts)
    frames = pack(job)
    for body in (asked, answered):
        assert any(piece is body for piece in frames) == (body is not None and len(body) >= 16_384)
    again = sent(job)
    assert isinstance(again, Job)
    assert again.flow == parts
    assert told(again.record()) == told(job.record())


def test_bodies_are_whole_wherever_they_are_cut(call: Call) -> None:
    """A body comes before its job, as bytes and nothing else, even where it looks like frames."""
    body = b"".join(frame((number, b"x" * 100)) for number in range(200))
    parts = flow_parts(tflow.tflow(), request=RecordedMessage(body=body))
    raw = b"".join(pack(job_of(said(outcome, call, time=2.0, status=200), flow=parts)))
    for size in (1, 3, 1000, len(raw) - 1):
        frames = Frames()
        first, last = [value for start in range(0, len(raw), size) for value in frames.feed(raw[start : start + size])]
        assert first == body
        again = unpack(last, [first])
        assert isinstance(again, Job)
        assert again.flow == parts


def test_limits_go_along() -> None:
    """All of them, those of the writer and the journal too."""
    limits = RecorderLimits(interval=0.5, patience=0.0, writer=WriterLimits(part_size=9))
    assert RecorderLimits.named(marshal.loads(marshal.dumps(limits.plain()))) == limits


def test_flows_do_not_show(call: Call) -> None:
    """Not in the repr of what waits to be written."""
    assert "SECRET" not in repr(job_of(outcome(call, time=2.0, status=200), flow=b"SECRET"))
