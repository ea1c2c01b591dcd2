"""Which objects an agent may see: those that fit one of the doors, by name and by labels.

Of an object only its metadata counts (k8s.io/apimachinery, meta/v1, ObjectMeta). Metadata that is missing, of wrong
types or with a name twice is no metadata: two readers could see two different objects in it.
"""

from dataclasses import dataclass, field
from typing import Any

from masking.filtering.spans import mapping
from policy.model import FilterObligation, Visible
from policy.rules.selectors import glob_matches


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The metadata by which an object is judged and told from others."""

    name: str
    namespace: str = ""
    uid: str = ""
    """Empty for objects that are computed, as those of metrics.k8s.io."""
    revision: str = ""
    """Its resourceVersion."""
    labels: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def key(self) -> str:
        """What this object is remembered by."""
        return self.uid or f"{self.namespace}/{self.name}"


class Sight:
    """What one agent may see of one kind of objects."""

    def __init__(self, obligation: FilterObligation) -> None:
        self._doors = obligation.visible

    def shows(self, one: Identity) -> bool:
        """Whether one of the doors lets it be seen."""
        return any(_fits(door, one) for door in self._doors)


def identity(value: Any) -> Identity | None:
    """The identity of an object as ``spans`` reads it; None where it cannot be told."""
    known = mapping(value)
    return None if known is None else read_metadata(known.get("metadata"))


def read_metadata(value: Any) -> Identity | None:
    """The identity that the ``metadata`` of an object states; None where it cannot be read, or names nothing."""
    known = mapping(value)
    if known is None or not known.get("name"):
        return None
    texts = [_text(known.get(key)) for key in ("name", "namespace", "uid", "resourceVersion")]
    labels = () if known.get("labels") is None else known["labels"]
    by_name = mapping(labels)
    if None in texts or by_name is None or not all(isinstance(each, str) for each in by_name.values()):
        return None
    name, namespace, uid, revision = (text or "" for text in texts)
    return Identity(name=name, namespace=namespace, uid=uid, revision=revision, labels=by_name)


def _text(value: Any) -> str | None:
    """A string; an empty one where there is nothing; None for anything else."""
    if value is None:
        return ""
    return value if isinstance(value, str) else None


def _fits(door: Visible, one: Identity) -> bool:
    if door.names is not None and not any(glob_matches(glob, one.name) for glob in door.names):
        return False
    return door.labels is None or all(one.labels.get(key) == value for key, value in door.labels)
