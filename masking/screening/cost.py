"""What a body may cost where others wait, as on an event loop.

Screening takes some nanoseconds for a byte, whatever the bytes are. Judging what was found takes up to some
microseconds for a byte of it, and hostile texts are made so. Hence a body is masked on the loop only where little of it
is judged.
"""

AT_ONCE = 64 << 10
"""Bytes of a body that may be screened at once."""
JUDGED_AT_ONCE = 128
"""Bytes of names and values that may be judged at once."""
