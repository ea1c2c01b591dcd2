from hypothesis import given
from hypothesis import strategies as st

from gatehold.approvals.columns import storable


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_any_text_can_be_stored(text: str) -> None:
    """What is shown may hold anything; both databases take it, and ordinary text is not changed."""
    stored = storable(text)
    assert "\0" not in stored
    assert stored.encode() is not None
    if "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text):
        assert stored == text
