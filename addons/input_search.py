"""What an agent writes into a command, searched for protected data before it goes on.

Line by line: a line waits until it has ended, so that nothing goes on of one in which something is found. A terminal
sends key by key, and what its keys come to is known only to the program behind it, so input at a terminal is not
searched but refused (``addons.upgrades``); so is what is no text.
"""

from collections.abc import Callable, Mapping

from masking.errors import Unmaskable
from masking.terminal import TerminalMask
from policy.errors import GateholdError


class InputRefused(GateholdError):
    """Nothing more of the input goes on; ``str()`` says why, and holds nothing of it."""


class InputSearch:
    """The input of one command."""

    def __init__(self, mask: TerminalMask, *, replaces: bool) -> None:
        """``mask``: of the profiles that are searched for; ``replaces``: what is found is masked, else ends it."""
        self._mask = mask
        self._replaces = replaces
        self._found: Mapping[str, int] = {}

    @property
    def held(self) -> int:
        """Bytes that wait for the end of their line."""
        return self._mask.held

    @property
    def found(self) -> str:
        """What was found so far: entities and how often; empty where nothing was."""
        return ", ".join(f"{entity}={count}" for entity, count in self._found.items())

    def feed(self, data: bytes) -> bytes:
        """The lines that may go on now; raises ``InputRefused``."""
        return self._searched(lambda: self._mask.feed(data))

    def end(self) -> bytes:
        """What is left, now that nothing follows; raises ``InputRefused``."""
        return self._searched(self._mask.end)

    def _searched(self, work: Callable[[], bytes]) -> bytes:
        try:
            masked = work()
        except Unmaskable as unmaskable:
            raise InputRefused(f"the input cannot be searched: {unmaskable.reason}") from None
        self._found = self._mask.counts
        if self._found and not self._replaces:
            raise InputRefused(f"protected data in the input: {self.found}")
        return masked
