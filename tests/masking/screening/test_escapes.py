"""Simple escapes are undone so that quotes tell, and redone so that nothing is lost."""

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from masking.screening.escapes import redone, undone


@given(st.lists(st.text('a"\\\n\r\t/u {[é', max_size=12), max_size=5))
def test_what_is_undone_can_be_redone(strings: list[str]) -> None:
    """Byte for byte; between two quotes then stands what one string says."""
    text = json.dumps(strings, ensure_ascii=False).encode()
    bare, read = undone(text)
    assert redone(bare) == text
    assert len(bare) == len(read)
    spans = [match.span(1) for match in re.finditer(rb'"([^"]*)"', bare)]
    assert [read[start:end].decode() for start, end in spans] == strings


def test_other_escapes_stay() -> None:
    """They are left for a closer look."""
    assert undone(b'"\\u0041\\/\\b\\n"').read == b'"\\u0041\\/\\b\n"'


def test_a_text_without_escapes_is_not_copied() -> None:
    """Both forms are the text itself."""
    text = b'{"a": 1}'
    assert all(form is text for form in undone(text))
