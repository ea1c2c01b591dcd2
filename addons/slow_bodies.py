"""Answers that are kept until they are whole, and do not become it: after a long silence they are given up.

How large such an answer may become is bounded elsewhere. How long it may take is not, for a report may come slowly: as
long as bytes come, it is waited for, at most until the agent's token expires.
"""

import asyncio
import math
import time
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from mitmproxy import ctx
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy import events
from mitmproxy.proxy.layers.http import HttpStream

from addons.runtime import Runtime

SILENCE = 120.0
"""Seconds between two pieces of a body."""


@dataclass
class BodyStalled(events.MessageInjected[None]):
    """The answer to a flow does not become whole."""


@dataclass(slots=True)
class _Wait:
    heard: float
    """When the last piece came, on the monotonic clock."""
    ends: float
    """When it is given up whatever comes."""

    @property
    def due(self) -> float:
        """When it is given up if nothing comes until then."""
        return min(self.heard + SILENCE, self.ends)


_waits: WeakKeyDictionary[HttpStream, _Wait] = WeakKeyDictionary()
_looks: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[float, asyncio.TimerHandle]] = WeakKeyDictionary()
"""When is looked at all waits next: one timer for all of them, for nearly every body is whole at once."""


def note(runtime: Runtime, stream: HttpStream) -> None:
    """A stream has worked off an event: begin to wait for its body, go on to, or stop."""
    wait = _waits.get(stream)
    if stream.server_state != stream.state_consume_response_body:
        if wait is not None:
            del _waits[stream]
    elif wait is not None:
        wait.heard = time.monotonic()
    else:
        call, now = runtime.ledger.get(stream.flow), time.monotonic()
        left = call.agent.expires_at - time.time() if call is not None and call.agent is not None else math.inf
        wait = _waits[stream] = _Wait(now, now + max(0.0, left))
        _look_at(wait.due)


def _look_at(due: float) -> None:
    """Look at all waits then, unless that is done before anyway."""
    loop = asyncio.get_running_loop()
    planned = _looks.get(loop)
    if planned is None or due < planned[0]:
        if planned is not None:
            planned[1].cancel()
        _looks[loop] = due, Runtime.later(max(0.0, due - time.monotonic()), _look)


def _look() -> None:
    _looks.pop(asyncio.get_running_loop(), None)
    now, due = time.monotonic(), math.inf
    for stream, wait in list(_waits.items()):
        if now < wait.due:
            due = min(due, wait.due)
        else:
            del _waits[stream]
            _give_up(stream)
    if due < math.inf:
        _look_at(due)


def _give_up(stream: HttpStream) -> None:
    proxyserver = ctx.master.addons.get("proxyserver")
    if isinstance(proxyserver, Proxyserver) and stream.flow.client_conn.id in proxyserver.connections:
        proxyserver.inject_event(BodyStalled(stream.flow, None))
