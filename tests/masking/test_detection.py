"""What all detectors share: how context lifts a score, and which hits are the same."""

import pytest

from masking.detection import Hit, distinct, lift


@pytest.mark.parametrize(("score", "lifted"), [(0.05, 0.4), (0.3, 0.3 + 0.35), (0.4, 0.75), (0.9, 1.0)])
def test_lift_is_that_of_presidio(score: float, lifted: float) -> None:
    """0.35 more, at least 0.4, at most 1."""
    assert lift(score) == lifted


def test_hits_inside_of_others_are_dropped() -> None:
    """Of the same entity, with no higher score."""
    outer, inner = Hit("A", 0, 10, 0.8), Hit("A", 2, 5, 0.8)
    assert distinct([inner, outer]) == [outer]
    assert distinct([outer, Hit("B", 2, 5, 0.8)]) == [outer, Hit("B", 2, 5, 0.8)]
    surer = Hit("A", 2, 5, 0.9)
    assert distinct([outer, surer]) == [outer, surer]
    overlapping = Hit("A", 5, 12, 0.5)
    assert distinct([outer, overlapping]) == [outer, overlapping]
