"""Spans are replaced in place, and nothing else is touched."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from masking.edits import Edit, add_counts, apply, count, merge, shift


def edit(start: int, end: int, *, entity: str = "E", strictness: int = 1, score: float = 0.5) -> Edit:
    return Edit(start=start, end=end, entity=entity, score=score, replacement=f"<{entity}>", strictness=strictness)


def test_overlapping_edits_become_one_that_hides_all_of_both() -> None:
    """No character of either span remains; the stricter one says what stands there."""
    merged = merge([edit(2, 6, entity="WEAK", strictness=1), edit(4, 9, entity="STRICT", strictness=5)])
    assert apply("0123456789", merged) == "01<STRICT>9"


def test_the_surer_one_wins_among_equals() -> None:
    """Score decides where strictness does not."""
    assert merge([edit(0, 3, entity="A"), edit(1, 4, entity="B", score=1.0)])[0].entity == "B"


def test_adjacent_edits_stay_apart() -> None:
    """Touching is not overlapping."""
    assert apply("abcd", merge([edit(0, 2), edit(2, 4)])) == "<E><E>"


def test_no_edits_give_the_same_object() -> None:
    """Nothing is copied where nothing changes."""
    text = "x" * 100
    assert apply(text, []) is text


def test_counts_are_by_entity() -> None:
    """The counts are what an agent is told; they are in a stable order."""
    assert count([edit(0, 1, entity="B"), edit(2, 3, entity="A"), edit(4, 5, entity="B")]) == {"A": 1, "B": 2}


def test_shift_moves_the_span() -> None:
    """An edit of a part is an edit of the whole."""
    assert (shift(edit(1, 2), 10).start, shift(edit(1, 2), 10).end) == (11, 12)


@given(st.text(max_size=40), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 8)), max_size=8))
def test_what_lies_outside_of_all_edits_stays(text: str, spans: list[tuple[int, int]]) -> None:
    """The characters outside of every span are the result, in order and unchanged."""
    edits = [edit(start, min(start + width, len(text))) for start, width in spans if start < len(text)]
    covered = {position for each in edits for position in range(each.start, each.end)}
    outside = "".join(character for position, character in enumerate(text) if position not in covered)
    assert apply(text, [replace(each, replacement="") for each in merge(edits)]) == outside


def test_counts_are_added_by_entity() -> None:
    """What is new begins at what it is."""
    total = {"A": 1}
    add_counts(total, {"A": 2, "B": 3})
    assert total == {"A": 3, "B": 3}
