"""Answers that are kept until they are whole, and do not become it: after a long silence they are given up.

How large such an answer may become is bounded elsewhere. How long it may take is not, for a report may come slowly: as
long as bytes come, it is waited for, at most until the agent's token expires.
"""

import math
import time
from dataclasses import dataclass
from functools import partial
from weakref import WeakKeyDictionary, ref

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


_waits: WeakKeyDictionary[HttpStream, _Wait] = WeakKeyDictionary()


def note(runtime: Runtime, stream: HttpStream) -> None:
    """A stream has worked off an event: begin to wait for its body, go on to, or stop."""
    wait, now = _waits.get(stream), time.monotonic()
    if stream.server_state != stream.state_consume_response_body:
        if wait is not None:
            del _waits[stream]
    elif wait is not None:
        wait.heard = now
    else:
        call = runtime.ledger.get(stream.flow)
        left = call.agent.expires_at - time.time() if call is not None and call.agent is not None else math.inf
        wait = _waits[stream] = _Wait(now, now + max(0.0, left))
        _look_later(stream, wait)


def _look_later(stream: HttpStream, wait: _Wait) -> None:
    due = min(wait.heard + SILENCE, wait.ends)
    Runtime.later(max(0.0, due - time.monotonic()), partial(_look, ref(stream)))


def _look(here: "ref[HttpStream]") -> None:
    stream = here()
    wait = _waits.get(stream) if stream is not None else None
    if stream is None or wait is None:
        return
    if time.monotonic() < min(wait.heard + SILENCE, wait.ends):
        _look_later(stream, wait)
    else:
        _give_up(stream)


def _give_up(stream: HttpStream) -> None:
    proxyserver = ctx.master.addons.get("proxyserver")
    if isinstance(proxyserver, Proxyserver) and stream.flow.client_conn.id in proxyserver.connections:
        proxyserver.inject_event(BodyStalled(stream.flow, None))
