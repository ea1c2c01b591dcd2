"""Waits for a blocking request without the loop, and without being waited for: a bucket may hang for minutes.

The loop's own executor is joined when the process ends, so a stop would wait for a request that was given up.
"""

import asyncio
import contextlib
from collections.abc import Callable
from threading import Thread


async def aside[**P, T](function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a function gives or raises, from a thread of its own; cancelled, it is left to itself."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if done.done():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]  # where there is no error, it is what was given

    def run() -> None:
        result, error = None, None
        try:
            result = function(*args, **kwargs)
        except Exception as raised:  # noqa: BLE001 (it is raised where it is waited for)
            error = raised
        except BaseException as raised:  # noqa: BLE001 (a library in Rust that panics: else it is waited for for ever)
            error = RuntimeError(type(raised).__name__)
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    Thread(target=run, name="gatehold-object-store", daemon=True).start()
    return await done
