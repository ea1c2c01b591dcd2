"""What is asked for: the bytes of a request become an Action of the target's family.

The path that was judged is the path that is sent: the flow's path is replaced by the canonical one here, before any
rule sees it.
"""

from mitmproxy import http

from addons.calls import Stage, need
from addons.runtime import Runtime
from policy.actions.decoding import decode
from policy.errors import Refusal


class Classify:
    """Decodes requests."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def request(self, flow: http.HTTPFlow) -> None:
        """Decode one request, or refuse it as malformed."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        traits = self.runtime.gateway.configuration.traits[need(call.target).name]
        try:
            call.action = decode(traits, need(call.wire))
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        flow.request.path = call.action.wire_path
        call.stamp(Stage.CLASSIFY)
