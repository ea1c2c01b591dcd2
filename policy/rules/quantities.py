"""Amounts as operators write them: ``15m``, ``64KiB``, ``20/hour``, ``1GiB/day``, ``09:00``.

Every parser raises ``ValueError`` with a message that says what would have been right; every formatter gives back a
text that its parser reads as the same amount.
"""

import re
from dataclasses import dataclass

_DURATION_UNITS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_SIZE_UNITS = {"TiB": 1 << 40, "GiB": 1 << 30, "MiB": 1 << 20, "KiB": 1 << 10, "B": 1}
_WINDOWS = {"week": 604800, "day": 86400, "hour": 3600, "minute": 60, "second": 1}

_DURATION = re.compile(r"([0-9]{1,9})([smhd])")
_SIZE = re.compile(r"([0-9]{1,9})(B|KiB|MiB|GiB|TiB)")
_COUNT = re.compile(r"[0-9]{1,12}")
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
_MINUTES_PER_DAY = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """At most ``amount`` in ``window`` seconds."""

    amount: int
    window: int


def parse_duration(text: object) -> float:
    """``50s``, ``15m``, ``1h``, ``90d`` as seconds, more than zero."""
    found = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{text!r} is not a duration; write a number and one of s, m, h, d, as in 15m")
    return float(int(found[1]) * _DURATION_UNITS[found[2]])


def format_duration(seconds: float) -> str:
    """The shortest text for a whole number of seconds."""
    unit = next(unit for unit, size in _DURATION_UNITS.items() if int(seconds) % size == 0)
    return f"{int(seconds) // _DURATION_UNITS[unit]}{unit}"


def parse_size(text: object) -> int:
    """``64KiB``, ``10MiB`` as bytes, more than zero."""
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{text!r} is not a size; write a number and one of B, KiB, MiB, GiB, TiB, as in 10MiB")
    return int(found[1]) * _SIZE_UNITS[found[2]]


def format_size(size: int) -> str:
    """The shortest text for a number of bytes, more than zero."""
    unit = next(unit for unit, factor in _SIZE_UNITS.items() if size % factor == 0)
    return f"{size // _SIZE_UNITS[unit]}{unit}"


def parse_count_quota(text: object) -> Quota:
    """``20/hour``: calls per second, minute, hour, day or week."""
    amount, window = _split_quota(text, "20/hour")
    if not _COUNT.fullmatch(amount) or int(amount) == 0:
        raise ValueError(f"{text!r}: {amount!r} is not a number of calls; write it as in 20/hour")
    return Quota(amount=int(amount), window=window)


def parse_size_quota(text: object) -> Quota:
    """``1GiB/day``: bytes per second, minute, hour, day or week."""
    amount, window = _split_quota(text, "1GiB/day")
    return Quota(amount=parse_size(amount), window=window)


def format_quota(unit: str, amount: int, window: float) -> str:
    """A quota as it would be written; ``unit`` is ``rate``, ``calls`` or ``bytes``."""
    words = {float(seconds): word for word, seconds in _WINDOWS.items()}
    return f"{format_size(amount) if unit == 'bytes' else amount}/{words[float(window)]}"


def parse_clock(value: object) -> int:
    """A time of day, ``00:00`` to ``24:00``, as minutes since midnight.

    YAML 1.1 reads an unquoted ``17:00`` as a number in base 60, which is the same minutes since midnight.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MINUTES_PER_DAY:
        return value
    found = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else -1
    if not 0 <= minutes <= _MINUTES_PER_DAY:
        raise ValueError(f"{value!r} is not a time of day; write it as in 09:00, at most 24:00")
    return minutes


def _split_quota(text: object, example: str) -> tuple[str, int]:
    amount, slash, window = text.partition("/") if isinstance(text, str) else ("", "", "")
    if not slash or window not in _WINDOWS:
        raise ValueError(f"{text!r} is not an amount per time; write it per {', '.join(_WINDOWS)}, as in {example}")
    return amount, _WINDOWS[window]
