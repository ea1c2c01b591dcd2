"""Law: a small body is worked off at once, any other in a thread."""

import threading

import pytest

from addons.offload import ON_LOOP, by_body, by_size, size_of


@pytest.mark.parametrize(("size", "here"), [(0, True), (ON_LOOP, True), (ON_LOOP + 1, False), (None, False)])
async def test_the_size_tells_where(size: int | None, here: bool) -> None:
    """None: it takes long for any size."""
    assert (await by_size(size, threading.get_ident) == threading.get_ident()) is here


@pytest.mark.parametrize("size", [0, ON_LOOP + 1])
async def test_what_is_raised_there_is_raised_here(size: int) -> None:
    """Arguments and errors pass in either case."""
    with pytest.raises(ZeroDivisionError):
        await by_size(size, divmod, 1, 0)
    assert await by_size(size, sorted, [1, 2], reverse=True) == [2, 1]


def test_a_compressed_body_takes_long_whatever_its_size() -> None:
    """Twenty bytes of Brotli may become a megabyte."""
    assert size_of(b"{}", "") == size_of(b"{}", " ") == 2
    assert size_of(b"{}", "br") is None


@pytest.mark.parametrize(
    ("body", "on_loop"),
    [
        (None, True),
        (b"", True),
        (b"a: 1\n" * 50, True),
        (b"a: 1\n" * 200, False),
        (b'  {"a": "' + b"x" * 15000 + b'"}', True),
        (b'{"a": "' + b"x" * 20000 + b'"}', False),
    ],
)
async def test_conditions_on_a_long_body_leave_the_loop(body: bytes | None, on_loop: bool) -> None:
    """Long is less for what may be YAML."""
    thread = await by_body(body, threading.get_ident)
    assert (thread == threading.get_ident()) is on_loop
