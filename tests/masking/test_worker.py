"""One plan at work on every shape of body."""

import base64
import contextlib
import csv
import html
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from masking.content import Shape, read_content_type
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.plan import Plan
from masking.worker import Worker

type MakePlan = Callable[..., Plan]

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases/masking/formats.yaml").read_text("utf-8"))
ALL = ("kubernetes", "pci", "pii", "secrets")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_golden(engine: MaskingEngine, case: dict[str, Any]) -> None:
    """Each body becomes what stands beside it; masked again it stays as it is."""
    profiles, content_type = tuple(case["profiles"]), case["contentType"]
    masked = engine.mask_body(case["body"].encode(), content_type=content_type, profiles=profiles)
    assert masked.body.decode() == case["want"]
    assert engine.mask_body(masked.body, content_type=content_type, profiles=profiles).body == masked.body


@pytest.mark.parametrize("shape", sorted(set(Shape) - {Shape.MULTIPART}))
def test_every_shape_has_a_reader(make_plan: MakePlan, shape: Shape) -> None:
    """Each finds nothing in nothing much."""
    text = "" if shape is not Shape.JSON else "{}"
    assert Worker(make_plan("pii")).reader(shape)(text) == []


@pytest.mark.parametrize(
    ("header", "shape"),
    [
        ("application/json", Shape.NDJSON),
        ("application/json;stream=watch", Shape.NDJSON),
        ("", Shape.TEXT),
        ("text/event-stream", Shape.SSE),
    ],
)
def test_streams_of_json_are_lines_of_json(make_plan: MakePlan, header: str, shape: Shape) -> None:
    """A watch says application/json, with or without its parameter."""
    assert Worker(make_plan("pii")).stream_shape(read_content_type(header)) is shape


@pytest.mark.parametrize("text", ["[INFO] a@example.com", "{a@example.com", "a@example.com"])
def test_an_undeclared_body_that_is_no_json_is_a_text(make_plan: MakePlan, text: str) -> None:
    """Unless places matter: then what begins like JSON has to be JSON."""
    declared = read_content_type("")
    assert len(Worker(make_plan("pii")).edits(text, declared)) == 1
    if text[0] in "[{":
        with pytest.raises(Unmaskable, match="JSON"):
            Worker(make_plan("pii", "kubernetes")).edits(text, declared)


def test_a_telling_name_hides_a_whole_text(make_plan: MakePlan) -> None:
    """A header's value, for instance."""
    worker = Worker(make_plan("secrets"))
    assert [edit.replacement for edit in worker.text_edits("abc", "set-cookie")] == ["<SECRET>"]
    assert worker.text_edits("abc", "etag") == []


@pytest.mark.parametrize("header", ["text/csv", "text/html", "application/xml", "multipart/mixed; boundary=X"])
def test_these_are_masked_as_a_whole(make_plan: MakePlan, header: str) -> None:
    """They are no streams, and paths lead nowhere in them: an agent could ask for them to get past a path."""
    with pytest.raises(Unmaskable, match="streamed"):
        Worker(make_plan("pii")).stream_shape(read_content_type(header))
    with pytest.raises(Unmaskable, match="path"):
        Worker(make_plan(spec={"paths": [{"path": "$.a"}]})).edits("", read_content_type(header))


@pytest.mark.parametrize(
    ("body", "header"),
    [
        ('{"a": 1}'.encode("utf-16"), "application/json"),
        ('{"a": 1}'.encode("utf-16-le"), "application/json"),
        ("a".encode("utf-32"), "text/plain"),
        ("<a/>".encode("utf-16"), "text/xml"),
        (b"\x89PNG\r\n\x1a\n", "text/plain"),
        (b"%PDF-1.7", "text/csv"),
        (b"<html></html>", "application/json"),
        (b'{"a": 1}', "image/png"),
        (b"+/v8-", "text/html"),
        (b"caf\xe9", "text/csv"),
    ],
)
def test_bodies_that_are_not_what_they_say_are_refused(engine: MaskingEngine, body: bytes, header: str) -> None:
    """Whoever reads them may go by one or by the other."""
    with pytest.raises(Unmaskable):
        engine.mask_body(body, content_type=header, profiles=ALL)


