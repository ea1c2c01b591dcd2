"""Doors that open to a part of an answer: limited by names or labels they let a read through, and it is reduced.

An answer can be reduced where it is a list of objects, a watch of them, or one object whose labels are only known when
it comes. That takes a GET without an upgrade. Everything else needs a door that shows the whole answer.
"""

from collections.abc import Iterable, Mapping, Sequence

from policy.actions.decoding import Action
from policy.actions.kubernetes import KubernetesAction
from policy.model import FilterObligation, RuleName, Visible
from policy.rules.rule import Rule

_READING = frozenset({"get", "list", "watch"})
_COLLECTIONS = frozenset({"list", "watch"})


def can_be_filtered(action: KubernetesAction) -> bool:
    """Whether the answer to this call can be reduced object by object."""
    return action.method == "GET" and action.verb in _READING and not action.subresource and not action.upgrade


def partial_views(doors: Iterable[Rule], action: Action) -> dict[RuleName, Visible]:
    """What each of these open doors lets the agent see, of those that do not show the whole answer."""
    if not isinstance(action, KubernetesAction) or not can_be_filtered(action):
        return {}
    views = ((door.name, _view(door, action)) for door in doors)
    return {name: view for name, view in views if view is not None}


def combine_views(door: Rule, doors: Sequence[Rule], views: Mapping[RuleName, Visible]) -> FilterObligation | None:
    """The filter of a call through this door: None where it shows all, else what it shows or another open one does.

    Of the others only those count that demand nothing for it: no approval, and no limit that would have to be charged.
    """
    if door.name not in views:
        return None
    free = [other for other in doors if other.name in views and other.approval is None and not other.limits]
    visible = dict.fromkeys(views[each.name] for each in (door, *free))
    return FilterObligation(visible=tuple(visible))


def _view(door: Rule, action: KubernetesAction) -> Visible | None:
    # A list or watch may name an object by its field selector, which servers of other groups are free to ignore.
    names = door.names if action.verb in _COLLECTIONS else None
    if names is None and door.labels is None:
        return None
    labels = None if door.labels is None else tuple(sorted(door.labels.items()))
    return Visible(names=names, labels=labels)
