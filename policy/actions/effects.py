"""What a call does to its object: the object before and after, and what rules ask of the two.

Three sources are joined. The API server's own answer (``KnownObjects``) is the truth, as it holds defaults, merges and
what admission changed. What the request states is next. The object before fills in what the request is known to leave
alone. Everything else is ``UNKNOWN``.

On a subresource other than ``/scale`` the object itself is what is addressed; in ``/scale`` it is a Scale, which has
neither labels nor images of its own. Those are the parent's, of any subresource that leaves them alone.
"""

from dataclasses import dataclass, field
from typing import Any

from policy.actions import objects
from policy.actions.knowledge import KnownObjects
from policy.actions.payloads import Payload
from policy.actions.readings import Once
from policy.actions.requestinfo import RequestInfo
from policy.model import UNKNOWN, Maybe, Wanted

REWRITING = frozenset({"", "scale", "status", "ephemeralcontainers", "resize", "finalize", "approval"})
"""Subresources of which a write changes the object."""
_FROM_NEW = frozenset({"object", "k8s.replicas", "k8s.images", "k8s.labels"})
_FROM_OLD = frozenset({"oldObject", "k8s.oldReplicas"})
_FROM_PARENT = frozenset({"k8s.images", "k8s.labels"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One call and its object."""

    info: RequestInfo
    payload: Once[Payload] = field(repr=False)
    known: KnownObjects = field(repr=False)

    @property
    def old_object(self) -> Maybe[dict[str, Any] | None]:
        """The addressed object before; None where there was none."""
        return None if self.creates else self.known.old

    @property
    def object(self) -> Maybe[dict[str, Any] | None]:
        """The addressed object after, or what the request states of it; None where it will be gone."""
        if self.known.new is not UNKNOWN:
            return self.known.new
        return None if self.deletes else self.payload().value

    @property
    def old_replicas(self) -> Maybe[int]:
        """``spec.replicas`` before; 0 where there was no object."""
        old = self.old_object
        return 0 if old is None else self._replicas_of(old)

    @property
    def replicas(self) -> Maybe[int]:
        """``spec.replicas`` after; unknown where the object will be gone."""
        if self.known.new is not UNKNOWN:
            return self._replicas_of(self.known.new)
        change = self.payload().change
        return self._replicas_of(self.known.old) if change.unchanged else change.replicas

    @property
    def images(self) -> Maybe[tuple[str, ...]]:
        """Images of all containers after; of a call that leaves them alone those that there are."""
        if self._leaves_images:
            return self._images_of(self.parent)
        return self.payload().images if self.known.new is UNKNOWN else self._images_of(self.known.new)

    @property
    def labels(self) -> Maybe[dict[str, str]]:
        """Labels after; of a delete those that there were, of most subresources their parent's."""
        by_parent = self.info.subresource and not self.relabels
        labels = self.labels_before if by_parent or self.deletes else self.labels_after
        return UNKNOWN if labels is None else labels

    @property
    def labels_before(self) -> Maybe[dict[str, str] | None]:
        """Labels before; None where there was no object."""
        return _labels_of(self.parent if self.info.subresource else self.old_object)

    @property
    def labels_after(self) -> Maybe[dict[str, str] | None]:
        """Labels after a write of the object itself; None where it will be gone."""
        if self.known.new is not UNKNOWN or self.deletes:
            return _labels_of(self.object)
        return self.payload().labels

    @property
    def parent(self) -> Maybe[dict[str, Any] | None]:
        """The object that a subresource belongs to."""
        if self.known.parent is UNKNOWN and self.info.subresource != "scale":
            return self.known.old
        return self.known.parent

    @property
    def creates(self) -> bool:
        """Whether the object itself is created, and not something at its subresource."""
        return self.info.verb == "create" and not self.info.subresource

    @property
    def deletes(self) -> bool:
        """Whether the object itself is deleted."""
        return self.info.verb == "delete" and not self.info.subresource

    @property
    def rewrites(self) -> bool:
        """Whether there is an object after the call that may differ from the one before."""
        return self.creates or (self.info.verb in {"update", "patch"} and self.info.subresource in REWRITING)

    @property
    def relabels(self) -> bool:
        """Whether the write may change labels: of a status it may, for pods, services, nodes, namespaces."""
        return self.rewrites and self.info.subresource != "scale"

    def source(self, variable: str) -> Wanted | None:
        """The object that tells this variable; None where none does."""
        if variable in _FROM_OLD:
            return Wanted.OLD
        leaves_labels = bool(self.info.subresource) and not self.relabels
        by_parent = leaves_labels if variable == "k8s.labels" else self._leaves_images
        if variable in _FROM_PARENT and by_parent:
            return Wanted.PARENT
        if variable == "k8s.labels" and self.deletes:
            return Wanted.OLD
        return Wanted.NEW if variable in _FROM_NEW and self.rewrites else None

    def looked_at(self, wanted: Wanted) -> bool:
        """Whether it is known of this object what it is, or that it does not exist."""
        objects_by_role = {Wanted.OLD: self.old_object, Wanted.NEW: self.known.new, Wanted.PARENT: self.parent}
        return objects_by_role[wanted] is not UNKNOWN

    @property
    def _leaves_images(self) -> bool:
        return bool(self.info.subresource) and (self.info.subresource == "scale" or not self.rewrites)

    def _replicas_of(self, value: Maybe[dict[str, Any] | None]) -> Maybe[int]:
        info = self.info
        default = objects.default_replicas(info.group, info.resource, info.subresource)
        return objects.replicas_of(value, default) if isinstance(value, dict) else UNKNOWN

    def _images_of(self, value: Maybe[dict[str, Any] | None]) -> Maybe[tuple[str, ...]]:
        return objects.images_of(value, self.info.group) if isinstance(value, dict) else UNKNOWN


def _labels_of(value: Maybe[dict[str, Any] | None]) -> Maybe[dict[str, str] | None]:
    return objects.labels_of(value) if isinstance(value, dict) else value