def _table(value: str) -> str:
    written = io.StringIO()
    csv.writer(written).writerows([["id", "note"], [1, value], [2, value]])
    return written.getvalue()


def _parts(value: str) -> str:
    packed = base64.b64encode(value.encode()).decode()
    return (
        f'--X\r\nContent-Disposition: form-data; name="note"\r\n\r\n{value}\r\n--X\r\nContent-Type: application/json\r\n\r\n'
        f"{json.dumps([value])}\r\n--X\r\nContent-Transfer-Encoding: base64\r\n\r\n{packed}\r\n--X--\r\n"
    )


WRITERS: Mapping[str, Callable[[str], str]] = {
    "text/csv": _table,
    "text/html": lambda value: f"<p a='{html.escape(value)}'>{html.escape(value)}<!-- {value.replace('-', '')} --><b>x",
    "application/xml": lambda value: f'<r><n a="{html.escape(value)}"/><c>{html.escape(value)}</c></r>',
    "multipart/form-data; boundary=X": _parts,
    "application/x-www-form-urlencoded": lambda value: f"a={quote_plus(value)}&b={quote_plus(value)}",
    "application/json": lambda value: json.dumps({"a": value, "b": [json.dumps({"c": value})]}),
    "application/x-ndjson": lambda value: json.dumps({"a": value}) + "\n" + json.dumps([value]),
    "text/event-stream": lambda value: f"data: {json.dumps({'a': value})}\n\ndata: x\n\n",
    "text/plain": lambda value: f"{value}\n12:00 {json.dumps({'a': value})}\n",
}
PLANTED = ("bob@example.com", "4111111111111111", "078-05-1123", "ghp_16C7e42F292c6912E7710c838347Ae178B4a")
AROUND = st.text(alphabet="xé <>&;\"',:={}[]|%\n\\", max_size=6).map(lambda text: f"{text} ")


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(WRITERS)), st.sampled_from(PLANTED), AROUND, AROUND)
@example("application/xml", "bob@example.com", "<: ", "> ")
def test_a_planted_value_survives_in_no_format(
    engine: MaskingEngine, header: str, planted: str, before: str, after: str
) -> None:
    """Whatever stands around it; masking twice changes nothing."""
    body = WRITERS[header](f"{before}{planted} {after}").encode()
    masked = engine.mask_body(body, content_type=header, profiles=ALL).body
    assert planted.encode() not in masked
    assert quote_plus(planted).encode() not in masked
    for run in re.findall(rb"[A-Za-z0-9+/]{16,}={0,2}", masked):
        with contextlib.suppress(ValueError):
            assert planted.encode() not in base64.b64decode(run)
    assert engine.mask_body(masked, content_type=header, profiles=ALL).body == masked


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(WRITERS)), st.binary(max_size=80))
def test_bytes_of_any_kind_are_masked_or_refused(engine: MaskingEngine, header: str, body: bytes) -> None:
    """No other exception."""
    with contextlib.suppress(Unmaskable):
        engine.mask_body(body, content_type=header, profiles=ALL)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(WRITERS)), st.sampled_from(PLANTED), st.data())
def test_damaged_documents_are_masked_or_refused(
    engine: MaskingEngine, header: str, planted: str, data: st.DataObject
) -> None:
    """Cut, doubled or garbled anywhere: what comes out of it is final, and raises nothing else."""
    body = bytearray(WRITERS[header](f"a {planted} b").encode())
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    body[start:end] = data.draw(st.sampled_from([b"", b'"', b"<", b"\r\n", b"&", b"--X", bytes(body[start:end]) * 2]))
    with contextlib.suppress(Unmaskable):
        masked = engine.mask_body(bytes(body), content_type=header, profiles=ALL).body
        assert engine.mask_body(masked, content_type=header, profiles=ALL).body == masked
