"""Laws of times: what is written is understood in one way, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recordings.moments import moment_of, timestamp


@pytest.mark.parametrize(
    ("text", "moment"),
    [("30m", 8200.0), ("2h", 2800.0), ("1970-01-01", 0.0), ("1970-01-01 00:00:01", 1.0), ("1970-01-01T01:00:00+01:00", 0.0)],
)  # fmt: skip
def test_moments(text: str, moment: float) -> None:
    """Before now, or a date in UTC."""
    assert moment_of(text, now=10_000.0) == moment


@given(st.text())
def test_anything_else_is_refused(text: str) -> None:
    """With a ValueError."""
    try:
        assert isinstance(moment_of(text, now=0.0), float)
    except ValueError:
        return


@given(st.floats(0, 4e9))
def test_what_is_written_is_read(seconds: float) -> None:
    """To the millisecond."""
    assert abs(moment_of(timestamp(seconds), now=0.0) - seconds) < 0.0011
