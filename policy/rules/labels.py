"""Whether labels fit, of the objects that a call is about.

A write has two: the object before and after. For walls and turnstiles one of them is enough; a door needs both, or an
object could be relabelled into reach or out of it. On a subresource the labels of the object itself count, and where a
write of it may change them (the status of a pod, a service, a node takes labels with it), those afterwards as well. Of
reads and of collections the labels cannot be told beforehand.
"""

from collections.abc import Mapping

from policy.actions.kubernetes import KubernetesAction
from policy.model import UNKNOWN, Maybe, Wanted

type Labels = Maybe[dict[str, str] | None]


def labels_fit(wanted: Mapping[str, str], action: KubernetesAction, *, forbids: bool) -> Maybe[bool]:
    """Whether the objects carry these labels: one of them where a rule forbids, else all of them."""
    fits = [_fits(wanted, labels) for _, labels in labels_of(action) if labels is not None]
    if any(fit is forbids for fit in fits):
        return forbids
    return UNKNOWN if not fits or any(fit is UNKNOWN for fit in fits) else not forbids


def labels_of(action: KubernetesAction) -> tuple[tuple[Wanted, Labels], ...]:
    """The labels that count, with the object that each stands on; None for an object that does not exist."""
    effect, verb = action.effect, action.verb
    if action.subresource:
        parent = (Wanted.PARENT, effect.labels_before)
        return (parent, (Wanted.NEW, effect.labels_after)) if effect.relabels else (parent,)
    before = ((Wanted.OLD, effect.labels_before),) if verb in {"update", "patch", "delete"} else ()
    after = ((Wanted.NEW, effect.labels_after),) if verb in {"create", "update", "patch"} else ()
    return before + after


def _fits(wanted: Mapping[str, str], labels: Maybe[dict[str, str]]) -> Maybe[bool]:
    return UNKNOWN if labels is UNKNOWN else all(labels.get(key) == value for key, value in wanted.items())
