"""From YAML text to documents whose every value knows its line.

Scalars are read by the core schema of YAML 1.2: ``true``, ``false``, ``null``, decimal and hexadecimal numbers; all
else is text. ``off``, ``no``, ``2026-01-01`` and ``12:30`` mean themselves. Keys are text and stand once. Anchors,
aliases, merge keys and tags are refused: what a rule says is read where it stands.
"""

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from policy.model import Problem

type Place = tuple[str | int, ...]

MAX_DEPTH = 32

_PREFIX = "tag:yaml.org,2002:"
_FORMS: tuple[tuple[re.Pattern[str], Callable[[str], Any]], ...] = (
    (re.compile(r"null|Null|NULL|~|"), lambda _: None),
    (re.compile(r"true|True|TRUE"), lambda _: True),
    (re.compile(r"false|False|FALSE"), lambda _: False),
    (re.compile(r"[-+]?(0|[1-9][0-9]{0,30})"), int),
    (re.compile(r"0x[0-9a-fA-F]{1,16}"), lambda text: int(text, 16)),
    (re.compile(r"[-+]?(0|[1-9][0-9]{0,30})(\.[0-9]+([eE][-+]?[0-9]{1,3})?|[eE][-+]?[0-9]{1,3})"), float),
)
_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_KIND = re.compile(r"^kind:\s*([A-Za-z]+)", re.MULTILINE)
_NAME = re.compile(r"^metadata:\s*\{?\s*name:\s*([A-Za-z0-9._-]+)", re.MULTILINE)
_NOT_PLAIN_TEXT = frozenset("nN~tTfF-+0123456789")
"""What a plain scalar that is no text may start with."""
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Node:
    """A value, the line it stands on, and those inside of it by key or index, with the line of their key."""

    line: int
    value: Any
    members: dict[str | int, tuple[int, "Node"]] = field(default_factory=dict)

    def without(self, places: Collection[Place]) -> "Node":
        """The same without what stands at these places; list items that stay are counted anew."""
        kept = {
            key: (line, node.without([place[1:] for place in places if place[0] == key and len(place) > 1]))
            for key, (line, node) in self.members.items()
            if (key,) not in places
        }
        if isinstance(self.value, list):
            return Node(self.line, [node.value for _, node in kept.values()], dict(enumerate(kept.values())))
        if isinstance(self.value, dict):
            return Node(self.line, {key: node.value for key, (_, node) in kept.items()}, kept)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One YAML document of a file."""

    file: str
    root: Node = field(repr=False)
    sound: bool = True
    """Whether it can be judged; what is not sound still says of which kind and name it is."""

    @property
    def value(self) -> Any:
        """The document as plain values."""
        return self.root.value

    def line(self, place: Place = ()) -> int:
        """The line of the value at ``place``, or of what is nearest to it; steps that lead nowhere are skipped."""
        node, line = self.root, self.root.line
        for step in place:
            line, node = node.members.get(step, (line, node))
        return line

    def without(self, places: Collection[Place]) -> "Document":
        """The document without what stands at these places."""
        return Document(file=self.file, root=self.root.without(places), sound=self.sound)

    def problem(self, place: Place, message: str) -> Problem:
        """Something wrong at ``place``."""
        return Problem(file=self.file, line=self.line(place), message=message)


def read_documents(file: str, content: bytes) -> tuple[list[Document], list[Problem]]:
    """The documents of one file, as far as they can be read, and what is wrong with them as YAML."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return [], [Problem(file=file, line=line, message="not UTF-8 text")]
    documents, problems = _read(file, text, 0)
    if problems:
        # The parser stops at the first mistake; what stands before and after the document it is in can still be read.
        parts = [_read(file, part, line) for line, part in _parts(text)]
        documents = [document for found, _ in parts for document in found]
        problems = [problem for _, found in parts for problem in found]
    return documents, problems


