"""XML and HTML, taken apart: where texts, attributes and comments stand, and in which elements.

The scanner is lenient, as readers of HTML are: what is no tag is text. Nothing is lost, for whatever is neither text
nor the value of an attribute is given as well, as rest. What changes the meaning of the rest of the document is
refused: entities that the document defines itself, and a charset that is not listed.
"""

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from masking.content import charset_of
from masking.errors import Unmaskable
from masking.formats.markup_tables import Place
from masking.profiles.spec import KeySpec

_MARK = re.compile(
    r"""<(?:
      !--(?:->|>|(?P<comment>(?s:.*?))(?:--!?>|\Z))
    | !\[CDATA\[(?P<cdata>(?s:.*?))(?:\]\]>|\Z)
    | \?(?P<instruction>(?s:.*?))(?:\?>|\Z)
    | !(?P<declaration>[A-Za-z][^>\[]*+)(?P<subset>[>\[]|\Z)
    | /(?P<close>[A-Za-z_:][^\s/<>]*+)[^<>]*+>
    | (?P<open>[A-Za-z_:][^\s/<>]*+)(?P<attributes>(?:=\s*+(?:"[^"]*+"|'[^']*+')|[^<>])*+)>
    )""",
    re.VERBOSE,
)
_ATTRIBUTE = re.compile(
    r"""([^\s"'<>/=]++)(?:\s*+=\s*+(?:"(?P<double>[^"]*+)"|'(?P<single>[^']*+)'|(?P<bare>[^\s>"'][^\s>]*+)))?+"""
)
_ENCODING = re.compile(r"""encoding\s*=\s*["']([^"']*)""")
_META = re.compile(r"""(?i)<meta\b((?:"[^"]*+"|'[^']*+'|[^>"'])*+)""")
_CHARSET = re.compile(r"""(?i)charset\s*+=\s*+["']?+\s*+([^\s"'>;/]++)""")
_RAW = frozenset({"script", "style", "xmp", "iframe", "noembed", "noframes", "plaintext"})
_REFERENCES_ONLY = frozenset({"textarea", "title"})
_VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
)
INLINE = frozenset(
    {"a", "abbr", "b", "bdi", "bdo", "big", "code", "del", "dfn", "em", "font", "hl", "highlight", "i", "ins", "kbd"}
    | {"mark", "nobr", "q", "s", "samp", "small", "span", "strike", "strong", "sub", "sup", "tt", "u", "var", "wbr"}
)
"""Elements that do not part the text before them from the text after them."""


class Kind(Enum):
    """How a piece is written."""

    TEXT = auto()
    """References are resolved."""
    ATTRIBUTE = auto()
    BARE = auto()
    """The value of an attribute without quotes."""
    RAW = auto()
    """Nothing is resolved: scripts, sections of character data."""
    ASIDE = auto()
    """The same, and it is no text of the document: comments, instructions."""
    REST = auto()
    """Inside of a tag, but no value."""


