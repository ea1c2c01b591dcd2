"""Where a claim stands in a payload."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatehold.identity.paths import ABSENT, lookup, scalar

_names = st.text(min_size=1, max_size=4)


def _pointer(names: list[str]) -> str:
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


@given(st.lists(st.text(st.characters(exclude_characters="/"), min_size=1, max_size=4), min_size=1, max_size=4))
def test_a_pointer_reaches_any_member(names: list[str]) -> None:
    """RFC 6901, whatever stands in the names."""
    claims: Any = "here"
    for name in reversed(names):
        claims = {name: claims}
    assert lookup(claims, _pointer(names)) == "here"
    assert lookup(claims, _pointer([*names, "x"])) is ABSENT
    assert lookup({}, _pointer(names)) is ABSENT


@given(st.recursive(st.none() | st.text(), lambda inner: st.dictionaries(_names, inner) | st.lists(inner)), st.text())
def test_any_path_leads_somewhere_or_nowhere(claims: Any, path: str) -> None:
    """No payload and no path is an error."""
    lookup(claims if isinstance(claims, dict) else {"a": claims}, path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/kubernetes.io/pod/uid", "u1"),
        ("/a~1b/c~0d", "escaped"),
        ("/list/0", ABSENT),
        ("/", ABSENT),
        ("kubernetes.io.pod.uid", ABSENT),
        ("null", None),
    ],
)
def test_pointers(path: str, found: object) -> None:
    """Names with dots, slashes and tildes; lists have no members."""
    claims = {"kubernetes.io": {"pod": {"uid": "u1"}}, "a/b": {"c~d": "escaped"}, "list": ["x"], "null": None}
    assert lookup(claims, path) == found


@pytest.mark.parametrize(
    ("value", "text"), [("a", "a"), (True, "true"), (False, "false"), (3, "3"), (1.5, None), (None, None), ([], None)]
)
def test_what_a_pattern_sees(value: object, text: str | None) -> None:
    assert scalar(value) == text
