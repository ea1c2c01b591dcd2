"""What is there at the start is not looked at by collections any more."""

import gc

import pytest

from gatehold import collecting


def test_what_is_there_is_left_alone_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second gateway of the same process freezes nothing that will be over soon."""
    monkeypatch.setattr(collecting, "_settled", False)
    before = gc.get_freeze_count()
    try:
        collecting.settle()
        first = gc.get_freeze_count()
        assert first > before
        collecting.settle()
        assert gc.get_freeze_count() <= first
    finally:
        gc.unfreeze()
