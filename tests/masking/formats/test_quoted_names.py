"""What is almost JSON hides nothing from key rules, however it is written, and takes one pass."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.edits import apply, merge
from masking.formats.json_document import JsonMasker
from masking.plan import Plan

type MakePlan = Callable[..., Plan]


def masked(plan: Plan, text: str) -> str:
    return apply(text, merge(JsonMasker(plan).edits_within(text)))


@pytest.fixture(scope="module")
def plan(make_plan: MakePlan) -> Plan:
    return make_plan("pii", "pci", "kubernetes")


ALMOST = [
    ('{"ssn": "536904399",}', "536904399"),
    ('{"ssn": "536904399", "n": NaN}', "536904399"),
    ('{"ssn": /* the number */ "536904399"}', "536904399"),
    ('{"a": 1, /* x */ "ssn": "536904399"}', "536904399"),
    ("got {'a': [], 'ssn': '536904399'} back", "536904399"),
    ("{u'ssn': u'536904399', 'b': None}", "536904399"),
    ("got map[a:b ssn:536904399 c:map[password:hunter2x]] back", "536904399"),
    ("got map[a:b ssn:536904399 c:map[password:hunter2x]] back", "hunter2x"),
    (r"{\"a\":\"b\",\"ssn\":\"536904399\"}", "536904399"),
    (r'JSON.parse("{\"ssn\":\"536904399\"}")', "536904399"),
    (r'x = "{\\\"password\\\": \\\"a\\\\\\\"hunter2x\\\"}"', "hunter2x"),
    ('{"ssn" => "536904399"}', "536904399"),
    ('{"\\u0073sn": "536904399",}', "536904399"),
    ("{'ssn': 536904399, 'x': 5}", "536904399"),
    ('{"a": {"password": "it\'s \\"hunter2x\\""},}', "hunter2x"),
    ('{"ssn": "536904399", "password": "hunter2x', "hunter2x"),
]


@pytest.mark.parametrize(("text", "value"), ALMOST)
def test_what_is_almost_json_is_hidden_by_its_names(plan: Plan, text: str, value: str) -> None:
    """In a text by itself and in a string of JSON; once is enough, and names and other values stay."""
    for given_text, found in [
        (text, masked(plan, text)),
        (json.dumps([text]), apply(json.dumps([text]), merge(JsonMasker(plan).edits(json.dumps([text]))))),
    ]:
        assert value in given_text
        assert value not in found
        assert value[1:] not in found
    once = masked(plan, text)
    assert masked(plan, once) == once


def test_only_the_value_is_replaced(plan: Plan) -> None:
    """What stands around it stays as it is written; numbers stay numbers."""
    assert masked(plan, "{'ssn': 536904399, 'b': '5',}") == "{'ssn': 100000000, 'b': '5',}"
    assert masked(plan, r"{\"ssn\":\"5\",\"b\":\"5\"}") == r"{\"ssn\":\"<US_SSN>\",\"b\":\"5\"}"
    assert masked(plan, "map[ssn:5 b:5]") == "map[ssn:<US_SSN> b:5]"


@pytest.mark.parametrize(
    "text",
    ["{'token': self.token}", "{'password': ''}", "{'password': 'is required'}", "{'password': '<SECRET>',}",
     '"password": {"type": "string",}', "map[nextPageToken:abc] x", "{'token': None, 'key': '${TOKEN}'}"],
)  # fmt: skip
def test_code_placeholders_and_schemas_stay(plan: Plan, text: str) -> None:
    """As with assignments."""
    assert masked(plan, text) == text


@given(
    st.lists(
        st.sampled_from(
            [
                "ssn",
                "password",
                '"',
                "'",
                "\\",
                ":",
                "=>",
                " ",
                "{",
                "}",
                "map[",
                "]",
                "5",
                "hunter2x",
                ",",
                "/*x*/",
                "\n",
                "u",
            ]
        ),
        max_size=24,
    ).map("".join)
)
def test_any_text_is_read_to_its_end(plan: Plan, text: str) -> None:
    """Whatever is put together; spans stay in the text."""
    assert all(0 <= edit.start < edit.end <= len(text) for edit in JsonMasker(plan).edits_within(text))


@pytest.mark.parametrize(
    "unit", ['"ssn":\'', "\\", '"', "'ssn': \"\\", '\\"ssn\\":\\"', "map[ssn:", '"a":', "'" * 3 + "ssn"]
)
def test_hostile_texts_take_linear_time(plan: Plan, unit: str) -> None:
    """The test's own timeout is the bound."""
    masked(plan, "ssn " + unit * (200_000 // len(unit)))
