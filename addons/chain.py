"""The chain of addons, the same for both ways to run: who is in it, and in which order.

Each stage is one addon; the order below is the order in which a request passes them. Answers run through ``Redact`` and
then ``Record``, so that what is recorded is what was masked. Of mitmproxy's own addons only those stay that a proxy
cannot do without; every other one could rewrite, replay, save or print what was judged.
"""

import sys
from collections.abc import Sequence
from typing import Any

from mitmproxy import master
from mitmproxy.addons import core, errorcheck, next_layer, proxyserver, script, termlog

from addons import dialling, lean_headers, lean_hooks, lean_messages, proxy_options, tunnels, wire
from addons.aftermath import Aftermath
from addons.authenticate import Authenticate
from addons.certificates import Certificates
from addons.classify import Classify
from addons.connections import Connections, mode_spec
from addons.decide import Decide
from addons.dispatch import GuardedAddonManager, guard
from addons.dlp import Dlp
from addons.guard import Guard
from addons.hold import Hold
from addons.inject import Inject
from addons.lifecycle import Lifecycle
from addons.looking import Looking
from addons.record import Record, Recording
from addons.redact import Redact
from addons.rejudge import Rejudge
from addons.reloads import Reloads
from addons.restore import Restore
from addons.runtime import Runtime
from addons.seal import Seal
from addons.sessions import Sessions
from addons.upgrades import Upgrades
from addons.web_sockets import WebSockets
from gatehold.wiring import Gateway

KEPT = (
    core.Core,
    proxyserver.Proxyserver,
    next_layer.NextLayer,
    errorcheck.ErrorCheck,
    script.ScriptLoader,
    termlog.TermLog,
)
"""The stock addons that stay."""


SWITCH = 0.0005
"""Seconds after which a thread that masks lets the event loop have the interpreter. Python's own 5 ms are what every
call would wait, several times over, while one large body is masked."""


def stages(runtime: Runtime) -> tuple[Any, ...]:
    """The governance addons, in the order in which a request passes them."""
    recording = Recording(runtime)
    looking = Looking(runtime, recording)
    return (
        Lifecycle(runtime, recording),
        Guard(runtime),
        Certificates(runtime),
        Authenticate(runtime),
        Classify(runtime),
        Dlp(runtime),
        Decide(runtime, looking),
        Sessions(runtime),
        Upgrades(runtime),
        Hold(runtime, looking),
        Restore(runtime),
        Inject(runtime),
        Seal(runtime, recording),
        Aftermath(runtime, recording, looking),
        Redact(runtime, recording),
        Record(runtime, recording),
        WebSockets(runtime, recording),
        Rejudge(runtime),
        Reloads(runtime),
    )


def install(proxy: master.Master, gateway: Gateway) -> Runtime:
    """Make a proxy a gateway: guarded dispatch, our stages, forced options, guarded dialling.

    The proxy's listeners are not open yet; ``Lifecycle`` opens them once the gateway's services run.
    """
    specs = mode_specs(gateway)
    runtime = Runtime(gateway=gateway, connections=Connections(gateway.listeners, specs))
    manager = guard(proxy.addons, runtime.ledger)
    _remove_stock(manager)
    governance = stages(runtime)
    manager.add(*governance)  # type: ignore[no-untyped-call]
    # The guard refuses raw tunnels after mitmproxy chose a layer; everything else runs before stock addons see it.
    manager.governance = governance
    forced = proxy_options.forced(gateway.body_limit)
    # Options of addons that are not loaded here (``onboarding``) exist only inside mitmdump.
    known = {name: value for name, value in forced.items() if name in proxy.options}
    proxy.options.update(mode=list(specs), server=False, **known)
    sys.setswitchinterval(SWITCH)
    dialling.install(dialling.Dialler(lambda: gateway.registry, gateway.own_ports))
    lean_messages.install()
    lean_headers.install()
    lean_hooks.install()
    wire.install(runtime)
    tunnels.install(runtime)
    return runtime


def mode_specs(gateway: Gateway) -> tuple[str, ...]:
    """mitmproxy's mode specifications of the gateway's listeners, in order."""
    return tuple(mode_spec(listener, gateway.upstream_of(listener)) for listener in gateway.listeners)


def _remove_stock(manager: GuardedAddonManager) -> None:
    for addon in _removable(manager.chain):
        manager.set_aside(addon)


def _removable(chain: Sequence[Any]) -> list[Any]:
    return [addon for addon in chain if not isinstance(addon, KEPT)]
