"""Where Kubernetes objects keep secrets, whatever these look like.

An object of a secret kind may stand anywhere: as the answer, in ``items`` of a list (where it has no ``kind`` of its
own: the list's ``kind`` says it), in a row of a Table, in a watch event, in a List in a List. Everything under its
``data`` is secret. A copy of a value elsewhere in the same object (an annotation) is, too, except in the few fields
that identify the object. ``managedFields`` holds names only and stays.
"""

import base64
import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from masking.formats.json_screen import PAIR_NAMES
from masking.formats.json_spans import Layout
from masking.operators import Treatment
from masking.plan import KeyRules
from masking.profiles.spec import KindSpec
from masking.views import json_string

_OPEN_FIELDS = frozenset({"kind", "apiVersion", "type", "immutable"})
_OPEN_METADATA = frozenset(
    {
        "creationTimestamp",
        "deletionTimestamp",
        "finalizers",
        "generateName",
        "managedFields",
        "name",
        "namespace",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    }
)
_SHORTEST_ECHO = 4
"""Shorter values are found inside other texts by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A value that is hidden for where it stands."""

    entity: str
    treatment: Treatment
    encoded: bool = False
    """Whether it is base64, and its replacement has to be as well."""


type Echo = tuple[Place, list[str]]
"""Secret values that stand in a string elsewhere, and how they are hidden."""


def value_of(text: str, start: int, end: int) -> str:
    """The string whose inside is ``text[start:end]``."""
    raw = text[start:end]
    return json_string(raw).text if "\\" in raw else raw


class SecretObjects:
    """The objects of a text whose kind says that they hold secrets."""

    def __init__(self, layout: Layout, text: str, kinds: Sequence[KindSpec]) -> None:
        self._layout = layout
        self._text = text
        self._rules = self._by_frame(kinds)
        self._inside: dict[int, int] = {}
        """Frames inside such an object, with the object's frame."""
        self._fields: dict[int, Place] = {}
        """Frames of secret fields, and all frames in them."""
        for frame, (parent, step) in enumerate(layout.frames):
            self._enter(frame, parent, step)

    def places(self) -> Iterator[tuple[int, Place]]:
        """The leaves under secret fields, by their index."""
        for index, (_, _, step, frame, _) in enumerate(self._layout.leaves):
            place = self._fields.get(frame) or self._field(frame, step)
            if place:
                yield index, place

    def echoes(self, placed: Mapping[int, Place]) -> Iterator[tuple[int, Echo]]:
        """Other strings of these objects, with the secret values that stand in them."""
        values = self._values(placed)
        for index, (start, end, _, frame, quoted) in enumerate(self._layout.leaves):
            holder = self._inside.get(frame)
            if holder is None or not quoted or index in placed or self._is_open(index, holder):
                continue
            here = value_of(self._text, start, end)
            copied = [value for value in values.get(holder, ()) if value == here or _contains(here, value)]
            if copied:
                rule = self._rules[holder]
                yield index, (Place(entity=rule.entity, treatment=rule.treatment), copied)

    def _by_frame(self, kinds: Sequence[KindSpec]) -> dict[int, KindSpec]:
        stated: dict[int, set[str]] = {}
        for start, end, step, frame, quoted in self._layout.leaves:
            if step == "kind" and quoted:
                stated.setdefault(frame, set()).add(value_of(self._text, start, end))
        found: dict[int, KindSpec] = {}
        for frame in range(len(self._layout.frames)):
            names = stated.get(frame, set()) | {name.removesuffix("List") for name in self._listed(frame, stated)}
            rule = next((kind for kind in kinds if kind.kind in names), None)
            if rule:
                found[frame] = rule
        return found

    def _listed(self, frame: int, stated: Mapping[int, set[str]]) -> Iterator[str]:
        """The kinds of the list of which a frame is an item."""
        parent, step = self._layout.frames[frame]
        if isinstance(step, int):
            above, name = self._layout.frames[parent]
            if name == "items":
                yield from (kind for kind in stated.get(above, ()) if kind.endswith("List"))

    def _enter(self, frame: int, parent: int, step: str | int) -> None:
        if frame in self._rules:
            self._inside[frame] = frame
        elif parent in self._inside:
            self._inside[frame] = self._inside[parent]
        place = self._fields.get(parent) or self._field(parent, step)
        if place:
            self._fields[frame] = place

    def _field(self, frame: int, step: str | int) -> Place | None:
        """The place of a member of a secret object, if it is one of the secret fields."""
        rule = self._rules.get(frame)
        if rule is None or not isinstance(step, str):
            return None
        name = next((field for field in rule.fields if field.lower() == step.lower()), None)
        if name is None:
            return None
        return Place(entity=rule.entity, treatment=rule.treatment, encoded=name in rule.encoded)

    def _values(self, placed: Mapping[int, Place]) -> dict[int, set[str]]:
        """Per object its secret values, as they stand and decoded."""
        values: dict[int, set[str]] = {}
        for index in placed:
            start, end, _, frame, quoted = self._layout.leaves[index]
            if quoted and end > start and frame in self._inside:
                known = values.setdefault(self._inside[frame], set())
                value = value_of(self._text, start, end)
                known.update((value, value.strip(), *_decoded(value)))
        return {holder: known - {""} for holder, known in values.items()}

    def _is_open(self, index: int, holder: int) -> bool:
        """Whether a leaf stands in one of the fields that identify the object."""
        leaf = self._layout.leaves[index]
        steps: list[str | int] = [leaf[2]]
        frame = leaf[3]
        while frame != holder:
            frame, step = self._layout.frames[frame]
            steps.append(step)
        first = steps.pop()
        return first in _OPEN_FIELDS or (first == "metadata" and bool(steps) and steps.pop() in _OPEN_METADATA)


def _contains(text: str, value: str) -> bool:
    return len(value) >= _SHORTEST_ECHO and value in text


def _decoded(value: str) -> Iterator[str]:
    try:
        text = base64.b64decode(value, validate=True).decode()
    except (binascii.Error, ValueError):
        return
    yield text
    yield text.strip()


def pairs(layout: Layout, text: str, keys: KeyRules) -> Iterator[tuple[int, Place]]:
    """Values of ``{"name": N, "value": V}`` objects (environment variables, headers) whose name tells."""
    rules: dict[int, Place] = {}
    for start, end, step, frame, quoted in layout.leaves:
        if quoted and step in PAIR_NAMES:
            rule = keys.find(value_of(text, start, end))
            if rule:
                rules[frame] = Place(entity=rule.entity, treatment=rule.treatment)
    for index, (_, _, step, frame, _) in enumerate(layout.leaves):
        if step == "value" and frame in rules:
            yield index, rules[frame]
