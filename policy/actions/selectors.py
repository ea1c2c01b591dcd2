"""Label and field selectors, parsed as the Kubernetes API server parses them.

Sources: k8s.io/apimachinery/pkg/labels/selector.go and pkg/fields/selector.go. A selector that does not parse is
``UNKNOWN``; the server answers 400 for it. One that is too long to be worth the time is unknown as well.
"""

import re
from dataclasses import dataclass
from typing import Literal

from policy.model import UNKNOWN, Maybe

type Operator = Literal["in", "notin", "exists", "!", ">", "<"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One term of a label selector: the label, what is asked of it, and the values."""

    key: str
    operator: Operator
    """``=`` and ``==`` are ``in`` one value, ``!=`` is ``notin`` one."""
    values: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One term of a field selector."""

    field: str
    equal: bool
    value: str


MAX_LENGTH = 8192

_TOKEN = re.compile(r"==|!=|[=!(),<>]|[^=!(),<> \t\r\n]+")
_WORD = re.compile(r"[^=!(),<> \t\r\n]+")
_NAME = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*")
_INTEGER = re.compile(r"[-+]?[0-9]{1,19}")
_SETS: dict[str, Operator] = {"in": "in", "notin": "notin"}
_EXACT: dict[str, Operator] = {"=": "in", "==": "in", "!=": "notin", ">": ">", "<": "<"}


class _InvalidError(ValueError):
    """The selector does not parse."""


def parse_labels(selector: str) -> Maybe[tuple[Requirement, ...]]:
    """The requirements of a label selector, all of which must hold; unknown where it does not parse."""
    if len(selector) > MAX_LENGTH:
        return UNKNOWN
    try:
        return tuple(_LabelParser(selector).requirements())
    except _InvalidError:
        return UNKNOWN


class _LabelParser:
    def __init__(self, selector: str) -> None:
        self._tokens = _TOKEN.findall(selector)
        self._at = 0

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self._peek():
            found.append(self._requirement())
            if not self._peek():
                break
            self._expect(",")
            if not (_WORD.fullmatch(self._peek()) or self._peek() == "!"):
                raise _InvalidError
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._at += 1
        return token

    def _expect(self, token: str) -> None:
        if self._next() != token:
            raise _InvalidError

    def _word(self) -> str:
        if not _WORD.fullmatch(word := self._next()):
            raise _InvalidError
        return word

    def _requirement(self) -> Requirement:
        if self._peek() == "!":
            self._next()
            return Requirement(key=_label_key(self._word()), operator="!")
        key = _label_key(self._word())
        if self._peek() in {"", ","}:
            return Requirement(key=key, operator="exists")
        sign = self._next()
        if sign in _SETS:
            return Requirement(key=key, operator=_SETS[sign], values=_label_values(self._values()))
        if sign not in _EXACT:
            raise _InvalidError
        value = "" if self._peek() in {"", ","} else self._word()
        if sign in {"<", ">"} and not _INTEGER.fullmatch(value):
            raise _InvalidError
        return Requirement(key=key, operator=_EXACT[sign], values=_label_values({value}))

    def _values(self) -> set[str]:
        """A list in parentheses; nothing between two separators is the empty value."""
        self._expect("(")
        found: set[str] = set()
        while True:
            found.add("" if self._peek() in {",", ")"} else self._word())
            if self._next_separator() == ")":
                return found

    def _next_separator(self) -> str:
        if (token := self._next()) not in {",", ")"}:
            raise _InvalidError
        return token


def _label_key(key: str) -> str:
    prefix, slash, name = key.rpartition("/")
    if not _NAME.fullmatch(name) or (slash and (len(prefix) > 253 or not _PREFIX.fullmatch(prefix))):
        raise _InvalidError
    return key


def _label_values(values: set[str]) -> frozenset[str]:
    if not all(value == "" or _NAME.fullmatch(value) for value in values):
        raise _InvalidError
    return frozenset(values)


_OPERATOR = re.compile(r"!=|==|=")
_ESCAPED = re.compile(r"\\([\\,=])")
_VALUE = re.compile(r"(?:[^\\,=]|\\[\\,=])*", re.DOTALL)


def parse_fields(selector: str) -> Maybe[tuple[Term, ...]]:
    """The terms of a field selector in the order in which the server keeps them; unknown where it does not parse."""
    if len(selector) > MAX_LENGTH:
        return UNKNOWN
    terms = []
    for part in sorted(filter(None, _split_terms(selector)), key=_bytes):
        operator = _OPERATOR.search(part)
        if not operator or not _VALUE.fullmatch(part, operator.end()):
            return UNKNOWN
        value = _ESCAPED.sub(r"\1", part[operator.end() :])
        terms.append(Term(field=part[: operator.start()], equal=operator[0] != "!=", value=value))
    return tuple(terms)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _split_terms(selector: str) -> list[str]:
    """The parts between commas that no backslash escapes."""
    if "\\" not in selector:
        return selector.split(",")
    parts, start, escaped = [], 0, False
    for at, character in enumerate(selector):
        if character == "," and not escaped:
            parts.append(selector[start:at])
            start = at + 1
        escaped = character == "\\" and not escaped
    return [*parts, selector[start:]]


def exact_name(terms: tuple[Term, ...]) -> str:
    """The one name that a field selector asks for; empty where there is none.

    As on the server the first term of ``metadata.name`` counts, and only a name that can stand in a path.
    """
    for term in terms:
        if term.field == "metadata.name" and term.equal:
            valid = term.value not in {".", ".."} and not {"/", "%"} & set(term.value)
            return term.value if valid else ""
    return ""
