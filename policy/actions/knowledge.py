"""What a look at the cluster tells of the object that a call is about.

A request tells little of the object that it changes. Whoever can look into the cluster hands over the object as it is,
as the write will leave it, and for a subresource the object that it belongs to. Nothing here is guessed: what nobody
looked at is ``UNKNOWN``, and ``None`` says that there is no such object.
"""

from dataclasses import dataclass, field
from typing import Any

from policy.model import UNKNOWN, Maybe


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownObjects:
    """Objects as the API server tells them, as JSON values."""

    old: Maybe[dict[str, Any] | None] = field(default=UNKNOWN, repr=False)
    """The addressed object before the call; None where it does not exist. A Scale for a call to ``/scale``."""
    new: Maybe[dict[str, Any] | None] = field(default=UNKNOWN, repr=False)
    """The same after the call; None where it will be gone."""
    parent: Maybe[dict[str, Any]] = field(default=UNKNOWN, repr=False)
    """The object that the addressed subresource belongs to."""


NOTHING_KNOWN = KnownObjects()
