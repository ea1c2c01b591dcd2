"""Objects that somebody looked up."""

from policy.actions.knowledge import NOTHING_KNOWN, KnownObjects
from policy.model import UNKNOWN


def test_nothing_is_known_at_first() -> None:
    """Not even that an object is missing."""
    assert KnownObjects() == NOTHING_KNOWN
    assert NOTHING_KNOWN.old is NOTHING_KNOWN.new is NOTHING_KNOWN.parent is UNKNOWN
    assert KnownObjects(old=None) != NOTHING_KNOWN


def test_repr_holds_nothing_of_an_object() -> None:
    """Objects hold secrets."""
    planted = {"data": {"password": "planted-value"}}
    assert "planted-value" not in repr(KnownObjects(old=planted, new=planted, parent=planted))
