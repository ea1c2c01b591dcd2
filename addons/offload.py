"""Where work on a body is done: a small one on the event loop, any other in a thread; the loop is everybody's.

A thread shares the interpreter's lock with the loop, so it must not hold it for long at a time: bodies above
``gatehold.body_workers.LARGE`` are masked in processes of their own, from within such a thread.
"""

import asyncio
from collections.abc import Callable

ON_LOOP = 512
"""Bytes of a body up to which it is masked, searched or filtered at once: a few milliseconds at the very worst."""
PARSED_ON_LOOP = 16 * 1024
"""Bytes of JSON up to which it is read at once, or of anything that is only looked through for credentials: about a
millisecond."""


async def by_body[**P, T](body: bytes | None, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """What policy says of a request with this body: conditions on it take as long as reading it.

    YAML takes some fifty times as long as JSON, and what begins like neither could be that.
    """
    limit = PARSED_ON_LOOP if body and body.lstrip()[:1] in {b"{", b"["} else ON_LOOP
    if len(body or b"") <= limit:
        return work(*arguments, **options)
    return await asyncio.to_thread(work, *arguments, **options)


def size_of(body: bytes, coding: str) -> int | None:
    """For ``by_size``: None for a body with a content coding, of which twenty bytes may become a megabyte."""
    return None if coding.strip() else len(body)


async def by_size[**P, T](size: int | None, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """What ``work`` returns, done where it belongs for a body of this size; None: it takes long for any."""
    if size is not None and size <= ON_LOOP:
        return work(*arguments, **options)
    return await asyncio.to_thread(work, *arguments, **options)
