"""Names in texts: what they call secret is hidden, and prose is left alone."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.edits import apply, merge
from masking.formats.assignments import AssignmentMasker
from masking.plan import Plan


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("kubernetes", "pci", "pii")


def masked(plan: Plan, text: str) -> str:
    return apply(text, merge(AssignmentMasker(plan).edits(text)))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("password: hunter2", "password: <SECRET>"),
        ('  - password: "two words"  # why', '  - password: "<SECRET>"  # why'),
        ("password: 'it''s'", "password: '<SECRET>'"),
        ("password: my secret phrase", "password: <SECRET>"),
        ("db_password=hunter2 # x\r\nuser=a\r\n", "db_password=<SECRET> # x\r\nuser=a\r\n"),
        ("export API_KEY=abc", "export API_KEY=<SECRET>"),
        ("password = hunter2\n[section]", "password = <SECRET>\n[section]"),
        ("Authorization: Basic abc\nSet-Cookie: a=b; Path=/", "Authorization: <SECRET>\nSet-Cookie: <SECRET>"),
        ('user=x ssn=078051120 cvv="123" ok', 'user=x ssn=<US_SSN> cvv="<CARD_VERIFICATION>" ok'),
        ("GET /?a=1&ssn=1&b=2 200", "GET /?a=1&ssn=<US_SSN>&b=2 200"),
        ("password: |\n  one\n  two\nuser: x", "password: |\n  <SECRET>\n  <SECRET>\nuser: x"),
        ("ssn:\n- a\n- b\nname: x", "ssn:\n- <US_SSN>\n- <US_SSN>\nname: x"),
        ("ssn:\n  a: b\n  c:\n    d: e\nz: q", "ssn:\n  a: <US_SSN>\n  c:\n    d: <US_SSN>\nz: q"),
        ('"password": "x",', '"password": "<SECRET>",'),
        ('"password": "a\\"b", "c": "d"}', '"password": "<SECRET>", "c": "d"}'),
        ('  "ssn": 123,\n  "cvv": 456}', '  "ssn": 100,\n  "cvv": 100}'),
        ("- name: DB_PASSWORD\n  value: x\n- name: A\n  value: y", "- name: DB_PASSWORD\n  value: <SECRET>\n- name: A\n  value: y"),
    ],
)  # fmt: skip
def test_values_are_hidden_by_their_names(plan: Plan, text: str, want: str) -> None:
    """YAML, INI and environment files, headers, logs; once is enough."""
    assert masked(plan, text) == want
    assert masked(plan, want) == want


@pytest.mark.parametrize(
    "text",
    ["password: is required for login", "token: null", "PWD=/root", "password: ${DB_PASSWORD}", "token = lexer.next()",
     "token = self.token", "token == x", "the password: x", "secretName: db", "secret: <SECRET>", "password:", "token: &anchor",
     "nextPageToken: abc", "tokens: 12", "password: {{ .Values.password }}", "password=$PASSWORD", "time: 12:00 a=b"],
)  # fmt: skip
def test_prose_code_and_placeholders_stay(plan: Plan, text: str) -> None:
    """Precision comes first: texts are read by people as well."""
    assert masked(plan, text) == text


PIECES = st.sampled_from(
    ["password", "ssn", ":", ": ", "=", " ", "\n", "  ", "- ", '"', "'", "|", "x", "hunter2", "<SECRET>", "#", "\r", "name", "value", "é"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join))
def test_masking_twice_changes_nothing(plan: Plan, text: str) -> None:
    """However lines are put together."""
    once = masked(plan, text)
    assert masked(plan, once) == once
