"""``gatehold run``: a proxy built for governance, without a script and its watcher."""

import asyncio
import signal

from mitmproxy import master, options
from mitmproxy.addons import core, errorcheck, next_layer, proxyserver

from addons import chain, logs
from gatehold.config import Configuration
from gatehold.wiring import Gateway


def run(configuration: Configuration, *, verbosity: str = "warn") -> None:
    """Serve until SIGINT or SIGTERM.

    Raises SystemExit(1) where a listener or service cannot be started, ConfigurationError where the configuration names
    what cannot be used (a missing credential, an unreadable key).
    """
    asyncio.run(_serve(configuration, verbosity))


async def _serve(configuration: Configuration, verbosity: str) -> None:
    logs.install()
    proxy = master.Master(options.Options(), with_termlog=True)
    proxy.options.update(termlog_verbosity=verbosity)
    proxy.addons.add(core.Core(), proxyserver.Proxyserver(), next_layer.NextLayer(), errorcheck.ErrorCheck())
    chain.install(proxy, Gateway.build(configuration))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, proxy.shutdown)
    await proxy.run()
