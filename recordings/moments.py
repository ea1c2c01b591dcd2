"""Times as people write them, and as programs read them."""

import re
from datetime import UTC, datetime
from typing import Final

_AGO: Final = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def moment_of(text: str, *, now: float) -> float:
    """Unix seconds of ``30m``, ``24h``, ``7d`` before ``now``, or of an ISO date, in UTC without a zone.

    Raises ValueError.
    """
    if match := _AGO.fullmatch(text):
        return now - int(match[1]) * _SECONDS[match[2]]
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise ValueError(f"{text}: neither a duration (30m, 24h, 7d) nor a date") from None


def timestamp(seconds: float) -> str:
    """RFC 3339 with milliseconds, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
