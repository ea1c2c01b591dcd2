"""Lines of the journal."""

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.lines import (
    GENESIS,
    Entry,
    FlowRef,
    Line,
    canonical,
    canonical_bytes,
    compose,
    could_be_torn,
    parse,
)

TEXT = st.text(max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.dictionaries(
    TEXT | st.sampled_from(["flow", "kind", "prev", "seq", "time", "xsum"]),
    JSON | st.just({"file": "x", "length": 1, "offset": 2, "sha256": "0" * 64}),
    max_size=4,
)
FLOWS = st.builds(
    FlowRef,
    file=TEXT,
    length=st.integers(0, 10**9),
    offset=st.integers(0, 10**12),
    sha256=st.binary(max_size=4).map(lambda data: sha256(data).hexdigest()),
)
ENTRIES = st.builds(
    lambda event, decision, session, flow: Entry(
        kind="outcome", body=canonical(event).encode(), decision=decision, session=session, flow=flow
    ),
    EVENTS,
    TEXT,
    TEXT,
    st.none() | FLOWS,
)


@given(st.dictionaries(TEXT, JSON | st.text('a\\/"\n\x1f\x7fé\ud800', max_size=4), max_size=4))
def test_the_quick_way_is_the_canonical_one(value: dict[str, object]) -> None:
    """Byte by byte, whatever is in it."""
    assert canonical_bytes(value) == canonical(value).encode()


@given(st.dictionaries(TEXT, st.floats(allow_nan=False, allow_infinity=False), max_size=4))
def test_a_float_keeps_its_value(value: dict[str, float]) -> None:
    """Its form may be another one."""
    assert json.loads(canonical_bytes(value)) == value


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), object(), {1: object()}])
def test_what_is_not_json_is_refused(value: object) -> None:
    """Also where the quick encoder would find a form for it."""
    with pytest.raises((TypeError, ValueError)):
        canonical_bytes({"a": value})


def written(entry: Entry) -> bytes:
    """The entry as the first line of a chain."""
    return compose(entry, chain="c1", seq=1, prev=GENESIS, time=1234)[0]


@given(ENTRIES)
def test_a_line_is_canonical_json(entry: Entry) -> None:
    """What is written is what the canonical encoder would write for the same object, and one line."""
    line = written(entry)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert canonical(json.loads(line)).encode() == line[:-1]


@given(ENTRIES)
def test_a_line_is_read_back_as_it_was_written(entry: Entry) -> None:
    """No content of an event, a name or a session can imitate the fields around it."""
    line, digest = compose(entry, chain="c1", seq=7, prev="ab" * 32, time=1234)
    assert digest == sha256(line[:-1]).hexdigest()
    assert parse(line[:-1]) == Line(
        chain="c1",
        seq=7,
        prev="ab" * 32,
        kind=entry.kind,
        digest=digest,
        decision=entry.decision,
        session=entry.session,
        flow=entry.flow,
        time=1234,
        raw=line[:-1],
    )
    line_read = parse(line[:-1])
    assert line_read is not None
    assert line_read.event() == json.loads(entry.body)


@given(ENTRIES, st.data())
def test_no_byte_of_a_line_can_be_changed(entry: Entry, data: st.DataObject) -> None:
    """A line with another byte in it is no line, whatever comes after it."""
    line = bytearray(written(entry)[:-1])
    at = data.draw(st.integers(0, len(line) - 1))
    line[at] ^= data.draw(st.integers(1, 255))
    assert parse(bytes(line)) is None


@given(st.binary(max_size=200))
def test_anything_else_is_no_line(raw: bytes) -> None:
    """Whatever bytes there are: no line, and no exception."""
    assert parse(raw) is None


@given(ENTRIES, st.data())
def test_the_beginning_of_a_line_could_be_torn(entry: Entry, data: st.DataObject) -> None:
    """What a crash leaves is a beginning; a whole line with something else behind it is not."""
    line = written(entry)[:-1]
    assert could_be_torn(line[: data.draw(st.integers(0, len(line)))])
    assert not could_be_torn(line + b"x")
