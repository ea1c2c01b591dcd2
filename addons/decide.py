"""Whether it may happen: the policy's decision about one call."""

from mitmproxy import http

from addons.calls import Stage, need
from addons.runtime import Runtime
from policy.errors import Refusal
from policy.model import Decision, Verdict


class Decide:
    """Asks the policy."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    def request(self, flow: http.HTTPFlow) -> None:
        """Decide one call; a denial is answered here."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        agent, target = need(call.agent), need(call.target)
        call.decision = self.runtime.gateway.decide(agent, target.name, call.known_action)
        if call.decision.verdict is Verdict.DENY:
            retry_after = self.runtime.gateway.retry_after(call.decision, agent, target.name)
            self.runtime.refuse(flow, denial(call.decision, retry_after))
            return
        call.stamp(Stage.DECIDE)


def denial(decision: Decision, retry_after: int | None) -> Refusal:
    """A denying decision as a refusal: what the agent is told, what the audit trail is told."""
    return Refusal(decision.code, decision.reason, reason=decision.detail, rule=decision.rule, retry_after=retry_after)
