"""What is to be replaced in a JSON text.

A value is hidden for its place (a Kubernetes secret, a path, a telling name) as a whole, or for what it looks like,
as far as it does. Strings are texts themselves: JSON, manifests and named values in them are masked as well.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache
from typing import Any

from masking.edits import Edit, shift
from masking.errors import Unmaskable
from masking.formats import json_screen, kubernetes
from masking.formats.json_spans import Layout, Leaf, scan
from masking.formats.kubernetes import Echo, Place, SecretObjects, value_of
from masking.formats.structure import Structure
from masking.judging import whole
from masking.ner import NOBODY, Asked
from masking.plan import Plan
from masking.settling import settled
from masking.views import View, json_string

_NESTED_DEPTH = 3
"""How many times JSON in a string of JSON is looked into; deeper it is judged as text."""
_CACHED_LENGTH = 512
_CACHED = 1 << 15
_TO_BE_ESCAPED = re.compile('["\\\\\x00-\x1f\ud800-\udfff]')

type Verdicts = Callable[[str, str, Asked], tuple[Edit, ...]]


class JsonMasker:
    """Masks JSON texts by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._structure = Structure(plan, self._nested)
        self._remembered = lru_cache(_CACHED)(self._judged)

    def edits(self, text: str) -> list[Edit]:
        """What is to be replaced in a JSON text, possibly overlapping; raises ``Unmaskable`` if it is none."""
        return self._edits(json_screen.parse(text), text, 0)

    def edits_within(self, text: str) -> list[Edit]:
        """What is to be replaced in any text for the names, kinds and objects in it."""
        return self._structure.edits(text, 1)

    def string_edits(self, name: str, raw: str) -> list[Edit]:
        """What is to be replaced in the inside of a string token, for its looks; ``name`` is decoded.

        It is worked out every time.
        """
        return _raw_edits(self._anew, name, raw, NOBODY)

    def named_edit(self, name: str, raw: str) -> Edit | None:
        """What takes the place of the inside of a string token whose name tells."""
        rule = self._plan.keys.find(name)
        place = rule and Place(entity=rule.entity, treatment=rule.treatment)
        return self._placed(place, raw, (0, len(raw), name, 0, True)) if place else None

    def _edits(self, value: Any, text: str, depth: int) -> list[Edit]:
        found, names = json_screen.members(value)
        closer = json_screen.needs_scan(value, found, names, self._plan)
        verdicts = self._verdicts(depth)
        if not closer and not any(verdicts(name, each, NOBODY) for name, each in found if isinstance(each, str)):
            return []
        layout = scan(text)
        if depth == 0 and any(self._plan.judge.tells(name) for name in layout.names):
            raise Unmaskable("a member's name holds protected data")
        return list(self._located(layout, text, verdicts))

    def _located(self, layout: Layout, text: str, verdicts: Verdicts) -> Iterator[Edit]:
        places, echoes = self._places(layout, text)
        for index, leaf in enumerate(layout.leaves):
            start, end, _, _, quoted = leaf
            place = places.get(index)
            if place:
                edit = self._placed(place, text, leaf)
                if edit:
                    yield edit
            elif not quoted:
                edit = self._plan.judge.number(text[start:end])
                if edit:
                    yield shift(edit, start)
            else:
                asked = self._plan.ner.at(layout.steps_to(leaf)) if self._plan.ner.placed else NOBODY
                for each in _raw_edits(verdicts, layout.name_of(leaf), text[start:end], asked):
                    yield shift(each, start)
                if index in echoes:
                    yield from self._echoed(echoes[index], text, leaf)

    def _places(self, layout: Layout, text: str) -> tuple[dict[int, Place], dict[int, Echo]]:
        plan = self._plan
        places = dict(self._named(layout))
        if plan.pairs:
            places.update(kubernetes.pairs(layout, text, plan.keys))
        echoes: dict[int, Echo] = {}
        if plan.kinds:
            secrets = SecretObjects(layout, text, plan.kinds)
            hidden = dict(secrets.places())
            places.update(hidden)
            echoes = dict(secrets.echoes(hidden)) if hidden else {}
        return places, echoes

    def _named(self, layout: Layout) -> Iterator[tuple[int, Place]]:
        """Leaves that a key rule or a path rule names, themselves or by what they stand in."""
        if not self._plan.paths and not any(map(self._plan.keys.find, layout.names)):
            return
        deep: dict[int, Place] = {}
        for frame, (parent, step) in enumerate(layout.frames):
            rule = self._plan.keys.find(step) if isinstance(step, str) else None
            if parent in deep:
                deep[frame] = deep[parent]
            elif rule and rule.deep:
                deep[frame] = Place(entity=rule.entity, treatment=rule.treatment)
        for index, leaf in enumerate(layout.leaves):
            place = deep.get(leaf[3])
            key = self._plan.keys.find(layout.name_of(leaf))
            path = self._plan.paths.find(layout.steps_to(leaf)) if self._plan.paths else None
            stated = [Place(entity=rule.entity, treatment=rule.treatment) for rule in (path, key) if rule]
            every = [*stated, place] if place else stated
            if every:
                yield index, max(every, key=lambda each: each.treatment.strictness)

    def _placed(self, place: Place, text: str, leaf: Leaf) -> Edit | None:
        start, end, _, _, quoted = leaf
        raw = text[start:end]
        if quoted:
            value = value_of(text, start, end)
            known = (place.encoded and _unpacked(value)) or value
            if not value or self._plan.judge.is_token(known):
                return None
            hidden = self._plan.hand.replacement(place.treatment, place.entity, known)
            hidden = base64.b64encode(hidden.encode()).decode() if place.encoded else as_inside(hidden)
        else:
            hidden = self._plan.hand.number(place.treatment, raw)
        return None if hidden == raw else shift(whole(place.entity, raw, hidden, place.treatment), start)

    def _verdicts(self, depth: int) -> Verdicts:
        """The edits of strings by (name, value), each worked out once: short ones for all texts, long ones for one."""
        long: dict[tuple[str, str, Asked], tuple[Edit, ...]] = {}

        def verdict(name: str, value: str, asked: Asked) -> tuple[Edit, ...]:
            if len(value) <= _CACHED_LENGTH:
                return self._remembered(name, value, depth, asked)
            if (name, value, asked) not in long:
                long[name, value, asked] = self._judged(name, value, depth, asked)
            return long[name, value, asked]

        return verdict

    def _anew(self, name: str, value: str, asked: Asked) -> tuple[Edit, ...]:
        """The edits of a string of the outermost text, for who remembers them."""
        return self._judged(name, value, 0, asked)

    def _judged(self, name: str, value: str, depth: int, asked: Asked) -> tuple[Edit, ...]:
        def by_structure(text: str) -> list[Edit]:
            return self._structure.edits(text, depth + 1, commands=True)

        def by_looks(text: str) -> list[Edit]:
            return self._plan.judge.edits(text, name, asked=asked, within=within)

        def within(inner: str) -> list[Edit]:
            return self._structure.edits(inner, depth + 1)

        return tuple(settled(value, by_structure, by_looks))

    def _nested(self, text: str, depth: int) -> list[Edit] | None:
        if depth > _NESTED_DEPTH or text.lstrip(" \t\r\n")[:1] not in {"{", "["}:
            return None
        try:
            value = json_screen.parse(text)
        except json_screen.NotJson:
            return None
        return self._edits(value, text, depth)

    def _echoed(self, echo: Echo, text: str, leaf: Leaf) -> Iterator[Edit]:
        place, values = echo
        view = json_string(text[leaf[0] : leaf[1]])
        for value in values:
            hidden = self._plan.hand.replacement(place.treatment, place.entity, value)
            found = whole(place.entity, value, hidden, place.treatment)
            at = view.text.find(value)
            while at >= 0:
                yield shift(_mapped(shift(found, at), view), leaf[0])
                at = view.text.find(value, at + len(value))


def _raw_edits(verdicts: Verdicts, name: str, raw: str, asked: Asked) -> list[Edit]:
    """Edits in the inside of a string token."""
    view = json_string(raw) if "\\" in raw else View(raw)
    return [_mapped(edit, view) for edit in verdicts(name, view.text, asked)]


def _mapped(edit: Edit, view: View) -> Edit:
    """An edit of a decoded string as an edit of the inside of its token."""
    start, end, replacement = view.origin(edit.start), view.origin(edit.end), as_inside(edit.replacement)
    if (start, end) == (edit.start, edit.end) and replacement is edit.replacement:
        return edit
    return replace(edit, start=start, end=end, replacement=replacement)


def as_inside(value: str) -> str:
    """A text as the inside of a string token; escaped wherever UTF-8 could not hold it."""
    if not _TO_BE_ESCAPED.search(value):
        return value
    lone = any("\ud800" <= character <= "\udfff" for character in value)
    return json.dumps(value, ensure_ascii=lone)[1:-1]


def _unpacked(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode()
    except ValueError:
        return ""
