"""One plan at work on every shape of body."""

from collections.abc import Callable

import pytest

from masking.content import Shape, read_content_type
from masking.errors import Unmaskable
from masking.plan import Plan
from masking.worker import Worker

type MakePlan = Callable[..., Plan]


@pytest.mark.parametrize("shape", list(Shape))
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
