"""How many look-ups run at once: an agent must not be able to turn one request into a storm of the gateway's own."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent

PER_AGENT = 8
IN_TOTAL = 64
_RETRY = 1


class Slots:
    """Counts look-ups under way."""

    def __init__(self, per_agent: int = PER_AGENT, in_total: int = IN_TOTAL) -> None:
        self._per_agent = per_agent
        self._in_total = in_total
        self._taken: Counter[tuple[str, str]] = Counter()

    def __repr__(self) -> str:
        return f"<Slots {self._taken.total()} of {self._in_total} taken>"

    @contextmanager
    def taken(self, agent: Agent) -> Iterator[None]:
        """Hold one slot; raises Refusal (rate-limited) where there is none."""
        key = (agent.issuer, agent.subject)
        if self._taken[key] >= self._per_agent or self._taken.total() >= self._in_total:
            detail = "too many calls are being looked into at the moment"
            raise Refusal(Code.RATE_LIMITED, detail, retry_after=_RETRY)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]
