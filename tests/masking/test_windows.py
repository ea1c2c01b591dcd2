"""Law: a text without an end is judged in windows, and no value is cut in two by them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking import windows
from masking.edits import Edit
from masking.errors import Unmaskable
from masking.long_lines import _letters
from masking.windows import Window, unfinished


def edits(text: str) -> list[Edit]:
    """Every run of x of at least three."""
    found, at = [], text.find("xxx")
    while at >= 0:
        end = next((place for place in range(at, len(text)) if text[place] != "x"), len(text))
        found.append(Edit(start=at, end=end, entity="X", score=1.0, replacement="*"))
        at = text.find("xxx", end)
    return found


@given(
    st.lists(st.sampled_from(["word ", "xxxx ", "a-b", " ", "xx", "(x)"]), min_size=4, max_size=60), st.integers(1, 9)
)
def test_windows_give_what_the_whole_gives(parts: list[str], step: int) -> None:
    """In any steps."""
    text = " ".join(parts)
    with pytest.MonkeyPatch.context() as patch:
        for name, size in (("PIECE", 16), ("LOOKAHEAD", 8), ("CONTEXT", 8)):
            patch.setattr(windows, name, size)
        window = Window(edits, limit=500)
        shown = "".join(window.feed(text[at : at + step]) for at in range(0, len(text), step)) + window.end()
    whole = Window(edits, limit=10**6)
    assert shown == whole.feed(text) + whole.end()


def test_what_has_no_hard_character_is_refused_at_last() -> None:
    """Nothing of it was given on."""
    with pytest.raises(Unmaskable, match="does not end"):
        Window(edits, limit=100).feed("y" * 100_000)


def test_half_of_a_value_is_known() -> None:
    """Numbers, keys, addresses; words are none."""
    assert [unfinished(text) for text in ("a word", "card 4111 1", "to jane@ex", "")] == [6, 5, 3, 0]


@given(st.text(), st.integers(0, 40))
def test_letters_are_never_torn(text: str, cut: int) -> None:
    """What is not whole waits."""
    data = text.encode()[:cut]
    whole, torn = _letters(data, "utf-8")
    assert whole + torn == data
    assert whole.decode() == text[: len(whole.decode())]
    assert len(torn) < 4
