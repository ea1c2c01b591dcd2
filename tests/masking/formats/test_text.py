"""Texts: judged as a whole, and line by line where a line holds JSON."""

from collections.abc import Callable

import pytest

from masking.edits import apply, merge
from masking.formats.json_document import JsonMasker
from masking.formats.text import TextMasker
from masking.plan import Plan


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("pii", "secrets")


def masked(plan: Plan, text: str) -> str:
    return apply(text, merge(TextMasker(plan, JsonMasker(plan)).edits(text)))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("a bob@example.com b", "a <EMAIL_ADDRESS> b"),
        ("name,phone\nMax,212-555-5555\n", "name,phone\nMax,<PHONE_NUMBER>\n"),
        ('12:00 {"session_token":"t"}\nplain', '12:00 {"session_token":"<SECRET>"}\nplain'),
        ('{"a":"x"}\r\n{"password":"h\\u0075nter2"}\r\n', '{"a":"x"}\r\n{"password":"<SECRET>"}\r\n'),
        ('{\n "client_secret": "x"\n}', '{\n "client_secret": "<SECRET>"\n}'),
        ('[INFO] x [1]\n[{"api_key":"k"}]', '[INFO] x [1]\n[{"api_key":"<SECRET>"}]'),
        (')]}\',\n{\n"api_key": "k"}', ')]}\',\n{\n"api_key": "<SECRET>"}'),
        ('while(1);{"ssn":"x"}', 'while(1);{"ssn":"<US_SSN>"}'),
        ('for (;;);\n[{"ssn":"x"}]', 'for (;;);\n[{"ssn":"<US_SSN>"}]'),
        ('/**/app.cb({"ssn":"x",\n"a":1});\n', '/**/app.cb({"ssn":"<US_SSN>",\n"a":1});\n'),
        ('window.state = {"ssn":"x"};', 'window.state = {"ssn":"<US_SSN>"};'),
        ("ssn: 078051120\nname: x", "ssn: <US_SSN>\nname: x"),
        ("{broken bob@example.com", "{broken <EMAIL_ADDRESS>"),
        ('{"bob@example.com":1}', '{"<EMAIL_ADDRESS>":1}'),
        ("/customers?q=bob%40example.com", "/customers?q=<EMAIL_ADDRESS>"),
        ("bob&#64;example.com &amp; co", "<EMAIL_ADDRESS> &amp; co"),
    ],
)
def test_texts(plan: Plan, text: str, want: str) -> None:
    """What is hidden, and that the rest stays."""
    assert masked(plan, text) == want
