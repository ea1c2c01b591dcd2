"""What a held call will make of its object, for those who answer. Pure but for masking."""

from dataclasses import dataclass

from gatehold.approvals.model import Change
from gatehold.config import Target
from gatehold.lookups import changes
from gatehold.lookups.changes import Side
from gatehold.lookups.ladder import Found
from gatehold.scrubbing import Scrubber
from policy.actions.decoding import Action
from policy.actions.kubernetes import CONNECTING, KubernetesAction
from policy.actions.scopes import BUILT_IN_GROUPS
from policy.model import UNKNOWN

_VERBS = frozenset({"create", "update", "patch", "delete", "deletecollection"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """A change, and the digest to which an answer is bound."""

    change: Change
    digest: str = ""
    """Empty where the change is not known."""


def shows_effect(action: Action) -> bool:
    """Whether people can be shown what a call makes of an object: it writes one, and for real."""
    return (
        isinstance(action, KubernetesAction)
        and action.resource_request
        and action.verb in _VERBS
        and action.subresource not in CONNECTING
        and action.dry_run is not True
    )


def _writes_status(action: KubernetesAction, old: Side, new: Side) -> bool:
    """Whether the status is written: at its own path, and with custom resources that have no such path."""
    if action.subresource == "status":
        return True
    known = action.group in BUILT_IN_GROUPS or new is None
    return not known and (old or {}).get("status") != (new or {}).get("status")


def effect_of(action: Action, found: Found, scrubber: Scrubber, target: Target | None) -> Effect:
    """The effect as far as it was found out; takes long for large objects."""
    old, new = found.known.old, found.known.new
    if old is UNKNOWN or new is UNKNOWN:
        return Effect(change=Change(problem=found.problems[-1] if found.problems else "it is not known"))
    status = isinstance(action, KubernetesAction) and _writes_status(action, old, new)
    change = changes.change(old, new, lambda value: scrubber.document(value, target), status=status)
    return Effect(change=change, digest=changes.digest(old, new, status=status))
