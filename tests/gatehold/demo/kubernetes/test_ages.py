"""Ages as kubectl shows them."""

from datetime import UTC, datetime, timedelta

import pytest

from gatehold.demo.kubernetes.ages import since
from gatehold.demo.kubernetes.objects import timestamp

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = 60, 3600, 86400


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-5, "<invalid>"), (0, "0s"), (119, "119s"), (120, "2m"), (150, "2m30s"), (10 * MINUTE - 1, "9m59s"),
        (10 * MINUTE, "10m"), (179 * MINUTE, "179m"), (3 * HOUR, "3h"), (4 * HOUR + 5 * MINUTE, "4h5m"), (8 * HOUR, "8h"),
        (47 * HOUR, "47h"), (2 * DAY, "2d"), (3 * DAY + 4 * HOUR, "3d4h"), (8 * DAY, "8d"), (729 * DAY, "729d"),
        (731 * DAY, "2y1d"),
    ],
)  # fmt: skip
def test_ages(seconds: int, shown: str) -> None:
    """The bounds are those of HumanDuration."""
    assert since(timestamp(NOW - timedelta(seconds=seconds)), NOW) == shown


def test_unknown_age() -> None:
    """No time, no age."""
    assert since(None, NOW) == "<unknown>"
