"""Whether it may happen: the policy's decision about one call."""

import dataclasses

from mitmproxy import http

from addons.aliases import refuse_hidden_aliases
from addons.calls import Stage, need
from addons.looking import Looking, denial
from addons.runtime import Runtime
from policy.errors import Refusal
from policy.model import Verdict


class Decide:
    """Asks the policy."""

    def __init__(self, runtime: Runtime, looking: Looking) -> None:
        self.runtime = runtime
        self.looking = looking

    async def request(self, flow: http.HTTPFlow) -> None:
        """Decide one call; a denial is answered here."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        agent, target = need(call.agent), need(call.target)
        try:
            call.decision = await self.looking.judge(flow, call, agent)
            if call.decision.verdict is not Verdict.DENY:
                await refuse_hidden_aliases(self.runtime, call)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        if call.decision.verdict is Verdict.DENY:
            retry_after = self.runtime.ruling(call).retry_after(call.decision, agent, target.name)
            self.runtime.refuse(flow, denial(call.decision, retry_after))
            return
        if call.masked_request:
            hidden = ", ".join(f"{entity}={count}" for entity, count in sorted(call.masked_request.items()))
            told = "; ".join(filter(None, [call.decision.detail, f"masked in the request: {hidden}"]))
            call.decision = dataclasses.replace(call.decision, detail=told)
        call.stamp(Stage.DECIDE)
