"""Selectors, as the API server parses them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.selectors import MAX_LENGTH, Requirement, Term, exact_name, parse_fields, parse_labels
from policy.model import UNKNOWN


def labels(text: str) -> object:
    parsed = parse_labels(text)
    return parsed if parsed is UNKNOWN else [(r.key, r.operator, sorted(r.values)) for r in parsed]


@pytest.mark.parametrize(
    ("text", "requirements"),
    [
        ("", []),
        ("  ", []),
        ("a", [("a", "exists", [])]),
        ("!a", [("a", "!", [])]),
        ("! a", [("a", "!", [])]),
        ("a=b", [("a", "in", ["b"])]),
        ("a==b", [("a", "in", ["b"])]),
        (" a = b ", [("a", "in", ["b"])]),
        ("a!=b", [("a", "notin", ["b"])]),
        ("a=", [("a", "in", [""])]),
        ("a=,b", [("a", "in", [""]), ("b", "exists", [])]),
        ("a=b,c!=d,!e,f", [("a", "in", ["b"]), ("c", "notin", ["d"]), ("e", "!", []), ("f", "exists", [])]),
        ("a in (b,c)", [("a", "in", ["b", "c"])]),
        ("a notin (b)", [("a", "notin", ["b"])]),
        ("a in ()", [("a", "in", [""])]),
        ("a in (,)", [("a", "in", [""])]),
        ("a in (b,,c)", [("a", "in", ["", "b", "c"])]),
        ("a in (in,notin)", [("a", "in", ["in", "notin"])]),
        ("in in (in)", [("in", "in", ["in"])]),
        ("a>5", [("a", ">", ["5"])]),
        ("a < 5", [("a", "<", ["5"])]),
        ("example.com/a=b", [("example.com/a", "in", ["b"])]),
        ("a_b.c-d=E", [("a_b.c-d", "in", ["E"])]),
    ],
)
def test_label_selectors(text: str, requirements: object) -> None:
    """Every form of the grammar."""
    assert labels(text) == requirements


@pytest.mark.parametrize(
    "text",
    [
        *(
            ",",
            "a,",
            ",a",
            "a,,b",
            "!",
            "!!a",
            "!a=b",
            "a b",
            "a=b c",
            "a=b=c",
            "a=(b)",
            "a in b",
            "a in (b",
            "a in b)",
        ),
        *("a in (b c)", "a in (b)c", "a in", "in (a)", "a notin", "a>b", "a>", "a>=5", "(a)", "a=!", "a===b", "=a"),
        *("/a=b", "A.com/a=b", "a/b/c=d", "-a", "a-=b", "a=-b", "a=b-", "a=b/c", "a=é", "a" * 64, "a=" + "b" * 64),
        *("a.-b/c", "x" * 254 + "/a", "a>-5"),
    ],
)
def test_bad_label_selectors(text: str) -> None:
    """What the server answers 400 for is unknown."""
    assert parse_labels(text) is UNKNOWN


def fields(text: str) -> object:
    parsed = parse_fields(text)
    return parsed if parsed is UNKNOWN else [(t.field, "=" if t.equal else "!=", t.value) for t in parsed]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("", []),
        (",,", []),
        ("a=b", [("a", "=", "b")]),
        ("a==b", [("a", "=", "b")]),
        ("a!=b", [("a", "!=", "b")]),
        ("a=", [("a", "=", "")]),
        ("=b", [("", "=", "b")]),
        ("b=1,a=2", [("a", "=", "2"), ("b", "=", "1")]),
        ("a=b\\,c", [("a", "=", "b,c")]),
        ("a=b\\=c", [("a", "=", "b=c")]),
        ("a=b\\\\", [("a", "=", "b\\")]),
        ("a=b\\\\,c=d", [("a", "=", "b\\"), ("c", "=", "d")]),
        (" a = b ", [(" a ", "=", " b ")]),
        ("a=b!c", [("a", "=", "b!c")]),
        ("a", UNKNOWN),
        ("a=b,c", UNKNOWN),
        ("a=b=c", UNKNOWN),
        ("a=b\\", UNKNOWN),
        ("a=b\\c", UNKNOWN),
        ("a===b", UNKNOWN),
    ],
)
def test_field_selectors(text: str, terms: object) -> None:
    """Terms sorted, values unescaped; what the server answers 400 for is unknown."""
    assert fields(text) == terms


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("metadata.name=a", "a"),
        ("x=y,metadata.name=a", "a"),
        ("metadata.name=b,metadata.name=a", "a"),
        ("metadata.name=a,metadata.name==b", "b"),
        ("metadata.name!=a", ""),
        ("metadata.name=.", ""),
        ("metadata.name=..", ""),
        ("metadata.name=a/b", ""),
        ("metadata.name=a%b", ""),
        ("metadata.namespace=a", ""),
        ("", ""),
    ],
)
def test_exact_name(text: str, name: str) -> None:
    """The server's choice among several terms."""
    terms = parse_fields(text)
    assert terms is not UNKNOWN
    assert exact_name(terms) == name


def test_length_is_bounded() -> None:
    """A selector that only costs time is unknown, as one that does not parse."""
    for parse in (parse_labels, parse_fields):
        assert parse("a=b," * 100 + "a=b") is not UNKNOWN
        assert parse("a=b," * MAX_LENGTH + "a=b") is UNKNOWN


@given(st.text(alphabet="ab=!(),<> in\\/.-_5\t") | st.text())
def test_never_raises(text: str) -> None:
    """Any text parses or is unknown."""
    parsed = parse_labels(text)
    assert parsed is UNKNOWN or all(isinstance(item, Requirement) for item in parsed)
    terms = parse_fields(text)
    assert terms is UNKNOWN or all(isinstance(item, Term) for item in terms)
