"""Law: messages go on in order, masked, and one that cannot be masked leaves no trace."""

import pytest

from masking.engine import MaskingEngine
from masking.errors import Unmaskable


def test_messages_are_masked_one_by_one(engine: MaskingEngine) -> None:
    """Text or JSON, as each of them is."""
    mask = engine.open_messages(profiles=("pci", "secrets"))
    assert mask.feed("card 4111 1111 1111 1111") == ["card <CREDIT_CARD>"]
    assert mask.feed('{"password": "hunter2x"}') == ['{"password": "<SECRET>"}']
    assert mask.counts == {"CREDIT_CARD": 1, "SECRET": 1}


def test_a_message_that_cannot_be_masked_changes_nothing(engine: MaskingEngine) -> None:
    """What waited waits, and what follows is masked."""
    mask = engine.open_messages(profiles=("pci",))
    assert mask.feed('{"delta":"card 4111 11"}') == []
    with pytest.raises(Unmaskable):
        mask.feed("nul \0")
    assert mask.held > 0
    assert mask.feed('{"delta":"11 1111 1111, "}') == ['{"delta":"card <CREDIT_CARD>"}', '{"delta":", "}']


def test_after_too_much_waiting_nothing_is_given(engine: MaskingEngine) -> None:
    """It could not be told what belongs together."""
    mask = engine.open_messages(profiles=("pci",))
    with pytest.raises(Unmaskable):
        mask.feed('{"delta":"' + "x" * 100_000 + '"}')
    with pytest.raises(Unmaskable, match="cut"):
        mask.flush(patient=False)
