"""Values that may be unknown, and values that are computed once."""

from policy.actions.readings import Disputed, Once, Reading, Unreadable
from policy.model import UNKNOWN


def test_once_computes_when_asked_and_then_never_again() -> None:
    """Nothing is read before it is asked for; what was read stays."""
    calls: list[int] = []

    def compute() -> str:
        calls.append(1)
        return "value"

    once = Once(compute)
    assert (calls, repr(once)) == ([], "<not read yet>")
    assert (once(), once(), calls, repr(once)) == ("value", "value", [1], "<read>")


def test_reading_keeps_the_reason() -> None:
    """What cannot be read is unknown and says why; the value is in no repr."""

    def fail() -> object:
        raise Unreadable("a key occurs twice")

    def dispute() -> object:
        raise Disputed("two keys differ in case only")

    assert Reading.of(fail) == Reading(value=UNKNOWN, reason="a key occurs twice", malformed=True)
    assert Reading.of(dispute) == Reading(value=UNKNOWN, reason="two keys differ in case only")
    assert "planted-value" not in repr(Reading.of(lambda: "planted-value"))
