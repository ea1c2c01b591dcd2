"""Law: only this machine reaches a forwarder, unless somebody says otherwise; it ends when it is told to."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from gatehold.agent_proxy.gateway import Gateway
from gatehold.agent_proxy.running import listen_address, run
from gatehold.agent_proxy.serving import AgentProxy
from gatehold.agent_proxy.tokens import TokenFile


@pytest.mark.parametrize(
    ("text", "address"),
    [("127.0.0.1:8079", ("127.0.0.1", 8079)), ("localhost:0", ("localhost", 0)), ("[::1]:1", ("::1", 1)), ("127.8.0.1:1", ("127.8.0.1", 1))],
)  # fmt: skip
def test_loopback_addresses(text: str, address: tuple[str, int]) -> None:
    assert listen_address(text, anywhere=False) == address


@pytest.mark.parametrize(
    "text", ["0.0.0.0:8079", "[::]:8079", "10.0.0.5:8079", "localhost.evil.example:1", "gateway:1"]
)
def test_other_addresses(text: str) -> None:
    """Whoever reaches it is the agent: that has to be said."""
    with pytest.raises(ValueError, match="--insecure-listen"):
        listen_address(text, anywhere=False)
    assert listen_address(text, anywhere=True)


@pytest.mark.parametrize("text", ["", "8079", ":8079", "::1:8079", "[127.0.0.1]:1", "[::1]", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:²"])  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r"host:port|not a port"):
        listen_address(text, anywhere=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_ends_with_its_connections(tmp_path: Path, number: signal.Signals) -> None:
    """Also with those that are open."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    proxy = AgentProxy(Gateway(host="127.0.0.1", port=1), TokenFile(path=tmp_path / "token"))
    work = asyncio.create_task(run(proxy, "127.0.0.1", 0, ready=ready.set_result))
    url = await asyncio.wait_for(ready, 30)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
    writer.write(b"CONNECT")
    await writer.drain()
    os.kill(os.getpid(), number)
    await asyncio.wait_for(work, 30)
    with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
        await reader.readexactly(1)
    writer.close()
