"""The last request stage: nothing goes upstream without every stage's stamp, and without a record of the intent.

The seal looks at the flow once more as it is about to leave: the method, path and body must still be those that were
judged, and the destination the target that was. Then limits are charged, the intent is appended to the journal (synced
to disk for writes and approved calls), and only then the seal is put on.
"""

import time

from mitmproxy import http

from addons.calls import Call, Stage, need
from addons.dlp import covers
from addons.record import Recording
from addons.runtime import Runtime
from gatehold.identity.revocation import INTERVAL
from policy.codes import Code
from policy.errors import Refusal


class Seal:
    """Lets a call out."""

    def __init__(self, runtime: Runtime, recording: Recording) -> None:
        self.runtime = runtime
        self.recording = recording

    async def request(self, flow: http.HTTPFlow) -> None:
        """Seal one call, or refuse it."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        try:
            if call.token and time.time() - call.started >= INTERVAL:
                await self._verify_again(call.token)
            self._check(flow, call)
            self.runtime.ruling(call).limiting.charge(call.obligations, need(call.agent), need(call.target).name)
            await self.recording.intent(flow, call)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        if call.client_gone.is_set():
            self.runtime.refuse(flow, Refusal(Code.GATEWAY_ERROR, "the client is gone"))
            return
        call.forwarded = True
        call.stamp(Stage.SEAL)

    async def _verify_again(self, token: str) -> None:
        """A call may have waited for lookups, or in a search, since it said who it is: raises Refusal where its token
        ended or was revoked meanwhile."""
        verifier = self.runtime.gateway.verifier
        _ = verifier.verify_cached(token) or await verifier.verify(token)

    def _check(self, flow: http.HTTPFlow, call: Call) -> None:
        if not call.ready_for_seal:
            raise Refusal(Code.GATEWAY_ERROR, "the call did not pass every stage", reason=f"stamps: {call.stamps}")
        if call.obligations.dlp is not None and not covers(call.searched, call.obligations.dlp):
            raise Refusal(Code.GATEWAY_ERROR, "the call was not searched as it has to be")
        request, target = flow.request, need(call.target)
        unchanged = (
            request.method == need(call.wire).method
            and request.path == call.path_that_leaves
            and request.raw_content == call.body_to_send
        )
        if not unchanged:
            raise Refusal(Code.GATEWAY_ERROR, "the call was changed after it was judged")
        addressed = self.runtime.ruling(call).registry.find(request.host, request.port)
        if addressed is not target or request.scheme != target.spec.scheme:
            raise Refusal(Code.MISDIRECTED, "the call would go to another target than it was judged for")
