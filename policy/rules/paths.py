"""Path patterns of http rules, and the trie that finds all that match a path.

``*`` or ``{name}`` stands for one whole segment, ``**`` for zero or more further segments and only at the end; every
other segment is literal. All matching patterns count, so there is no precedence to get wrong.

Patterns are matched against the segments of the canonical path, as the target distinguishes them (``PathOptions``);
the literals of a pattern are brought to the same form.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from policy.actions.paths import folded, read_segment
from policy.model import PathOptions

_PARAMETER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]{0,63})\}")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNREADABLE = re.compile(r"[\x00-\x1f\x7f\\#?]|%(?![0-9A-Fa-f]{2})")


@dataclass(frozen=True, slots=True)
class AnySegment:
    """``*``, or ``{name}`` where ``name`` is not empty."""

    name: str = ""


type Segments = tuple[str, ...]
type Part = str | AnySegment
type Parts = tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PathPattern:
    """One pattern, read."""

    text: str
    parts: Parts
    """Literal segments in the form in which segments are matched, and wildcards."""
    rest: bool = False
    """Whether it ends in ``**``."""
    trailing_slash: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its parameters."""
        return tuple(part.name for part in self.parts if isinstance(part, AnySegment) and part.name)

    def forms(self, options: PathOptions) -> Iterator[tuple[Parts, bool]]:
        """What a path has to look like, segment by segment, and whether more may follow.

        A target's file suffix is cut off the last segment of a path only, so ``/a.json/**`` has two forms.
        """
        parts = tuple(_cased(part, options) for part in self.parts)
        whole = (*parts[:-1], *_cut(parts[-1:], options))
        if self.rest:
            yield parts, True
        if not self.rest or whole != parts:
            yield whole, False

    def params(
        self, segments: Segments, options: PathOptions, *, trailing_slash: bool = False
    ) -> Mapping[str, str] | None:
        """The values of its parameters in a path that it matches, else None."""
        for parts, rest in self.forms(options):
            found = _bind(parts, segments, rest)
            if found is not None and (rest or self._ends_alike(trailing_slash, options)):
                return found
        return None

    def _ends_alike(self, trailing_slash: bool, options: PathOptions) -> bool:
        return options.trailing_slash == "ignore" or trailing_slash == self.trailing_slash


def parse_pattern(text: str) -> PathPattern:
    """Read a pattern; raises ``ValueError`` that says what is wrong with it."""
    if not text.startswith("/"):
        raise ValueError(f"{text!r}: a path pattern starts with /")
    trailing_slash = len(text) > 1 and text.endswith("/")
    words = text[1:].removesuffix("/").split("/") if text != "/" else []
    rest = words[-1:] == ["**"]
    parts = tuple(_parse_part(text, word) for word in (words[:-1] if rest else words))
    names = [part.name for part in parts if isinstance(part, AnySegment) and part.name]
    if len(names) != len(set(names)):
        raise ValueError(f"{text!r}: a parameter name stands twice")
    return PathPattern(text=text, parts=parts, rest=rest, trailing_slash=trailing_slash and not rest)


def _parse_part(text: str, word: str) -> Part:
    if word == "*":
        return AnySegment()
    if word == "**":
        raise ValueError(f"{text!r}: ** can only be the last segment")
    if parameter := _PARAMETER.fullmatch(word):
        return AnySegment(parameter[1])
    if "*" in word or "{" in word or "}" in word:
        raise ValueError(f"{text!r}: * and {{name}} stand for one whole segment, not for a part of {word!r}")
    if word in {"", ".", ".."} or _UNREADABLE.search(word):
        raise ValueError(f"{text!r}: no canonical path has a segment {word!r}, so this would never match")
    return read_segment(_ESCAPE.sub(lambda escape: escape[0].upper(), word))


def _cased(part: Part, options: PathOptions) -> Part:
    return part.casefold() if options.case_insensitive and isinstance(part, str) else part


def _cut(last: Parts, options: PathOptions) -> Parts:
    literal = tuple(part for part in last if isinstance(part, str))
    return folded(literal, options) if literal else last


def _bind(parts: Parts, segments: Segments, rest: bool) -> Mapping[str, str] | None:
    if len(segments) < len(parts) or (len(segments) > len(parts) and not rest):
        return None
    found: dict[str, str] = {}
    for part, segment in zip(parts, segments, strict=False):
        if isinstance(part, str):
            if part != segment:
                return None
        elif part.name:
            found[part.name] = segment
    return found


@dataclass(slots=True)
class _Node:
    children: dict[str, "_Node"] = field(default_factory=dict)
    any_segment: "_Node | None" = None
    end: int = 0
    """Bits of patterns that end here."""
    slash: int = 0
    """Bits of patterns that end in ``/`` here, where that makes a difference."""
    rest: int = 0
    """Bits of patterns that go on with ``**`` here."""


class PathTrie:
    """All patterns of all rules for targets of one kind, one step per segment."""

    __slots__ = ("_open", "_options", "_root")

    def __init__(
        self, entries: Iterable[tuple[tuple[PathPattern, ...], int]], options: PathOptions | None = None
    ) -> None:
        self._options = options or PathOptions()
        self._open = 0
        self._root = _Node()
        for patterns, bit in entries:
            if not patterns:
                self._open |= bit
            for pattern in patterns:
                self._add(pattern, bit)

    def _add(self, pattern: PathPattern, bit: int) -> None:
        for parts, rest in pattern.forms(self._options):
            node = self._root
            for part in parts:
                node = _step(node, part)
            if rest:
                node.rest |= bit
            elif pattern.trailing_slash and self._options.trailing_slash == "significant":
                node.slash |= bit
            else:
                node.end |= bit

    def mask(self, segments: Segments, *, trailing_slash: bool = False) -> int:
        """The bits of all rules with a pattern that matches, and of all rules without patterns."""
        found, nodes = self._open, [self._root]
        for segment in segments:
            ahead: list[_Node] = []
            for node in nodes:
                found |= node.rest
                child = node.children.get(segment)
                if child is not None:
                    ahead.append(child)
                if node.any_segment is not None:
                    ahead.append(node.any_segment)
            if not ahead:
                return found
            nodes = ahead
        slash = trailing_slash and self._options.trailing_slash == "significant"
        for node in nodes:
            found |= node.rest | (node.slash if slash else node.end)
        return found


def _step(node: _Node, part: Part) -> _Node:
    if isinstance(part, str):
        return node.children.setdefault(part, _Node())
    if node.any_segment is None:
        node.any_segment = _Node()
    return node.any_segment
