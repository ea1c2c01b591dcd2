"""What is to be replaced in XML and HTML.

Texts and the values of attributes are judged as they read, by the names of the elements and attributes that hold them
and by their looks; also as one text, so that words lend context and a value is seen that tags cut up. Scripts, comments
and texts that hold markup or JSON themselves are looked into.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from masking.edits import Edit, apply, merge
from masking.errors import Unmaskable
from masking.formats.markup_scan import INLINE, Element, Kind, Piece, Scanner
from masking.formats.markup_tables import Cell, placed
from masking.formats.references import in_attribute, in_text, resolved, verbatim
from masking.formats.segments import Joined, Segment, hidden
from masking.formats.text import TextMasker
from masking.plan import Plan
from masking.profiles.spec import KeySpec
from masking.views import View

_DEPTH = 3
"""How many times markup in a text of markup is looked into; deeper it is judged as text."""
_MOST_TITLES, _LONGEST_WORD = 16, 256
"""Attributes of one element that may name what it holds, and characters of a name that are read as words."""
_NAMING = frozenset({"name", "key", "id", "property", "itemprop", "field", "for"})
"""Attributes that name what their element holds."""
_VALUES = frozenset({"value", "content", "default", "text"})
"""Attributes that hold it."""
_LABELS = frozenset({"key", "name", "dt"})
_LABELLED = frozenset({"value", "string", "data", "integer", "real", "date", "dd"})
"""Elements that a label before them names (property lists, XML-RPC, lists of definitions)."""
_STEPS = re.compile(r"[\[\]./:]+")


class MarkupMasker:
    """Masks XML and HTML by one plan. Safe to use from several threads."""

    def __init__(self, plan: Plan, texts: TextMasker) -> None:
        self._plan = plan
        self._texts = texts

    def edits(self, text: str, *, html: bool) -> list[Edit]:
        """What is to be replaced; raises ``Unmaskable`` for documents whose meaning cannot be told."""
        return list(_Document(self._plan, self._texts, text, html=html, depth=0).edits())


class _Document:
    """One document, or a piece of one."""

    def __init__(self, plan: Plan, texts: TextMasker, text: str, *, html: bool, depth: int) -> None:
        self._plan = plan
        self._texts = texts
        self._text = text
        self._html = html
        self._depth = depth

    def edits(self) -> Iterator[Edit]:
        """Everything that is to be replaced, possibly overlapping."""
        scanner = Scanner(self._text, html=self._html, is_text=self._plan.judge.is_token, opened=self._open)
        every: list[tuple[Piece, Segment]] = []
        rest: list[Piece] = []
        for piece in scanner.pieces():
            if piece.kind is Kind.REST:
                rest.append(piece)
                continue
            segment = self._segment(piece)
            self._label(piece, segment)
            every.append((piece, segment))
            yield from self._by_name(piece, segment)
        yield from self._by_looks([segment for _, segment in every])
        flowing = [each for each in every if each[0].kind in (Kind.TEXT, Kind.RAW)]
        yield from self._in_flow(flowing)
        yield from self._in_names(rest)

    def _by_looks(self, segments: list[Segment]) -> Iterator[Edit]:
        joined = Joined(segments, ["\n"] * len(segments))
        yield from joined.placed(self._texts.by_looks(joined.text))

    def _in_flow(self, flowing: list[tuple[Piece, Segment]]) -> Iterator[Edit]:
        """What is found in the text as it is shown, in which tags leave no trace."""
        glued = not all(piece.parted for piece, _ in flowing)
        plain, gaps, gap = list[Segment](), list[str](), ""
        for piece, segment in flowing:
            gap = "\n" if piece.parted else gap
            if self._holds_markup(piece, segment):
                gap = "\n"
                continue
            plain.append(segment)
            gaps.append(gap)
            gap = ""
        for each in (gaps, ["\n"] * len(plain)) if glued else (gaps,):
            joined = Joined(plain, each)
            yield from joined.placed(self._texts.by_structure(joined.text))
        if glued:
            shown = ["\n" if piece.parted else "" for piece, _ in flowing]
            joined = Joined([segment for _, segment in flowing], shown)
            yield from joined.placed(self._texts.by_looks(joined.text))

    def _in_names(self, rest: list[Piece]) -> Iterator[Edit]:
        """What is found in tags, but for values: nothing can stand in for the name of an element.

        Markup in a value is a guess; what looks like the name of an element there may be text.
        """
        found = self._plan.judge.edits("\n".join(self._text[piece.start : piece.end] for piece in rest))
        if found and not self._html and not self._depth:
            raise Unmaskable("a name in the document holds protected data")
        if found:
            yield from Joined(list(map(self._segment, rest)), ["\n"] * len(rest)).placed(found)

    def _by_name(self, piece: Piece, segment: Segment) -> Iterator[Edit]:
        rule, key = self._named(piece)
        found = list(hidden(segment.text, rule, self._plan) if rule else self._within(piece, segment, key))
        if found and piece.kind is Kind.BARE:
            masked = apply(segment.text, merge(found))
            strictest = max(found, key=lambda edit: (edit.strictness, edit.score))
            yield replace(strictest, start=piece.start, end=piece.end, replacement=f'"{in_attribute(masked)}"')
            return
        yield from map(segment.placed, found)

    def _named(self, piece: Piece) -> tuple[KeySpec | None, str]:
        """The rule for a piece, and the words that stand for it."""
        element = piece.element
        if piece.kind not in (Kind.ATTRIBUTE, Kind.BARE):
            return (element.rule, element.key) if element else (None, "")
        name = _local(piece.name)
        if element is None:
            return self._rule([piece.name, name]), name
        above = element.parent.deep if element.parent else None
        if name.lower() in _NAMING:
            return self._rule([piece.name, name]) or above, name
        names = [piece.name, name, name.lower().removeprefix("data-")]
        if name.lower() in _VALUES:
            names += [element.name, _local(element.name), *element.titles]
        return self._rule(names) or element.deep or above, f"{element.key} {piece.name}"

    def _within(self, piece: Piece, segment: Segment, key: str) -> Iterator[Edit]:
        """What is found in a piece by its name, or because it holds a document itself."""
        text = segment.text
        if self._holds_markup(piece, segment):
            inner = _Document(self._plan, self._texts, text, html=self._html, depth=self._depth + 1)
            yield from inner.edits()
        elif piece.kind is not Kind.TEXT:
            yield from self._texts.by_structure(text)
        # The others were judged already, as one.
        if piece.kind is Kind.BARE or self._plan.judge.lifted_by(key):
            yield from self._texts.by_looks(text, key)

    def _holds_markup(self, piece: Piece, segment: Segment) -> bool:
        """Whether a piece is to be taken apart itself. What was scanned already, a text without references, is not."""
        if self._depth == _DEPTH or "<" not in segment.text:
            return False
        if "<" not in self._plan.judge.without_tokens(segment.text):
            return False
        if piece.kind is Kind.RAW:
            return segment.text.lstrip().startswith("<")
        return piece.kind is not Kind.TEXT or len(segment.text) != segment.end - segment.start

    def _open(self, element: Element) -> None:
        """Works out how the content of an element is named."""
        parent = element.parent
        if element.name.lower() in INLINE and parent:
            element.rule, element.deep, element.key = parent.rule, parent.deep, parent.key
        element.place, places = placed(_local(element.name).lower(), parent.place if parent else None)
        element.titles = (*_titles(element), *places)
        names = [element.name, _local(element.name), *element.titles]
        if parent and parent.label and _local(element.name).lower() in _LABELLED:
            names.append(parent.label)
            parent.label = ""
            deep = self._rule(names)
        else:
            rule = self._rule(names)
            deep = rule if rule and rule.deep else None
        above = parent.deep if parent else None
        element.deep = deep or above or element.deep
        element.rule = self._rule(names) or above or element.rule
        if not element.key:
            words = (*((parent.name,) if parent else ()), *dict.fromkeys(names))
            element.key = " ".join(word[:_LONGEST_WORD] for word in words)

    def _rule(self, names: Iterable[str]) -> KeySpec | None:
        found = [rule for rule in map(self._plan.keys.find, dict.fromkeys(names)) if rule]
        return max(found, key=lambda rule: (rule.treatment.strictness, rule.deep), default=None)

    def _label(self, piece: Piece, segment: Segment) -> None:
        element = piece.element
        if piece.kind is not Kind.TEXT or element is None:
            return
        if isinstance(element.place, Cell):
            element.place.say(segment.text)
        if element.parent and element.name.lower() in INLINE:
            element = element.parent
        if element.parent and _local(element.name).lower() in _LABELS:
            element.parent.label = segment.text.strip()

    def _segment(self, piece: Piece) -> Segment:
        raw = self._text[piece.start : piece.end]
        if piece.kind in (Kind.RAW, Kind.ASIDE, Kind.REST):
            write = in_text if piece.kind is Kind.REST else verbatim
            return Segment(piece.start, piece.end, View(raw), write)
        write = in_text if piece.kind is Kind.TEXT else in_attribute
        return Segment(piece.start, piece.end, resolved(raw, lenient=self._html), write)


def _local(name: str) -> str:
    """A name without its namespace's prefix."""
    return name.rpartition(":")[2]


def _last_step(name: str) -> str:
    """What a path ends in (``user[ssn]``)."""
    return _STEPS.split(name.rstrip("[]./:"))[-1]


def _titles(element: Element) -> tuple[str, ...]:
    """What the attributes of an element call it."""
    stated = [value for name, value in element.attributes if _local(name).lower() in _NAMING]
    if len(stated) > _MOST_TITLES:
        raise Unmaskable("an element has too many names")
    titles = list(dict.fromkeys(each for value in stated for each in (value, _last_step(value)) if each))
    if ("type", "password") in element.attributes:
        titles.append("password")
    return tuple(titles)
