"""Times as those who hand out credentials write them."""

from datetime import UTC, datetime


def unix_time(text: str) -> float:
    """Seconds of an RFC 3339 time. Raises ``ValueError``."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
