"""Tables: cells are judged by the name of their column, and the table stays one."""

import contextlib
import csv
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.edits import apply, merge
from masking.errors import Unmaskable
from masking.formats.csv_table import TableMasker
from masking.formats.json_document import JsonMasker
from masking.formats.text import TextMasker
from masking.plan import Plan


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("pii", "pci", "secrets")


def masked(plan: Plan, text: str, *, tabs: bool = False, headless: bool = False) -> str:
    table = TableMasker(plan, TextMasker(plan, JsonMasker(plan)))
    return apply(text, merge(table.edits(text, tabs=tabs, headless=headless)))


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("name,email,phone\nJane,jane@example.com,212-555-5555\n", "name,email,phone\nJane,<EMAIL_ADDRESS>,<PHONE_NUMBER>\n"),
        ("id,order,phone\n1,212-555-5555,212-555-5556\n", "id,order,phone\n1,212-555-5555,<PHONE_NUMBER>\n"),
        ('id;password\r\n1;"hun""ter;2"\r\n', 'id;password\r\n1;"<SECRET>"\r\n'),
        ("id|ssn\n1|x\n", "id|ssn\n1|<US_SSN>\n"),
        ('id,note\n1,"a ""b""\nbob@example.com"\n', 'id,note\n1,"a ""b""\n<EMAIL_ADDRESS>"\n'),
        ("1,bob@example.com\n2,max@example.com", "1,<EMAIL_ADDRESS>\n2,<EMAIL_ADDRESS>"),
        ("sep=;\na;password\n1;x", "sep=;\na;password\n1;<SECRET>"),
        ("user.ssn,user.name\n1,2\n", "user.ssn,user.name\n<US_SSN>,2\n"),
        ("a,password\n1,2,hunter2\nhunter3\n", "a,password\n1,<SECRET>,<SECRET>\n<SECRET>\n"),
        ('id,data\n1,"{""ssn"":""x"",""e"":""a@example.com""}"\n', 'id,data\n1,"{""ssn"":""<US_SSN>"",""e"":""<EMAIL_ADDRESS>""}"\n'),
        ("password\nx\n<SECRET>\n\n", "password\n<SECRET>\n<SECRET>\n\n"),
        ("a, ssn\n1, 2\n", "a, ssn\n1, <US_SSN>\n"),
        ("name,ssn,2023,2024\nx,1,2,3\n", "name,ssn,2023,2024\nx,<US_SSN>,2,3\n"),
        ("bob@example.com,ssn,x=@{\nx,1,2\n", "<EMAIL_ADDRESS>,ssn,x=@{\nx,<US_SSN>,2\n"),
        ("All of them\n\nname,ssn\nx,1\n", "All of them\n\nname,ssn\nx,<US_SSN>\n"),
        ("1,2\nname,ssn\nx,1\n", "1,2\nname,ssn\nx,<US_SSN>\n"),
        ("", ""), ("\n", "\n"), ("a", "a"), ("a,b\n", "a,b\n"),
    ],
)  # fmt: skip
def test_tables(plan: Plan, text: str, want: str) -> None:
    """What is hidden, and that the rest stays; once is enough."""
    assert masked(plan, text) == want
    assert masked(plan, want) == want


def test_tabs_and_headless_tables(plan: Plan) -> None:
    """The content type says what parts the cells, and whether the columns have names."""
    assert masked(plan, "a,b\tssn\n1,2\t3", tabs=True) == "a,b\tssn\n1,2\t<US_SSN>"
    assert masked(plan, "a,ssn\n1,3", headless=True) == "a,ssn\n1,3"


def test_a_key_over_many_records_leaves_no_line(plan: Plan) -> None:
    """A value that reaches over cells is hidden in each of them, and the cells stay."""
    lines = "".join(f"{'MIIE' * 16},x\n" for _ in range(3))
    begin, end = "-----BEGIN PRIVATE " + "KEY-----", "-----END PRIVATE " + "KEY-----"
    hidden = masked(plan, f"log,n\n{begin},1\n{lines}{end},2\n")
    assert "MIIE" not in hidden
    assert [len(row) for row in csv.reader(io.StringIO(hidden))] == [2] * 6


@pytest.mark.parametrize("text", ['a,"b\n', 'a,b\n1,"2" x\n', '"a"b,c\n'])
def test_quotes_that_do_not_match_are_refused(plan: Plan, text: str) -> None:
    """Readers part such a table differently."""
    with pytest.raises(Unmaskable, match="quoted"):
        masked(plan, text)


CELLS = st.sampled_from(
    ["bob@example.com", "hunter2", "x", "", 'a "b"', "1;2", "3,4", "a\nb", "<SECRET>", "{", '{"ssn":"y"}', " ", "é"]
)


@given(
    st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=4),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_a_table_stays_a_table(plan: Plan, rows: list[list[str]], delimiter: str, quoting: int) -> None:
    """Every reader sees the same cells, but for what is hidden; masking twice changes nothing."""
    written = io.StringIO()
    csv.writer(written, delimiter=delimiter, quoting=quoting).writerows([["id", "password", "note"], *rows])  # type: ignore[arg-type]
    once = masked(plan, written.getvalue(), tabs=delimiter == "\t")
    assert masked(plan, once, tabs=delimiter == "\t") == once
    table = list(csv.reader(io.StringIO(once), delimiter=delimiter))[1:]
    assert [len(row) for row in table] == [len(row) for row in rows]
    for before, after in zip(rows, table, strict=True):
        assert after[1] == ("<SECRET>" if before[1].strip() else before[1]) or after[1].strip() == "<SECRET>"
        assert "bob@" not in "".join(after)


@given(st.text(alphabet='a,;\t|"\n\r ssn:=1{}', max_size=40))
def test_any_text_is_masked_or_refused(plan: Plan, text: str) -> None:
    """No other exception."""
    with contextlib.suppress(Unmaskable):
        masked(plan, text)
