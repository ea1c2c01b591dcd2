"""The one way in which masking fails."""

from collections.abc import Iterator
from contextlib import contextmanager

from policy.errors import GateholdError


class Unmaskable(GateholdError):
    """These bytes could not be masked, so they must not be passed on.

    ``reason`` says why in stable words and never holds a piece of the data.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


@contextmanager
def refusing() -> Iterator[None]:
    """Turns every other exception into ``Unmaskable``: its text could hold a piece of the data."""
    try:
        yield
    except Unmaskable:
        raise
    except Exception as error:  # noqa: BLE001  (refused, never passed over)
        raise Unmaskable(f"masking failed: {type(error).__name__}") from None


class ModelUnavailable(Unmaskable):
    """A language model that a profile names cannot be used; the message says which and why."""
