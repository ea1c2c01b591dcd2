"""Law: a blocking request gives what it gives, and nobody who gave it up waits for it."""

import asyncio
from threading import Event

import pytest

from gatehold.objects.aside import aside


async def test_it_gives_and_raises() -> None:
    """As the function itself."""
    assert await aside(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        await aside(divmod, 7, 0)


async def test_what_was_given_up_is_left_to_itself() -> None:
    """What it gives later is nobody's."""
    begun, go_on, ended = Event(), Event(), Event()

    def hangs() -> None:
        begun.set()
        go_on.wait()
        ended.set()

    waiting = asyncio.create_task(aside(hangs))
    await asyncio.to_thread(begun.wait)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not ended.is_set()
    go_on.set()
    await asyncio.to_thread(ended.wait)


def test_a_loop_that_has_ended_is_not_told() -> None:
    """Its process may go on."""
    go_on, ended = Event(), Event()

    def hangs() -> None:
        go_on.wait()
        ended.set()

    async def leave() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(aside(hangs), 0.01)

    asyncio.run(leave())
    go_on.set()
    assert ended.wait(10)


async def test_a_library_that_panics_is_an_error() -> None:
    """Else it would be waited for for ever."""

    class PanicError(BaseException):
        pass

    def panics() -> None:
        raise PanicError

    with pytest.raises(RuntimeError, match="PanicError"):
        await aside(panics)
