"""Start and stop: services first, then listeners; listeners closed first, then services.

No listener is open while a service that a call needs is not there, and everything queued for the record is on disk when
the process ends.
"""

import logging
import sys

from mitmproxy import ctx, exceptions
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import mode_specs

from addons.record import Recording
from addons.runtime import Runtime
from policy.errors import ConfigurationError

logger = logging.getLogger(__name__)


class Lifecycle:
    """Runs the gateway's services along with the proxy."""

    def __init__(self, runtime: Runtime, recording: Recording) -> None:
        self.runtime = runtime
        self.recording = recording

    async def running(self) -> None:
        """Start the services, then open the listeners."""
        await self._close_strays()
        try:
            await self.runtime.gateway.start()
            await self.recording.started()
            self.runtime.gateway.background.every_turn(self.recording.tell_failures)
            await self.runtime.gateway.agent_api.open()
            await self.runtime.gateway.console_pages.open()
        except ConfigurationError as error:
            sys.stderr.write(f"{error}\n")
            sys.exit(2)
        except Exception as error:  # noqa: BLE001 - nothing is opened
            # ErrorCheck ends the process on an error that is logged while it starts.
            logger.error("gatehold: cannot start: %s", error)  # noqa: TRY400 - no traceback for an operator's mistake
            return
        proxyserver = ctx.master.addons.get("proxyserver")
        if not isinstance(proxyserver, Proxyserver):
            raise exceptions.AddonManagerError("the proxy server addon is gone")
        ctx.options.update(server=True)
        await proxyserver.servers.update([mode_specs.ProxyMode.parse(mode) for mode in ctx.options.mode])
        if len(proxyserver.servers) and all(server.is_running for server in proxyserver.servers):
            logger.warning("gatehold: ready; %s", self.runtime.gateway.describe())

    @staticmethod
    async def _close_strays() -> None:
        """Close listeners of the proxy's own; mitmdump may have begun to open one before the bundle was loaded."""
        proxyserver = ctx.master.addons.get("proxyserver")
        if isinstance(proxyserver, Proxyserver):
            for instance in list(proxyserver.servers):
                if instance.is_running:
                    await instance.stop()
            proxyserver.servers._instances.clear()  # noqa: SLF001 - no public way to forget a mode

    async def done(self) -> None:
        """Close the listeners and drain what is queued."""
        proxyserver = ctx.master.addons.get("proxyserver")
        if isinstance(proxyserver, Proxyserver):
            ctx.options.update(server=False)
            await proxyserver.servers.update([])
        await self.recording.stopping()
        await self.runtime.gateway.stop()
