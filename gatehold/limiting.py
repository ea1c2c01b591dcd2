"""Limits and budgets of a running gateway: counted in memory, written through to the store.

The count that decides is in memory, so that a call costs no write. Windows of a minute and longer are written to the
store once a second and read back at start: a restart does not refill a budget.
"""

import math
import time
from collections.abc import Callable, Collection, Mapping

from policy.codes import Code
from policy.errors import Refusal
from policy.limits import LimitKey, LimitLedger, key_for
from policy.model import Agent, LimitObligation, Obligations, RuleName, TargetName


class Limiting:
    """Looks at limits while policy decides, and charges them when a call is let out."""

    def __init__(
        self,
        ledger: LimitLedger,
        groups: Mapping[RuleName, Collection[str] | None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """``groups``: the groups that a rule names, for limits per group; None where it names none."""
        self.ledger = ledger
        self._groups = groups or {}
        self._clock = clock

    def wait(self, obligation: LimitObligation, agent: Agent, target: TargetName) -> float:
        """Seconds until one more call would pass; 0 where it passes now. Charges nothing."""
        return self.ledger.peek(obligation, self._key(obligation, agent, target), self._clock())

    def charge(self, obligations: Obligations, agent: Agent, target: TargetName) -> None:
        """Charge every limit of a call, or none: raises Refusal where one of them is used up meanwhile."""
        now = self._clock()
        keys = [(obligation, self._key(obligation, agent, target)) for obligation in obligations.limits]
        for obligation, key in keys:
            seconds = self.ledger.peek(obligation, key, now)
            if seconds > 0:
                code = Code.RATE_LIMITED if obligation.unit == "rate" else Code.BUDGET_SPENT
                raise Refusal(code, rule=obligation.rule, retry_after=math.ceil(seconds))
        for obligation, key in keys:
            if obligation.unit != "bytes":  # bytes are known, and charged, once there is an answer
                self.ledger.charge(obligation, key, now)

    def charge_bytes(self, obligations: Obligations, agent: Agent, target: TargetName, amount: int) -> None:
        """Charge the bytes of an answer to byte budgets; what is over is paid by the calls that follow."""
        now = self._clock()
        for obligation in obligations.limits:
            if obligation.unit == "bytes":
                self.ledger.charge(obligation, self._key(obligation, agent, target), now, amount)

    def _key(self, obligation: LimitObligation, agent: Agent, target: TargetName) -> LimitKey:
        return key_for(obligation, agent, target, groups=self._groups.get(obligation.rule))
