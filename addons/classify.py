"""What is asked for: the bytes of a request become an Action of the target's family.

The path that was judged is the path that is sent: the flow's path is replaced by the canonical one here, before any
rule sees it.
"""

import asyncio

from mitmproxy import http

from addons import preconditions
from addons.calls import Stage, need
from addons.offload import ON_LOOP, PARSED_ON_LOOP
from addons.runtime import Runtime
from policy.actions.decoding import Action
from policy.actions.kubernetes import KubernetesAction
from policy.errors import Refusal
from policy.model import WireRequest


class Classify:
    """Decodes requests."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def request(self, flow: http.HTTPFlow) -> None:
        """Decode one request, or refuse it: as malformed, or for what no rule can allow."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        try:
            call.action = self.runtime.decoded(call)
            await _read_ahead(call.action, need(call.wire))
            preconditions.check(self.runtime, call)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        flow.request.path = call.action.wire_path
        call.stamp(Stage.CLASSIFY)


async def _read_ahead(action: Action, wire: WireRequest) -> None:
    """Read what policy will ask about a write, where that takes longer than everybody should wait."""
    if not isinstance(action, KubernetesAction) or not action.is_write:
        return
    # YAML takes some fifty times as long as JSON.
    is_json = any(name.lower() == "content-type" and "json" in value for name, value in wire.headers)
    if len(wire.body or b"") > (PARSED_ON_LOOP if is_json else ON_LOOP):
        await asyncio.to_thread(action.payload)
