"""YAML is read strictly, and every value knows its line."""

import re
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gatehold.config.source import MAX_DEPTH, Document, read_documents


def only(text: str) -> Document:
    (document,), problems = read_documents("f.yaml", text.encode())
    assert problems == []
    return document


def told(text: str | bytes) -> list[str]:
    _, problems = read_documents("f.yaml", text if isinstance(text, bytes) else text.encode())
    return [str(problem).removeprefix("f.yaml:") for problem in problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("no", "no"),
        ("2026-01-01", "2026-01-01"),
        ("12:30", "12:30"),
        ("017", "017"),
        ("1_000", "1_000"),
        (".inf", ".inf"),
        ("=", "="),
        ("'5'", "5"),
        ("!!str 5", "5"),
        ("5", 5),
        ("-5", -5),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("|\n  a\n  b\n", "a\nb\n"),
        ("[a, {b: [c]}]", ["a", {"b": ["c"]}]),
    ],
)
def test_scalars_are_those_of_the_core_schema(text: str, value: Any) -> None:
    """YAML 1.2: words that YAML 1.1 takes for numbers, times and booleans are words."""
    assert only(f"key: {text}").value == {"key": value}


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: 1\nb: 2\na: 3\n", ["3: `a` stands here a second time; the first is on line 1"]),
        ("- {x: 1, x: 2}\n- {y: 1,\n y: 2}", ["1: `x` stands", "3: `y` stands"]),
        ("a: &x [1]\nb: *x\n", ["2: aliases"]),
        ("a: &x\n - *x\n", ["2: aliases"]),
        ("<<: {a: 1}\nb: 2\n", ["1: merge keys"]),
        ("1: a\n", ["1: a key is text"]),
        ("? [a]\n: 1\n", ["1: a key is text"]),
        ("null: a\n", ["1: a key is text"]),
        ("a: !!python/object/apply:os.system [ls]\n", ["1: the tag tag:yaml.org,2002:python/object/apply:os.system"]),
        ("a: !secret x\nb: !!int '5'\n", ["1: the tag !secret", "2: the tag tag:yaml.org,2002:int"]),
        ("a: [1,\nb: 2\n", ["2: not YAML"]),
        ("a: b: c\n", ["1: not YAML: mapping values are not allowed"]),
        ("a: 'x\n", ["1: not YAML"]),
        ("a: 1\n\tb: 2\n", ["2: not YAML"]),
        (b"a: 1\nb: \xff\n", ["2: not UTF-8"]),
        ("a: 1\nb: \x07\n", ["2: not YAML: a character"]),
        ("[" * 100_000, ["1: nested deeper than 32"]),
        ("- " * 100_000, ["1: nested deeper than 32"]),
        ("a: " + "{b: " * MAX_DEPTH + "c" + "}" * MAX_DEPTH, ["1: nested deeper than 32"]),
    ],
)
def test_what_is_not_plain_yaml_is_told(text: str | bytes, problems: list[str]) -> None:
    found = told(text)
    assert len(found) == len(problems)
    assert all(one.startswith(other) for one, other in zip(found, problems, strict=True))


def test_a_broken_document_does_not_hide_the_others() -> None:
    """What it seems to be is known, so that others may refer to it."""
    text = "a: 1\n---\nkind: Target\nmetadata: {name: x}\nspec: [\n---\nb: [\n---\nc: 3\n"
    documents, problems = read_documents("f.yaml", text.encode())
    assert [(document.value, document.sound) for document in documents] == [
        ({"a": 1}, True),
        ({"kind": "Target", "metadata": {"name": "x"}}, False),
        ({"kind": "", "metadata": {"name": ""}}, False),
        ({"c": 3}, True),
    ]
    assert [problem.line for problem in problems] == [5, 7]
    assert documents[3].line(("c",)) == 9


def test_every_value_knows_its_line() -> None:
    document = only("# comment\n\na:\n  b:\n    - c\n    - d: 1\n      e: {f: 2,\n          g: 3}\n")
    lines = {(): 3, ("a",): 3, ("a", "b"): 4, ("a", "b", 1): 6, ("a", "b", 1, "e"): 7, ("a", "b", 1, "e", "g"): 8}
    assert {place: document.line(place) for place in lines} == lines
    assert document.line(("a", "nowhere", "b")) == 4, "steps that lead nowhere are skipped"


def test_taking_parts_out_keeps_the_lines_of_the_rest() -> None:
    document = only("a: [1,\n 2,\n 3]\nb: {c: 1,\n d: 2}\n").without([("a", 1), ("b", "c")])
    assert document.value == {"a": [1, 3], "b": {"d": 2}}
    assert (document.line(("a", 1)), document.line(("b", "d"))) == (3, 5)


def test_empty_documents_are_none() -> None:
    documents, problems = read_documents("f.yaml", b"\xef\xbb\xbf---\n---\n# nothing\n---\na: 1\n...\n")
    assert [document.value for document in documents] == [{"a": 1}]
    assert problems == []


NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|0o[0-7]+")
"""Numbers of YAML 1.2, some of which the writer, of 1.1, leaves without quotes in a text."""
texts = st.text(st.characters(codec="utf-8"), max_size=10).filter(lambda text: not NUMBER.fullmatch(text))
keys = texts.filter(lambda key: key != "<<")
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(st.sampled_from("abc"), values, min_size=1))
def test_what_was_written_as_yaml_is_read_back(value: dict[str, Any]) -> None:
    """A round trip through another writer; keys that look like other types are quoted by it."""
    text = yaml.safe_dump(value)
    documents, problems = read_documents("f.yaml", text.encode())
    assert problems == []
    assert [document.value for document in documents] == [value]


@given(st.text(st.sampled_from("a:- \n\t{}[],&*!|>'\"#%@`?<~0x.e\x07é"), max_size=60) | st.binary(max_size=40))
def test_any_bytes_give_documents_and_problems(content: str | bytes) -> None:
    """Nothing raises, and every problem has a line of the file."""
    data = content if isinstance(content, bytes) else content.encode()
    _, problems = read_documents("f.yaml", data)
    last = data.count(b"\n") + data.count(b"\r") + 2
    assert all(1 <= problem.line <= last for problem in problems)
