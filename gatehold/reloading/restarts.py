"""What only a restart can change: where the gateway listens, whom it believes, and where it keeps things.

A change of these comes into force with nothing else, for a half of a changed configuration was written by nobody.
"""

from collections.abc import Iterator
from typing import Final

from gatehold.config import Configuration

TAKEN: Final = frozenset({"packs", "policies", "approvals"})
"""Keys of the Gateway document that come into force while it runs."""


def needs_restart(before: Configuration, now: Configuration) -> tuple[str, ...]:
    """What was changed and takes a restart, in the words of the configuration."""
    return (*_keys(before, now), *_listeners(before, now))


def _keys(before: Configuration, now: Configuration) -> Iterator[str]:
    old, new = before.gateway.spec, now.gateway.spec
    for name, field in type(new).model_fields.items():
        if name not in TAKEN and getattr(old, name) != getattr(new, name):
            yield field.alias or name


def _listeners(before: Configuration, now: Configuration) -> Iterator[str]:
    """Reverse listeners stand in for one address, which they know from the start."""
    for listener in before.gateway.spec.listen:
        old, new = (each.targets.get(listener.target or "") for each in (before, now))
        if old is None or new is None:
            continue
        if (old.spec.scheme, old.spec.hosts[0]) != (new.spec.scheme, new.spec.hosts[0]):
            yield f"the first host of target {new.name}, for which a listener stands in"
