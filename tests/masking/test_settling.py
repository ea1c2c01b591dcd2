"""What settles: edits after which there is nothing more to find, whichever of two ways of looking finds first."""

import re
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.edits import Edit, apply, merge
from masking.settling import settled


def finder(pattern: str, replacement: str = "<X>", *, score: float = 1.0) -> Callable[[str], Iterable[Edit]]:
    """Finds what the first group of an expression matches."""

    def find(text: str) -> Iterable[Edit]:
        for match in re.finditer(pattern, text):
            start, end = match.span(1)
            yield Edit(start=start, end=end, entity="X", score=score, replacement=replacement)

    return find


def nothing(_text: str) -> list[Edit]:
    return []


def masked(text: str, by_structure: Callable[[str], Iterable[Edit]], by_looks: Callable[[str], Iterable[Edit]]) -> str:
    return apply(text, merge(settled(text, by_structure, by_looks)))


def test_what_nothing_is_found_in_is_read_once() -> None:
    """Neither way is asked again."""
    seen: list[str] = []

    def look(text: str) -> list[Edit]:
        seen.append(text)
        return []

    assert settled("a", look, look) == []
    assert seen == ["a", "a"]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("12 a=b", "<X> a=<X>"),
        ("12a=b", "<X>a=<X>"),
        ("1212a=b c", "<X>a=<X> c"),
        ("-12a=b,34c=d", "-<X>a=<X>,<X>c=<X>"),
    ],
)
def test_looks_give_names(text: str, want: str) -> None:
    """``12a`` is no name, and what is left of it is one."""
    assert masked(text, finder(r"(?<![0-9a-z])[a-z]=([a-z])"), finder(r"([0-9]+)")) == want


def test_names_give_looks() -> None:
    """A word that has nothing but a token after it."""
    assert masked("ab=c", finder(r"=(c)"), finder(r"([a-z]+)(?==<)")) == "<X>=<X>"


def test_what_was_replaced_is_meant_as_a_whole() -> None:
    """What is found in a part of a token reaches over all that the token stands for."""
    assert masked("a=bcd.e", finder(r"=([a-z]+)"), finder(r"(>\.)", "<Y>")) == "a=<Y>e"
    assert masked("a=bcd.e", finder(r"=([a-z]+)"), finder(r"(=<)", "<Y>", score=2)) == "a<Y>.e"


def test_what_does_not_settle_is_hidden_as_a_whole() -> None:
    """Something is found in whatever is left."""
    assert masked("a-b", finder(r"(.)", "ab"), nothing) == "<X>"


BY_STRUCTURE = finder(r"(?<![0-9a-z])[a-z]=((?!<X>|<Y>)[ab1(]+)", "<Y>")
BY_LOOKS = finder(r"(1+|b+(?=<Y>))")


@given(st.text("ab=1<>X(", max_size=14))
def test_twice_is_once(text: str) -> None:
    """In any mixture of names, values and tokens."""
    once = masked(text, BY_STRUCTURE, BY_LOOKS)
    assert masked(once, BY_STRUCTURE, BY_LOOKS) == once


@given(st.text("ab=1(", max_size=14))
def test_nothing_that_is_found_first_stays(text: str) -> None:
    """Whatever is found later covers it, and does not uncover it."""
    found = settled(text, BY_STRUCTURE, BY_LOOKS)
    covered = {place for edit in found for place in range(edit.start, edit.end)}
    for edit in (*BY_STRUCTURE(text), *BY_LOOKS(text)):
        assert covered.issuperset(range(edit.start, edit.end))
