"""Where work on a body is done: a small one on the event loop, a large one in a thread; the loop is everybody's."""

import asyncio
from collections.abc import Callable

ON_LOOP = 16 * 1024
"""Bytes of a body up to which work on it is done at once."""


async def by_size[**P, T](size: int, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """What ``work`` returns, done where it belongs for a body of this size."""
    if size <= ON_LOOP:
        return work(*arguments, **options)
    return await asyncio.to_thread(work, *arguments, **options)
