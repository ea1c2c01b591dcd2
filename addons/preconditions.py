"""What no rule can allow, because the gateway could not keep its word on it.

Judged before policy, so that neither the decision nor what is looked up for it tells the agent anything.
"""

from addons.calls import Call, need
from addons.runtime import Runtime
from gatehold.credentials.impersonation import impersonation
from policy.actions.kubernetes import KubernetesAction
from policy.actions.oracles import reads_hidden
from policy.actions.soundness import why_unsound
from policy.codes import Code
from policy.errors import Refusal

_READS_HIDDEN = "A json-patch may not copy, move or test what is hidden from agents."


def check(runtime: Runtime, call: Call) -> None:
    """Refuse a decoded call that would get around a mask, cannot be made in its agent's name, or at all."""
    target, action = need(call.target), call.known_action
    if target.spec.impersonate and call.agent is not None:
        impersonation(call.agent)
    if not isinstance(action, KubernetesAction):
        return
    if why := why_unsound(action):
        raise Refusal(Code.MALFORMED, why)
    if reads_hidden(action) and runtime.ruling(call).hides_secrets(target.name):
        raise Refusal(Code.DLP_BLOCKED, _READS_HIDDEN)
