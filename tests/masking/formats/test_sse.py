"""Server-sent events: the data of an event is one text, however many lines it has."""

from collections.abc import Callable

import pytest

from masking.edits import apply, merge
from masking.errors import Unmaskable
from masking.formats.json_document import JsonMasker
from masking.formats.sse import sse_edits
from masking.formats.text import TextMasker
from masking.plan import Plan


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("pii", "secrets")


def masked(plan: Plan, text: str) -> str:
    objects = JsonMasker(plan)
    return apply(text, merge(sse_edits(text, TextMasker(plan, objects), objects)))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("data: a@example.com\n\n", "data: <EMAIL_ADDRESS>\n\n"),
        ("data:a@example.com\r\rdata:  b@example.com", "data:<EMAIL_ADDRESS>\r\rdata:  <EMAIL_ADDRESS>"),
        ('data: {"token":\ndata: "t"}\n\n', 'data: {"token":\ndata: "<SECRET>"}\n\n'),
        (
            'data: {"token":"t"}\nevent: x\nid: a@example.com\n\n',
            'data: {"token":"<SECRET>"}\nevent: x\nid: <EMAIL_ADDRESS>\n\n',
        ),
        ("data: [DONE]\n\n: a@example.com\n\n", "data: [DONE]\n\n: <EMAIL_ADDRESS>\n\n"),
        ('data: "a\\u0040example.com"\n\n', 'data: "<EMAIL_ADDRESS>"\n\n'),
        ("data: call\ndata: 212-555-5555\n\n", "data: call\ndata: <PHONE_NUMBER>\n\n"),
        ("data\ndatabase: x\n\n", "data\ndatabase: x\n\n"),
        ("retry: 10\n\n", "retry: 10\n\n"),
    ],
)
def test_events(plan: Plan, text: str, want: str) -> None:
    """What is hidden, and that the framing stays."""
    assert masked(plan, text) == want


def test_a_key_over_several_data_lines_becomes_one(plan: Plan) -> None:
    """The event is still one event with its data."""
    begin, end = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"
    assert masked(plan, f"data: x\ndata: {begin}\ndata: MIIE\ndata: {end}\ndata: y\n\n") == (
        "data: x\ndata: <PRIVATE_KEY>\ndata: y\n\n"
    )


def test_a_name_that_holds_a_value_is_refused(plan: Plan) -> None:
    """As in JSON anywhere else."""
    with pytest.raises(Unmaskable, match="name"):
        masked(plan, 'data: {"a@example.com": 1}\n\n')
