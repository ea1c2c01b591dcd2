"""Calls are found where the language has calls."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from policy.expressions.tokens import calls, tokenize


def test_strings_and_comments_are_one_token_or_none() -> None:
    source = """a == 'f(x)' + "g(\\"y" + r'\\' + '''h(
z''' // i(w)\n && j(1)"""
    found = tokenize(source)
    assert [token.text for token in found if token.kind == "name"] == ["a", "j"]
    assert [token.text for token in found if token.kind == "string"] == ["'f(x)'", '"g(\\"y"', "r'\\'", "'''h(\nz'''"]


def test_arguments_are_split_at_the_commas_of_the_call_itself() -> None:
    (call, inner) = calls(tokenize("f(g(1, 2), [3, {'a': 4}], 'x,y')"))
    assert ["".join(t.text for t in argument) for argument in call.arguments] == ["g(1,2)", "[3,{'a':4}]", "'x,y'"]
    assert inner.name == "g"


def test_member_calls_are_told_apart() -> None:
    (member, plain) = calls(tokenize("a . f() && f()"))
    assert (member.member, plain.member) == (True, False)
    assert (member.arguments, plain.arguments) == ((), ())


@given(st.text(st.sampled_from("ab(),.'\"\\r\n/ []{}"), max_size=30))
def test_any_text_has_tokens_in_order(source: str) -> None:
    """Tokens cover the text from left to right; a call ends where its parentheses close, or is none."""
    tokens = tokenize(source)
    assert all(one.end <= other.start for one, other in itertools.pairwise(tokens))
    assert all(source[token.start : token.end] == token.text for token in tokens)
    for call in calls(tokens):
        assert source[call.end - 1] in ")]}"
