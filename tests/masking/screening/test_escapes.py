"""Simple escapes are undone so that quotes tell, and redone so that nothing is lost."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.screening.escapes import has_left, redone, undone


@given(st.lists(st.text('a"\\\n\r\t/u {[é', max_size=12), max_size=5))
def test_what_is_undone_can_be_redone(strings: list[str]) -> None:
    """Byte for byte; between two quotes then stands what one string says."""
    text = json.dumps(strings, ensure_ascii=False).encode()
    bare, read = undone(text)
    assert redone(bare) == text
    assert len(bare) == len(read)
    spans = [match.span(1) for match in re.finditer(rb'(?<!\\)"((?:[^"]|(?<=\\)")*)(?<!\\)"', bare)]
    said = [read[start:end].decode() for start, end in spans]
    assert [each.replace('\\"', '"') if bare is text else each for each in said] == strings
    assert not any(has_left(bare[start:end]) for start, end in spans)


def test_other_escapes_stay() -> None:
    """They are left for a closer look."""
    bare, read = undone(b'"\\u0041\\/\\b\\n"')
    assert read == b'"\\u0041\\/\\b\n"'
    assert has_left(bare[1:-1])


def test_a_text_without_escapes_is_not_copied() -> None:
    """Both forms are the text itself; so they are where quotes are all that is escaped."""
    for text in (b'{"a": 1}', b'{"a": "\\"b\\"\\"", "\\"": "\\""}'):
        assert all(form is text for form in undone(text))
    assert undone(b'["\\\\"]').bare == b'["\x01"]'
    assert undone(b'["\\\\\\""]').bare == b'["\x01\x02"]'


@pytest.mark.parametrize("gap", [1, 40, 70_000])
def test_few_and_many_escapes_are_undone_alike(gap: int) -> None:
    """How they are taken out depends on how many there are."""
    text = b"".join(b"x" * gap + escape for escape in (b'\\"', b"\\n", b'\\"', b"\\\\") * 3)
    bare, read = undone(text)
    assert redone(bare) == text
    assert read == (b"x" * gap + b'"' + b"x" * gap + b"\n" + b"x" * gap + b'"' + b"x" * gap + b"\\") * 3
    quotes = text.replace(b"\\n", b"").replace(b"\\\\", b"")
    assert undone(quotes).read is quotes
