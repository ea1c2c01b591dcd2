"""Pieces of text between framing: a value is hidden in every piece that it reaches, and the framing stays."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.edits import Edit, apply, merge
from masking.formats.segments import Joined, Segment, hidden, rule_for
from masking.plan import Plan
from masking.views import View


def segments(texts: list[str]) -> tuple[str, list[Segment]]:
    """Some texts in brackets, each as long as it reads."""
    raw, found = "", []
    for text in texts:
        found.append(Segment(len(raw) + 1, len(raw) + 1 + len(text), View(text), str.upper))
        raw += f"[{text}]"
    return raw, found


@given(st.lists(st.text(alphabet="abc", max_size=4), min_size=1, max_size=5), st.sampled_from(["", "\n"]), st.data())
def test_a_value_over_pieces_is_hidden_in_each(texts: list[str], gap: str, data: st.DataObject) -> None:
    """The replacement stands where the value begins, once; all else is as it was."""
    raw, found = segments(texts)
    joined = Joined(found, [gap] * len(found))
    assert joined.text == gap.join(texts)
    start = data.draw(st.integers(0, len(joined.text)))
    end = data.draw(st.integers(start, len(joined.text)))
    edit = Edit(start=start, end=end, entity="X", score=1.0, replacement="x")
    masked = apply(raw, merge(joined.placed([edit])))
    letters = [character for character in joined.text[start:end] if character != "\n"]
    assert masked.count("X") == bool(letters)
    assert [character for character in masked if character in "[]"] == [
        character for character in raw if character in "[]"
    ]
    assert masked.replace("X", "").replace("][", gap).strip("[]") == joined.text[:start] + (
        "\n" * (joined.text[start:end].count("\n")) + joined.text[end:]
    )


@pytest.fixture(scope="module")
def plan(make_plan: Callable[..., Plan]) -> Plan:
    return make_plan("secrets", "pii")


def test_a_value_is_hidden_but_for_the_space_around_it(plan: Plan) -> None:
    """And neither nothing nor what was hidden is hidden again."""
    rule = rule_for("password", plan)
    assert rule
    assert apply(" x y ", list(hidden(" x y ", rule, plan))) == " <SECRET> "
    assert not [*hidden("", rule, plan), *hidden(" \n", rule, plan), *hidden(" <SECRET> ", rule, plan)]


@pytest.mark.parametrize("name", ["ssn", "user.ssn", "user[ssn]", "users[][ssn]", "users/0/ssn", "[ssn]"])
def test_the_last_step_of_a_path_tells(plan: Plan, name: str) -> None:
    """Forms and tables flatten objects."""
    assert rule_for(name, plan)
    assert not rule_for(f"{name}.city", plan)
