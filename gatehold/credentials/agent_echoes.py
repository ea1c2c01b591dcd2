"""What no answer to one agent may show: credentials that all agents use, and those that it alone has."""

from collections.abc import Callable
from dataclasses import dataclass

from masking.literals import Replacing


@dataclass(frozen=True, slots=True)
class AgentEchoes:
    """Both, as they are known at any time. Another agent's own are not looked for: there may be a thousand of them."""

    shared: Callable[[], Replacing]
    own: Callable[[], Replacing]

    def __bool__(self) -> bool:
        return bool(self.shared()) or bool(self.own())

    def replace(self, data: bytes) -> bytes:
        """``data`` without them; the same object where there is none."""
        return self.own().replace(self.shared().replace(data))

    def held_back(self, data: bytes) -> int:
        """How many bytes at the end of ``data`` could be the beginning of one."""
        return max(self.shared().held_back(data), self.own().held_back(data))
