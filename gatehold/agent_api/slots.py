"""How many questions one agent may have under way at the same time. Pure; belongs to one event loop."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from policy.codes import Code
from policy.errors import Refusal


class Slots:
    """So many for each key."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._taken: Counter[Hashable] = Counter()

    def __repr__(self) -> str:
        return f"<Slots: {self._taken.total()} taken by {len(self._taken)}>"

    @contextmanager
    def taking(self, key: Hashable) -> Iterator[None]:
        """Hold one for a while; raises Refusal (rate-limited) where all of this key's are taken."""
        if self._taken[key] >= self._each:
            raise Refusal(Code.RATE_LIMITED, "Too many questions of this agent are under way.", retry_after=1)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]