def _read(file: str, text: str, first_line: int) -> tuple[list[Document], list[Problem]]:
    reader, documents = _Reader(file, text, first_line), list[Document]()
    try:
        for node, sound in reader.read():
            if node.value is not None or not sound:
                documents.append(Document(file=file, root=node, sound=sound))
    except _TooDeepError:
        documents.append(_outline(file, text, first_line))
    except yaml.YAMLError as error:
        documents.append(_outline(file, text, first_line))
        reader.problems.append(_syntax_problem(file, text, error, first_line))
    return documents, reader.problems


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Each document of a file, with the number of lines before it."""
    at = 0
    for mark in (*_SEPARATOR.finditer(text), None):
        end = mark.start() if mark else len(text)
        if text[at:end].strip():
            yield text.count("\n", 0, at), text[at:end]
        at = end


def _outline(file: str, text: str, first_line: int) -> Document:
    """What a text that is no YAML seems to be, so that others may refer to it."""
    kind, name = _KIND.search(text), _NAME.search(text)
    value = {"kind": kind[1] if kind else "", "metadata": {"name": name[1] if name else ""}}
    return Document(file=file, root=Node(first_line + 1, value), sound=False)


class _TooDeepError(yaml.YAMLError):
    """Raised before anything recurses further."""


class _Reader:
    """Builds values from the parser's events, so that nothing is composed before it was looked at."""

    def __init__(self, file: str, text: str, first_line: int) -> None:
        self._file = file
        self._first_line = first_line
        self._events: Iterator[Any] = yaml.parse(text, Loader=_Parser)
        self._sound = True
        self.problems: list[Problem] = []

    def read(self) -> Iterator[tuple[Node, bool]]:
        """The root of every document, and whether nothing is wrong with it as YAML."""
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._sound = True
                yield self._node(next(self._events), 0), self._sound

    def _node(self, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1 + self._first_line
        if isinstance(event, yaml.AliasEvent):
            return self._fail(line, "aliases (`*name`) are not supported; write the value out")
        if depth > MAX_DEPTH:
            self._fail(line, f"nested deeper than {MAX_DEPTH} levels")
            raise _TooDeepError
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, line)
        if event.tag not in {None, "!", f"{_PREFIX}map", f"{_PREFIX}seq"}:
            self._fail(line, f"the tag {event.tag} is not supported")
        return self._mapping(line, depth) if isinstance(event, yaml.MappingStartEvent) else self._list(line, depth)

    def _scalar(self, event: Any, line: int) -> Node:
        if event.tag not in {None, "!", f"{_PREFIX}str"}:
            return self._fail(line, f"the tag {event.tag} is not supported")
        return Node(line, _plain(event.value) if event.implicit[0] else event.value)

    def _list(self, line: int, depth: int) -> Node:
        node = Node(line, [])
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            item = self._node(event, depth + 1)
            node.members[len(node.value)] = (item.line, item)
            node.value.append(item.value)
        return node

    def _mapping(self, line: int, depth: int) -> Node:
        node = Node(line, {})
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._node(event, depth + 1)
            item = self._node(next(self._events), depth + 1)
            if self._is_usable(key, node):
                node.members[key.value] = (key.line, item)
                node.value[key.value] = item.value
        return node

    def _is_usable(self, key: Node, node: Node) -> bool:
        if key.value == "<<":
            self._fail(key.line, "merge keys (`<<`) are not supported; write the keys out")
        elif not isinstance(key.value, str):
            self._fail(key.line, "a key is text; put it in quotes")
        elif key.value in node.members:
            first = node.members[key.value][0]
            self._report(key.line, f"`{key.value}` stands here a second time; the first is on line {first}")
        else:
            return True
        return False

    def _fail(self, line: int, message: str) -> Node:
        """Report what leaves a gap in the document, so that it cannot be judged."""
        self._sound = False
        self._report(line, message)
        return Node(line, None)

    def _report(self, line: int, message: str) -> None:
        self.problems.append(Problem(file=self._file, line=line, message=message))


def _plain(text: str) -> Any:
    """A scalar without quotes by the core schema."""
    if text and text[0] not in _NOT_PLAIN_TEXT:
        return text
    return next((read(text) for form, read in _FORMS if form.fullmatch(text)), text)


def _syntax_problem(file: str, text: str, error: yaml.YAMLError, first_line: int) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError):
        mark, said = error.problem_mark or error.context_mark, error.problem or error.context
        line = mark.line + 1 if mark else 1
    else:
        line, said = text.count("\n", 0, getattr(error, "position", 0)) + 1, "a character that is not allowed"
    return Problem(file=file, line=min(line, _last_line(text)) + first_line, message=f"not YAML: {said}")


def _last_line(text: str) -> int:
    """The parser places what is missing at the end beyond the last line."""
    return text.rstrip().count("\n") + 1
