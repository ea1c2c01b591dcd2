"""Law: looking at lines together gives what looking at each of them gives."""

from hypothesis import given
from hypothesis import strategies as st

from masking import blocks
from masking.blocks import touched
from masking.edits import Edit


def found(text: str) -> list[Edit]:
    """Every x in a line, and also what an x in another line seems to tell of an o."""
    places = [at for at, letter in enumerate(text) if letter == "x" or (letter == "o" and "x" in text)]
    return [Edit(start=at, end=at + 1, entity="X", score=1.0, replacement="*") for at in places]


@given(st.lists(st.text("xo-", max_size=6).map(lambda line: line + "\n"), min_size=1))
def test_each_line_is_judged_by_itself(lines: list[str]) -> None:
    """In a line that is not touched nothing is found; one that is may be so for its neighbours only."""
    looked_at = touched(lines, found)
    assert looked_at == sorted(looked_at)
    assert {at for at, line in enumerate(lines) if found(line)} <= set(looked_at)
    assert all(set("xo") & set(lines[at]) for at in looked_at)


@given(st.lists(st.integers(0, 3 * blocks.BLOCK), min_size=1, max_size=8))
def test_blocks_are_whole_lines(sizes: list[int]) -> None:
    """All of them, in order."""
    data = b"".join(b"x" * size + b"\n" for size in sizes)
    cut = list(blocks.blocks(data))
    assert b"".join(cut) == data
    assert all(each.endswith(b"\n") for each in cut)
    assert all(len(each) <= blocks.BLOCK or each.count(b"\n") == 1 for each in cut)
