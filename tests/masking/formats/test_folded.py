"""Calendars and contacts: wherever a line is folded, what reads as a value is hidden."""

from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.content import Shape, read_content_type
from masking.edits import apply, merge
from masking.engine import MaskingEngine
from masking.errors import Unmaskable
from masking.formats.folded import folded_edits
from masking.formats.json_document import JsonMasker
from masking.formats.text import TextMasker
from masking.plan import Plan


@pytest.fixture(scope="module")
def texts(make_plan: Callable[..., Plan]) -> TextMasker:
    plan = make_plan("pii", "pci")
    return TextMasker(plan, JsonMasker(plan))


def masked(texts: TextMasker, text: str) -> str:
    return apply(text, merge(folded_edits(text, texts)))


LINE = 'ATTENDEE;CN="Max":mailto:bob.smith@example.com'


@given(st.sets(st.integers(1, len(LINE) - 1), max_size=6), st.sampled_from(["\r\n ", "\n ", "\n\t"]))
def test_a_fold_anywhere_hides_nothing(texts: TextMasker, cuts: set[int], fold: str) -> None:
    """What unfolds the answer reads no address, and the other properties as they were."""
    ends = [0, *sorted(cuts), len(LINE)]
    line = fold.join(LINE[start:end] for start, end in pairwise(ends))
    shown = masked(texts, f"BEGIN:VEVENT\n{line}\nSUMMARY:a\n b\nEND:VEVENT\n")
    assert shown.replace(fold, "") == f"{LINE[:25]}<EMAIL_ADDRESS>".join(
        ["BEGIN:VEVENT\n", "\nSUMMARY:a\n b\nEND:VEVENT\n".replace(fold, "")]
    )
    assert masked(texts, shown) == shown


def test_values_of_another_encoding_are_refused(texts: TextMasker) -> None:
    """Old contacts write them so."""
    with pytest.raises(Unmaskable):
        masked(texts, "EMAIL;ENCODING=QUOTED-PRINTABLE:bob=40example.com")


@pytest.mark.parametrize("essence", ["text/calendar", "Text/VCard", "text/x-ldif"])
def test_such_types_are_whole_bodies(engine: MaskingEngine, essence: str) -> None:
    """They are no streams of lines."""
    assert read_content_type(essence).shape is Shape.FOLDED
    body = b"mail: bob@exa\n mple.com\n"
    assert engine.mask_body(body, content_type=essence, profiles=("pii",)).body == b"mail: <EMAIL_ADDRESS>\n"
    with pytest.raises(Unmaskable):
        engine.open_stream(content_type=essence, profiles=("pii",))
