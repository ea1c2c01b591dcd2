"""How many files and sockets this process may have open: a call that waits for people keeps its connection."""

import contextlib
import resource
from typing import Final

ENOUGH: Final = 65_536
"""More are not asked for: children close what they inherit one by one."""


def allow_many() -> None:
    """Raise the soft limit, commonly 1,024, to the hard one; where that is refused it stays as it is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH if hard == resource.RLIM_INFINITY else min(hard, ENOUGH)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
