"""YAML that every decoder reads alike."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.actions.readings import Unreadable
from policy.actions.yamltext import MAX_ALIASES, MAX_BYTES, is_json, read_plain, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("spec:\n  replicas: 3\n  paused: false\n", {"spec": {"replicas": 3, "paused": False}}),
        ("- a\n- 'no'\n- \"010\"\n- 1.5\n- -7\n", ["a", "no", "010", 1.5, -7]),
        ("{a: 1, b: [x, null, ~]}", {"a": 1, "b": ["x", None, None]}),
        ('{"a": 1, "b": [true]}', {"a": 1, "b": [True]}),
        ("a:\nb: ''\n", {"a": None, "b": ""}),
        ("a: |\n  yes\n  no\n", {"a": "yes\nno\n"}),
        ("a: >-\n  x\n  y\n", {"a": "x y"}),
        ("---\na: 1\n", {"a": 1}),
        ("--- # comment\na: 1\n...\n", {"a": 1}),
        ("cpu: 100m\nmemory: 1Gi\nversion: 1.2.3\nimage: registry.example/x:1\n",
         {"cpu": "100m", "memory": "1Gi", "version": "1.2.3", "image": "registry.example/x:1"}),
        ("at: 2026-11-21T04:42:11Z\nday: 2026-11-21\n", {"at": "2026-11-21T04:42:11Z", "day": "2026-11-21"}),
        ("a: &x {b: 1}\nc: *x\n", {"a": {"b": 1}, "c": {"b": 1}}),
        ("a: &x 5\nb: [*x, *x]\nc: &y z\nd: *y\n", {"a": 5, "b": [5, 5], "c": "z", "d": "z"}),
        ("[]", []),
        ("5", 5),
    ],
)  # fmt: skip
def test_plain_documents_are_read(text: str, value: object) -> None:
    """What people write in manifests."""
    assert read_yaml(text.encode()) == value


@pytest.mark.parametrize(
    "text",
    [
        *("yes", "No", "ON", "off", "y", "N"),
        *("010", "0o17", "0x1F", "0b11", "1_000", "+5", "-05", "1:30", "1:30:00", "190:20:30.15"),
        *(".5", "5.", "1_0.5", "+1.5", ".inf", "-.INF", ".nan", "00"),
        *("1e5_0", "._5", "-_1", "0_x1F"),
        *("<<", "="),
    ],
)
def test_scalars_that_decoders_read_differently(text: str) -> None:
    """A boolean, an octal or sexagesimal number for one decoder, a text for the next."""
    with pytest.raises(Unreadable, match="read differently"):
        read_plain(text)
    with pytest.raises(Unreadable):
        read_yaml(f"a: [{text}, 1]".encode())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("NULL", None), ("True", True), ("FALSE", False),
        ("0", 0), ("-1", -1), ("9223372036854775807", 2**63 - 1), ("9223372036854775808", float(2**63)),
        ("1.50", 1.5), ("1e3", 1000.0), ("-2.5E-1", -0.25), ("nUll", "nUll"), ("yEs", "yEs"),
        ("1.2.3.4", "1.2.3.4"), ("10m", "10m"), ("0xyz", "0xyz"), ("e3", "e3"), ("-", "-"), ("1234abc", "1234abc"), ("1_a", "1_a"), ("_1", "_1"),
    ],
)  # fmt: skip
def test_plain_scalars(text: str, value: object) -> None:
    """What is the same everywhere has its value."""
    assert read_plain(text) == value
    assert type(read_plain(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2\n", "twice"),
        ("{a: 1, 'a': 2}", "twice"),
        ("replicas: 1\nReplicas: 2\n", "case only"),
        ("base: &b {x: 1}\na:\n  <<: *b\n", "merge key"),
        ("a: {'<<': {x: 1}}", "merge key"),
        ('{"<<": {"x": 1}}', "merge key"),
        ("1: a\n", "no text"),
        ("true: a\n", "no text"),
        ("? [a]\n: b\n", "no text"),
        ("no: a\n", "read differently"),
        ("a: 1\n---\nb: 2\n", "more than one"),
        ("", "no document"),
        ("# only a comment\n", "no document"),
        ("a: !!str 1\n", "a tag"),
        ("a: !custom 1\n", "a tag"),
        ("!!python/object/apply:os.system [x]", "a tag"),
        ("a: !!binary aGk=\n", "a tag"),
        ("%YAML 1.2\n---\na: 1\n", "a directive"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", "a directive"),
        ("a: *nowhere\n", "alias"),
        ("&a [*a]\n", "alias"),
        ("a: &x [1]\nb: &y [*x, *x]\nc: [*y, *y]\n", "alias below an anchor"),
        ("a: &x 1\nb: [" + "*x, " * (MAX_ALIASES + 1) + "]\n", "too many aliases"),
        ("a: [\n", "not YAML"),
        ("a: 'b\n", "not YAML"),
        ("a: \x07\n", "not YAML"),
        ("\ta: 1\n", "not YAML"),
        ('a: "\\ud800"\n', "not YAML"),
        ('a: "\\UFFFFFFFF"\n', "not YAML"),
        ("\ufeffa: 1\n", "byte order mark"),
        ("[" * 65 + "]" * 65, "nested deeper"),
        ("[" * 100_000, "nested deeper"),
        ("- " * 65 + "a", "nested deeper"),
        ("a: &x " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 10 + "*x" + "]" * 10, "nested deeper"),
        ("a: 9" + "9" * 400, "out of range"),
        ("a" * (MAX_BYTES + 1), "larger than"),
    ],
)
def test_ambiguous_or_broken_documents(text: str, reason: str) -> None:
    """Bombs, tricks and plain mistakes are unreadable."""
    with pytest.raises(Unreadable, match=reason):
        read_yaml(text.encode())


def test_large_json_is_still_read() -> None:
    """kubectl applies custom resource definitions as JSON under a YAML type."""
    assert read_yaml(b'{"a": "' + b"x" * MAX_BYTES + b'"}')


def test_other_encodings() -> None:
    """UTF-8 only."""
    with pytest.raises(Unreadable, match="UTF-8"):
        read_yaml("a: 1".encode("utf-16"))


KEYS = st.text(alphabet="abcdefgh-./ é", min_size=1, max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="ascii"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_json_is_yaml(value: Any) -> None:
    """kubectl sends JSON as YAML: it has the same value."""
    assert read_yaml(json.dumps(value).encode()) == value


@given(st.binary(max_size=80) | st.text(alphabet="ab:-&*!<>[]{}|?'\",#%01_.~ \n\t", max_size=80).map(str.encode))
def test_never_raises_but_unreadable(body: bytes) -> None:
    """Any bytes are a value or unreadable."""
    with contextlib.suppress(Unreadable):
        read_yaml(body)


@pytest.mark.parametrize("character", ["\x85", "\u2028", "\u2029", "\ufeff"])
@pytest.mark.parametrize("text", ['{{"a": "x{}y"}}', 'a: "x{}y"', "# comment{}a: 1", "a: x{}", '{{"a": 1}}{}'])
def test_line_ends_of_one_version_only(text: str, character: str) -> None:
    """In JSON and YAML 1.2 these are text, for the API server they end a line: what it runs is not what is read here."""
    body = text.format(character).encode()
    with pytest.raises(Unreadable):
        read_yaml(body)
    with pytest.raises(Unreadable):
        is_json(body)
