"""Law: what is done once instead of for every call comes to the same as what mitmproxy does."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from mitmproxy import hooks, options, optmanager
from mitmproxy.proxy import context
from mitmproxy.proxy.layers.http._hooks import HttpRequestHook
from mitmproxy.test import tflow
from mitmproxy.utils import asyncio_utils

from addons import lean_hooks
from tests.addons.support import make_client


@pytest.fixture(autouse=True)
def lean() -> Iterator[None]:
    """Installed for one test, and taken out."""
    places: list[tuple[Any, str]] = [
        (hooks.Hook, "args"),
        (optmanager._Option, "current"),
        (context.Context, "fork"),
        (asyncio_utils, "create_task"),
    ]
    stock = [getattr(owner, name) for owner, name in places]
    lean_hooks.install()
    yield
    for (owner, name), value in zip(places, stock, strict=True):
        setattr(owner, name, value)


def test_hooks_have_their_arguments() -> None:
    """In order; a hook without any has none."""
    flow = tflow.tflow()
    assert HttpRequestHook(flow).args() == [flow]
    assert hooks.DoneHook().args() == []


def test_options_are_what_they_were_set_to() -> None:
    """Also the default, also after a change; a list that is handed out is nobody else's."""
    chosen = options.Options()
    assert chosen.http2 is True
    chosen.update(listen_host="127.0.0.1", mode=["regular@1"])
    assert chosen.listen_host == "127.0.0.1"
    modes: Sequence[str] = chosen.mode
    assert isinstance(modes, list)
    modes.append("regular@2")
    assert chosen.mode == ["regular@1"]


def test_a_fork_has_layers_of_its_own() -> None:
    """And shares everything else, as stock's does."""
    whole = context.Context(make_client(), options.Options())
    forked = whole.fork()
    assert vars(forked) == vars(whole)
    assert forked.server is whole.server
    assert forked.layers is not whole.layers


async def test_tasks_are_kept_until_they_are_done() -> None:
    """One that waits is held and has its name; one that was done at once needs neither."""
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    gate = asyncio.Event()

    async def wait() -> str:
        await gate.wait()
        return "done"

    held = asyncio_utils.create_task(wait(), name="waiting", keep_ref=True, client=("192.0.2.7", 1))
    assert held.get_name().startswith("waiting")
    assert held in asyncio_utils._KEEP_ALIVE
    gate.set()
    assert await held == "done"
    await asyncio.sleep(0)
    assert held not in asyncio_utils._KEEP_ALIVE
    assert asyncio_utils.create_task(wait(), name="at once", keep_ref=True).done()
