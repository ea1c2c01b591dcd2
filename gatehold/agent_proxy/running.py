"""A forwarder as a process: where it listens, and when it ends."""

import asyncio
import ipaddress
import resource
import signal
from collections.abc import Callable

from gatehold.agent_proxy.serving import MAX_CONNECTIONS, AgentProxy

_FILES = 4 * MAX_CONNECTIONS
"""Two for each connection that is served, one for each that is told to come later, and some."""


def listen_address(text: str, *, anywhere: bool) -> tuple[str, int]:
    """``host:port`` or ``[v6]:port`` of the loopback interface, unless ``anywhere``. Raises ValueError.

    Whoever reaches the forwarder is the agent.
    """
    host, _, port = text.rpartition(":")
    name = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    if not name or (":" in name) != (name is not host) or not port.isascii() or not port.isdecimal():
        raise ValueError(f"{text!r} is not host:port")
    if int(port) > 65535:
        raise ValueError(f"{port} is not a port")
    if not anywhere and not _is_loopback(name):
        raise ValueError(f"{name} is not a loopback address, so others could be the agent; --insecure-listen allows it")
    return name, int(port)


async def run(proxy: AgentProxy, host: str, port: int, *, ready: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is told the URL. Raises OSError."""
    _allow_files(_FILES)
    server = await proxy.listen(host, port)
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    name, bound = server.sockets[0].getsockname()[:2]
    ready(f"http://{f'[{name}]' if ':' in name else name}:{bound}")
    await ended.wait()
    server.close()
    server.abort_clients()
    await server.wait_closed()


def _allow_files(number: int) -> None:
    """As many open files as that, or as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = number if hard == resource.RLIM_INFINITY else min(number, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
