"""Values in the place of their tokens: agents work with data that they never see.

An agent that was shown ``<EMAIL_ADDRESS:...>`` sends it back, and the target gets the address: only where a mask
profile names the target, the method, the path and the place, and only where the token is the whole value there. This
comes after the hold, so what people approve, the policy judges and the recording keeps is the token. A token that is
not of this session is refused; a token at any other place stays one.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from mitmproxy import http

from addons.calls import Call, Stage, need
from addons.offload import by_size
from addons.runtime import Runtime
from gatehold.restoring import RestoreRule, entities_at, entities_of
from gatehold.vault import SessionVault, VaultFullError
from masking.profiles.paths import Step
from masking.restoring import Find, restore_json, restore_query
from policy.actions.http import HttpAction
from policy.codes import Code
from policy.errors import Refusal
from policy.model import UNKNOWN

_UNKNOWN = (
    "A pseudonym in the request stands for nothing in this session: it is of another session, it was forgotten, or its"
    " value is too short or too long to be put back. Read the data again and use the pseudonym that you get."
)
_TOO_MANY = "Too many different values were put back in this session."


class Restore:
    """Puts values back."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime

    async def request(self, flow: http.HTTPFlow) -> None:
        """Put values back in one released call, or refuse it."""
        call = self.runtime.open_call(flow)
        if call is None:
            return
        try:
            await self._restore(call)
        except Refusal as refusal:
            self.runtime.refuse(flow, refusal)
            return
        call.stamp(Stage.RESTORE)

    async def _restore(self, call: Call) -> None:
        gateway, target, action = self.runtime.gateway, need(call.target), call.known_action
        restoring = self.runtime.ruling(call).restoring
        if not restoring or not isinstance(action, HttpAction) or action.upgrade:
            return
        rules = restoring.of(target.name, action, target.traits.paths)
        if not rules:
            return
        vault = gateway.pseudonyms.vault(need(call.agent))
        work = _Work(call=call, action=action, rules=rules, vault=vault)
        limit = gateway.configuration.gateway.spec.limits.max_request_body
        # More than a few values take a while to be prepared for being looked for in answers.
        await by_size(len(call.body_to_send or b""), work.do, limit)
        if work.tokens:
            await by_size(None, work.look_out)
        call.restored = dict(sorted(Counter(work.tokens.values()).items()))
        call.outgoing_path, call.outgoing_body = work.path, work.body


@dataclass(slots=True, kw_only=True)
class _Work:
    """The values that one call gets."""

    call: Call
    action: HttpAction
    rules: Sequence[RestoreRule]
    vault: SessionVault | None
    path: str | None = None
    body: bytes | None = field(default=None, repr=False)
    tokens: dict[str, str] = field(default_factory=dict)
    """Those that were put back, with their entities."""
    values: dict[str, str] = field(default_factory=dict, repr=False)
    """Their values, with the tokens."""
    growth: int = 0

    def do(self, limit: int) -> None:
        """Make the path and the body that leave; raises Refusal, also for a body that grows by more than ``limit``."""
        self.path, self.body = self.call.outgoing_path, self.call.outgoing_body
        path, mark, query = self.call.path_to_send.partition("?")
        if query and self.action.query is not UNKNOWN:
            restored = restore_query(query, lambda name: self._find(entities_of(self.rules, name), limit))
            self.path = f"{path}{mark}{restored}" if restored != query else self.path
        body = self.call.body_to_send
        if body and _is_json(self.action) and self.action.body() is not UNKNOWN:
            text = body.decode()
            restored = restore_json(text, lambda steps: self._find(self._entities(steps), limit))
            self.body = restored.encode() if restored != text else self.body

    def look_out(self) -> None:
        """See to it that the values are found in answers; raises Refusal where they are too many."""
        try:
            if self.vault:
                self.vault.put_back(self.values)
        except VaultFullError:
            raise Refusal(Code.DLP_BLOCKED, _TOO_MANY) from None

    def _entities(self, steps: Sequence[Step]) -> frozenset[str]:
        return entities_at(self.rules, steps)

    def _find(self, entities: frozenset[str], limit: int) -> Find | None:
        def find(token: str, entity: str) -> str | None:
            return self._value(token, entity, limit) if entity in entities else None

        return find if entities else None

    def _value(self, token: str, entity: str, limit: int) -> str:
        kept = self.vault.find(token) if self.vault else None
        if kept is None or kept.entity != entity:
            raise Refusal(Code.DLP_BLOCKED, _UNKNOWN, reason="an unknown pseudonym at a place for values")
        self.growth += len(kept.value)
        if self.growth > limit:
            raise Refusal(Code.TOO_LARGE, "The request is too large with all values put back.")
        self.tokens[token] = entity
        self.values[kept.value] = token
        return kept.value


def _is_json(action: HttpAction) -> bool:
    kind = action.content_type
    return kind is not UNKNOWN and (kind == "application/json" or kind.endswith("+json"))
