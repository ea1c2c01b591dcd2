"""GraphQL documents: every alias is found, and what is no document is refused."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.formats.graphql import NotGraphql, aliases, may_be_document


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ("{ x: ssn }", [("x", "ssn")]),
        ("{x,,:,ssn}", [("x", "ssn")]),
        ("\ufeff{ x # a: b\n : # }\n ssn }", [("x", "ssn")]),
        ("query Q($a: Int = 3, $b: [S!] = [\"x: y\"]) @d(a: 1) { a(b: {c: \"}\"}) @include(if: $a) { x: y } }", [("x", "y")]),
        ("{ a { ...F ... on User @skip(if: true) { z: w } ... { v: u } } } fragment F on User @d { q: r }", [("z", "w"), ("v", "u"), ("q", "r")]),
        ('{ a(x: """ } { \\""" x: ssn """, y: "b: \\"c") d }', []),
        ('"""d""" mutation { b: c }', [("b", "c")]),
        ("{ on: fragment }", [("on", "fragment")]),
        ("subscription { a } query B { c: d }", [("c", "d")]),
        ("{ a(b: [1.5e3, -2, $c, ENUM, null, {d: []}]) }", []),
    ],
)  # fmt: skip
def test_aliases(document: str, found: list[tuple[str, str]]) -> None:
    """In operations and fragments, at any depth; arguments, strings and comments hold none."""
    assert may_be_document(document)
    assert [(alias.name, alias.field) for alias in aliases(document)] == found


@pytest.mark.parametrize(
    "document",
    ["{", "{a}}", "{a(}", "{a(b:[)]}", "{a:}", "{:a}", "{a:b:c}", "{..x}", '{a(b:"x)}', "{a(b:01)}", '{app="x"} |= "y"', "{a} b", "{a\u00a0b}",
     "{a #\u2028 x: ssn\n}", "{ {a} }", "query", "{a(b:'c')}"],
)  # fmt: skip
def test_other_texts_are_refused(document: str) -> None:
    """A server could read them in another way."""
    with pytest.raises(NotGraphql):
        aliases(document)


@pytest.mark.parametrize(
    "text", ["", "select * from x", "name:x", 'sum(rate(x{a="b"}[5m:1m]))', "app {a: b}", "queryx {a}"]
)
def test_other_languages_are_no_documents(text: str) -> None:
    """Searches are often called ``query``, too."""
    assert not may_be_document(text)


SELECTIONS = st.recursive(
    st.sampled_from(["a", "b", "c(x: {y: 1})", "d @e(f: 1)", "...F"]),
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda each: f"g {{ {' '.join(each)} }}"),
    max_leaves=6,
)


@given(st.lists(st.tuples(st.none() | st.sampled_from(["x", "y"]), SELECTIONS), min_size=1, max_size=4))
def test_every_alias_is_found(selections: list[tuple[str | None, str]]) -> None:
    """No more and no fewer than were written."""
    written = [(name, each) if not each.startswith(".") else (None, each) for name, each in selections]
    document = "{ " + "\n".join(f"{name}: {each}" if name else each for name, each in written) + " }"
    assert [alias.name for alias in aliases(document)] == [name for name, _ in written if name]


@given(st.text(alphabet="{}()[]:.\"'#@$!,ab \n\\1-", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No other exception."""
    with contextlib.suppress(NotGraphql):
        aliases(text)
    may_be_document(text)
