"""``mitmdump -s addons/bundle.py --set gatehold_config=DIR``: the gateway inside a stock mitmdump.

The script only registers the real addons on the proxy itself, where no reload of this file reaches them. If the script
is changed, broken or deleted while it runs, mitmproxy unloads it: that is the tripwire, and the proxy shuts down.
"""

import asyncio
import sys
from pathlib import Path

from mitmproxy import ctx, exceptions
from mitmproxy.addonmanager import Loader

from addons import chain, logs, proxy_options
from addons.dispatch import GuardedAddonManager
from gatehold.config import load as load_configuration
from gatehold.wiring import Gateway
from policy.errors import ConfigurationError


def load(loader: Loader) -> None:
    """Declare the option, and keep mitmdump from opening a listener of its own."""
    loader.add_option("gatehold_config", str, "", "Directory of Gatehold's configuration documents.")
    _hold_listeners()


def configure(updated: set[str]) -> None:
    """Build the gateway once, from the directory that was named."""
    if isinstance(ctx.master.addons, GuardedAddonManager):
        if "gatehold_config" in updated:
            raise exceptions.OptionsError("gatehold_config cannot be changed while the gateway runs")
        return
    logs.install()
    try:
        gateway = _gateway()
    except ConfigurationError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    wrong = proxy_options.problems(ctx.options, gateway.body_limit)
    if wrong:
        sys.stderr.write("".join(f"{problem}\n" for problem in wrong))
        sys.exit(1)
    chain.install(ctx.master, gateway)


def done() -> None:
    """The tripwire: this script was unloaded, or the proxy ends."""
    if isinstance(ctx.master.addons, GuardedAddonManager) and not ctx.master.should_exit.is_set():
        ctx.master.addons.breach("the bundle script was unloaded")


def _gateway() -> Gateway:
    if not ctx.options.gatehold_config:
        raise ConfigurationError.of("command line", "name the configuration: --set gatehold_config=DIR")
    return Gateway.build(load_configuration(Path(ctx.options.gatehold_config)))


def _hold_listeners() -> None:
    """Stop mitmdump's own start-up of listeners, which began before this script was loaded.

    It has resolved nothing and bound nothing yet: scripts are loaded in the second turn of the event loop.
    """
    for task in asyncio.all_tasks():
        if task.get_name() == "setup_servers":
            task.cancel()
