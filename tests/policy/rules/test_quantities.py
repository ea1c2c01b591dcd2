"""Amounts as operators write them."""

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy.rules.quantities import (
    Quota,
    format_duration,
    format_quota,
    format_size,
    parse_clock,
    parse_count_quota,
    parse_duration,
    parse_size,
    parse_size_quota,
)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_duration, "50s", 50.0),
        (parse_duration, "15m", 900.0),
        (parse_duration, "1h", 3600.0),
        (parse_duration, "90d", 7776000.0),
        (parse_size, "64KiB", 65536),
        (parse_size, "10MiB", 10485760),
        (parse_size, "7B", 7),
        (parse_count_quota, "20/hour", Quota(amount=20, window=3600)),
        (parse_count_quota, "1/second", Quota(amount=1, window=1)),
        (parse_size_quota, "1GiB/day", Quota(amount=1 << 30, window=86400)),
        (parse_clock, "00:00", 0),
        (parse_clock, "9:05", 545),
        (parse_clock, "24:00", 1440),
        (parse_clock, 1020, 1020),
    ],
)
def test_reads(parse: Callable[[object], object], text: object, value: object) -> None:
    """Each form has one value."""
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        *((parse_duration, text) for text in ("", "0s", "15", "1.5h", "-1m", "15 m", "1w", "٣s", 15, None, True)),
        *((parse_size, text) for text in ("", "0B", "10MB", "1KB", "1kib", 64, None)),
        *((parse_count_quota, text) for text in ("", "20", "0/hour", "20/year", "x/hour", "/hour", "1/2/hour", 20)),
        *((parse_size_quota, text) for text in ("20/hour", "1GiB", "1GiB/year", "0B/day")),
        *((parse_clock, text) for text in ("", "24:01", "9", "09:60", "-1:00", 1441, -1, True, None)),
    ],
)
def test_refuses(parse: Callable[[object], object], text: object) -> None:
    """What is no amount is refused, with the value in the message."""
    with pytest.raises(ValueError, match=r"is not|as in"):
        parse(text)


@given(st.integers(1, 10**8))
def test_durations_round_trip(seconds: int) -> None:
    """A formatted duration reads as the same number of seconds."""
    assert parse_duration(format_duration(seconds)) == seconds


@given(st.integers(1, 10**8))
def test_sizes_round_trip(size: int) -> None:
    """A formatted size reads as the same number of bytes."""
    assert parse_size(format_size(size)) == size


@given(
    st.integers(1, 10**9), st.sampled_from((1, 60, 3600, 86400, 604800)), st.sampled_from(("rate", "calls", "bytes"))
)
def test_quotas_round_trip(amount: int, window: int, unit: str) -> None:
    """A formatted quota reads as the same quota."""
    amount = amount if unit != "bytes" else min(amount, 10**8)
    parse = parse_size_quota if unit == "bytes" else parse_count_quota
    assert parse(format_quota(unit, amount, float(window))) == Quota(amount=amount, window=window)


@given(st.text(max_size=12) | st.integers() | st.none())
def test_parsers_never_crash(text: object) -> None:
    """Whatever is written, a parser gives a value or ValueError."""
    for parse in (parse_duration, parse_size, parse_count_quota, parse_size_quota, parse_clock):
        with contextlib.suppress(ValueError):
            parse(text)
