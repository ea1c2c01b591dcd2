"""What a changed configuration means for connections that are open.

A call keeps to the configuration with which it began, a connection to the address, trust and certificate with which it
was opened. Where a target leads elsewhere now, or is gone, the connections to it are closed with all that is on them,
and a call that began before and has none yet is not dialled: its credential was for the other place.
"""

import asyncio
import signal

from mitmproxy import connection, ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from addons.runtime import Runtime
from gatehold.ruling import Taken

_SIGNAL = getattr(signal, "SIGHUP", None)


class Reloads:
    """Closes and keeps from dialling."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def running(self) -> None:
        """Listen to the signal, and to what comes into force."""
        reloading = self.runtime.gateway.reloading
        reloading.afterwards(self.taken)
        if _SIGNAL is not None:
            asyncio.get_running_loop().add_signal_handler(_SIGNAL, reloading.hurry)

    def taken(self, taken: Taken) -> None:
        """Close the connections of agents that have one to a target which is another one now."""
        proxyserver = ctx.master.addons.get("proxyserver")
        if not isinstance(proxyserver, Proxyserver):
            return
        for client_id, handler in list(proxyserver.connections.items()):
            servers = [each for each in handler.transports if isinstance(each, connection.Server)]
            if any(_leads_elsewhere(taken, each) for each in servers):
                self.runtime.hang_up(str(client_id))

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """Dial for no call that began when the target led elsewhere."""
        now, address = self.runtime.gateway.ruling, data.server.address
        if address is None:
            return
        for call in self.runtime.ledger.unanswered(data.client.id):
            began, target = call.ruling, call.target
            if began is None or began is now or target is None or not call.sealed:
                continue
            if began.registry.find(*address[:2]) is target and not now.leads_as(began, target.name):
                data.server.error = "the target was changed meanwhile; the same request, sent again, goes there"


def _leads_elsewhere(taken: Taken, server: connection.Server) -> bool:
    target = taken.before.registry.find(*server.address[:2]) if server.address else None
    return target is not None and not taken.now.leads_as(taken.before, target.name)