@dataclass(slots=True, kw_only=True, eq=False)
class Element:
    """An open element."""

    name: str
    parent: "Element | None" = None
    attributes: tuple[tuple[str, str], ...] = ()
    """Names and raw values."""
    label: str = ""
    """What a ``<key>`` or ``<name>`` in it called the element that comes next."""
    rule: KeySpec | None = None
    """By which its text is hidden; set by who walks the document."""
    deep: KeySpec | None = None
    """By which everything in it is hidden."""
    titles: tuple[str, ...] = ()
    """What its attributes call it, and the table in which it stands."""
    place: Place | None = None
    """Where in a table it stands."""
    key: str = ""
    """The words that stand for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """``text[start:end]``, in an element."""

    kind: Kind
    start: int
    end: int
    element: Element | None
    name: str = ""
    """Of an attribute."""
    parted: bool = True
    """Whether something parts it from the text before it."""


class Scanner:
    """Walks one document."""

    def __init__(
        self, text: str, *, html: bool, is_text: Callable[[str], bool], opened: Callable[[Element], None]
    ) -> None:
        """``is_text``: what looks like a tag and is none. ``opened``: called with each element before its pieces."""
        self._text = text
        self._html = html
        self._is_text = is_text
        self._opened = opened
        self._element: Element | None = None
        self._open: Counter[str] = Counter()
        self._parted = True

    def pieces(self) -> Iterator[Piece]:
        """All pieces, in order."""
        self._check_charset()
        position = at = 0
        while match := _MARK.search(self._text, at):
            at = match.end()
            if self._is_text(match[0]):
                continue
            yield from self._characters(position, match.start(), Kind.TEXT)
            yield from self._marked(match)
            position = at
            if match["open"] and self._html:
                position = at = yield from self._opaque(match["open"].lower(), at)
        yield from self._characters(position, len(self._text), Kind.TEXT)

    def _marked(self, match: re.Match[str]) -> Iterator[Piece]:
        group = match.lastgroup or ""
        if group in {"comment", "instruction"}:
            if self._text.startswith(("<?xml ", "<?xml\t", "<?xml\n", "<?xml\r"), match.start()):
                return
            yield Piece(kind=Kind.ASIDE, start=match.start(group), end=match.end(group), element=self._element)
        elif group == "cdata":
            yield from self._characters(match.start(group), match.end(group), Kind.RAW)
        elif group == "subset":
            if match["subset"] == "[" or match["declaration"].lower().startswith("entity"):
                raise Unmaskable("a document that defines entities cannot be masked")
            yield self._rest(match.start(), match.end())
        elif group == "close":
            self._closed(match["close"])
            yield self._rest(*match.span())
        elif match["open"]:
            yield from self._tag(match)

    def _tag(self, match: re.Match[str]) -> Iterator[Piece]:
        name, (start, end) = match["open"], match.span("attributes")
        found = list(_ATTRIBUTE.finditer(self._text, start, end))
        values = tuple((each[1], each["double"] or each["single"] or each["bare"] or "") for each in found)
        element = Element(name=name, parent=self._element, attributes=values)
        self._opened(element)
        if name.lower() not in INLINE:
            self._parted = True
        position = match.start()
        for each in found:
            group = each.lastgroup
            if group:
                yield self._rest(position, each.start(group))
                kind = Kind.BARE if group == "bare" else Kind.ATTRIBUTE
                yield Piece(kind=kind, start=each.start(group), end=each.end(group), element=element, name=each[1])
                position = each.end(group)
        yield self._rest(position, match.end())
        if not self._text.endswith("/", start, end) and not (self._html and name.lower() in _VOID):
            self._element = element
            self._open[self._folded(name)] += 1

    def _closed(self, name: str) -> None:
        if name.lower() not in INLINE:
            self._parted = True
        name = self._folded(name)
        if not self._open[name]:
            return
        while self._element:
            closing, self._element = self._folded(self._element.name), self._element.parent
            self._open[closing] -= 1
            if closing == name:
                return

    def _characters(self, start: int, end: int, kind: Kind) -> Iterator[Piece]:
        if start < end:
            yield Piece(kind=kind, start=start, end=end, element=self._element, parted=self._parted)
            self._parted = False

    def _opaque(self, name: str, start: int) -> Generator[Piece, None, int]:
        """The content of an element in which there are no tags; gives where it ends."""
        if name not in _RAW and name not in _REFERENCES_ONLY:
            return start
        closing = re.compile(rf"(?i)</{name}(?=[\s/>])|\Z").search(self._text, start)
        end = closing.start() if closing else len(self._text)
        yield from self._characters(start, end, Kind.RAW if name in _RAW else Kind.TEXT)
        return end

    def _rest(self, start: int, end: int) -> Piece:
        return Piece(kind=Kind.REST, start=start, end=end, element=self._element)

    def _folded(self, name: str) -> str:
        return name.lower() if self._html else name

    def _check_charset(self) -> None:
        metas = _META.finditer(self._text) if self._html else ()
        stated = [label for meta in metas for label in _CHARSET.findall(meta[1])]
        if self._text.lstrip("\ufeff").startswith("<?xml"):
            stated += _ENCODING.findall(self._text[: self._text.find("?>")])
        for label in stated:
            charset_of(label)
