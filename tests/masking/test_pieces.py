"""Law: pieces of one text share a place, and each of their characters is known by where it stands in its record."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.pieces import is_last, of_event, of_line, pieces


def test_places_tell_texts_apart() -> None:
    """By the names above them, and by what says which one it is."""
    first, second = (
        list(pieces(of_line(f'{{"choices":[{{"index":{at},"delta":{{"content":"x"}}}}]}}'))) for at in (0, 1)
    )
    again = list(pieces(of_line('{"choices":[{"delta":{"content":"y"},"index":0}]}')))
    assert first[0].place == again[0].place != second[0].place


def test_characters_keep_their_places() -> None:
    """Through escapes, and through lines of data."""
    event = 'event: x\ndata: {"a":1,\ndata:"text":"caf\\u00e9!"}\n\n'
    ((_, view),) = pieces(of_event(event))
    assert view.text == "caf\u00e9!"
    assert [event[view.origin(at) :][:1] for at in (0, 3, 4, 5)] == ["c", "\\", "!", '"']


@pytest.mark.parametrize(
    "record", ["", "text", "{", '{"jsonrpc":"2.0","text":"x"}', '["x"]', '{"text":1}', '{"text":""}']
)
def test_other_records_hold_none(record: str) -> None:
    """No JSON, whole by themselves, no strings."""
    assert list(pieces(of_line(record))) == []


@pytest.mark.parametrize(("payload", "last"), [("[DONE]", True), ('{"type":"message_stop"}', True), ('{"text":"[DONE]"}', False)])  # fmt: skip
def test_the_last_record_says_so(payload: str, last: bool) -> None:
    """By its form; a text cannot."""
    assert is_last(of_event(f"data: {payload}\n\n")) is last


@given(st.text())
def test_no_record_raises(text: str) -> None:
    """Whatever it holds."""
    assert list(pieces(of_line(text))) is not None
    assert list(pieces(of_event(text))) is not None
