"""What mitmproxy does around each hook, option and stream, done once instead of for every call.

A call meets seven hooks, a task for each of them, two streams' worth of context and some twenty options. Stock looks up
the fields of a hook's dataclass each time it is asked for its arguments, asks the environment whether a test is running
to name a task that is done already, makes a server connection to throw it away, and copies an option deeply to hand out
a number.
"""

import asyncio
import copy
from collections.abc import Coroutine
from dataclasses import fields
from functools import cache
from types import NoneType
from typing import Any

from mitmproxy import hooks, optmanager
from mitmproxy.proxy import context
from mitmproxy.utils import asyncio_utils

_PLAIN = frozenset({str, int, float, bool, NoneType})
"""Values that nobody can change."""


def install() -> None:
    """Do so in this process."""
    replacements: tuple[tuple[Any, str, Any], ...] = (
        (hooks.Hook, "args", _arguments),
        (optmanager._Option, "current", _current),  # noqa: SLF001 - where each access of an option ends
        (context.Context, "fork", _fork),
        (asyncio_utils, "create_task", _create_task),
    )
    for owner, name, replacement in replacements:
        setattr(owner, name, replacement)


def _arguments(hook: hooks.Hook) -> list[Any]:
    kind: Any = type(hook)
    return [getattr(hook, name) for name in _names(kind)]


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind))


def _current(option: Any) -> Any:
    value = option._default if option.value is optmanager.unset else option.value  # noqa: SLF001 - as stock does
    return value if type(value) in _PLAIN else copy.deepcopy(value)


def _fork(self: context.Context) -> context.Context:
    forked = object.__new__(context.Context)
    forked.client, forked.server, forked.options = self.client, self.server, self.options
    forked.layers = self.layers.copy()
    return forked


def _create_task[T](
    coro: Coroutine[Any, Any, T], *, name: str, keep_ref: bool, client: tuple[Any, ...] | None = None
) -> asyncio.Task[T]:
    """A task that needs no name where it was done at once, as those of hooks mostly are."""
    task = asyncio.create_task(coro)
    if task.done():
        return task
    asyncio_utils.set_task_debug_info(task, name=name, client=client)
    if keep_ref:
        asyncio_utils._KEEP_ALIVE.add(task)  # noqa: SLF001 - what stock keeps its tasks alive with
        task.add_done_callback(asyncio_utils._KEEP_ALIVE.discard)  # noqa: SLF001
    return task
