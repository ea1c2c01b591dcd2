"""What the configuration says of approvals, as far as the desk needs it."""

from collections.abc import Collection
from typing import Protocol


class DeskSettings(Protocol):
    """The keys of ``approvals:`` that matter here; durations in seconds."""

    @property
    def expire(self) -> float:
        """How long people may answer."""

    @property
    def spend_within(self) -> float:
        """How long a yes may be used."""

    @property
    def max_open_per_agent(self) -> int:
        """Questions that one agent may have open."""

    @property
    def break_glass(self) -> Collection[str]:
        """Groups whose members may answer alone."""

    @property
    def local(self) -> str:
        """``users``: answers on the gateway's own machine count; ``off``: they do not."""
