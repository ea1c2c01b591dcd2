"""A text that is called shallow is, whatever stands in its strings."""

import json

from hypothesis import given
from hypothesis import strategies as st

from masking.screening.escapes import undone
from masking.screening.nesting import is_shallow

TREES = st.recursive(
    st.text('[]{}"\\,: a', max_size=8), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("[]{} a", max_size=3), inner, max_size=3)
)  # fmt: skip


@given(TREES)
def test_ordinary_texts_are_shallow(value: object) -> None:
    """Brackets in strings do not count."""
    text = json.dumps([value]).encode()
    bare = undone(text).bare
    assert is_shallow(bare, of_quotes=bare is text)


def test_deep_texts_are_not() -> None:
    """Also where strings pretend to close what is open."""
    assert is_shallow(b"[" * 40 + b"]" * 40)
    assert not is_shallow(b"[" * 41 + b"]" * 41)
    assert not is_shallow(b'["]",' * 130 + b"1" + b',"["]' * 130)
    assert not is_shallow(b'["\\"]",' * 130 + b"1" + b',"\\"["]' * 130, of_quotes=True)
    assert is_shallow(b'["' + b'\\"[' * 130 + b'"]', of_quotes=True)
    assert not is_shallow(b'["\\u00",' * 130 + b"1" + b"]" * 130)
    assert not is_shallow(b'{"a":' * 130 + b"1" + b"}" * 130)
