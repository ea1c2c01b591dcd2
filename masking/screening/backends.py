"""What looks through whole bodies for many expressions at once.

hyperscan where it is installed (more than 1 GB/s), else RE2, else ``re``, chosen when this module is imported. All give
places such that every stretch of the body with a match of its own has one in it.
"""

import importlib.util
import re
from collections.abc import Callable, Collection, Sequence
from functools import lru_cache
from typing import Any, Literal, Protocol

from masking.databases import Database, UnscannableError

type Backend = Literal["hyperscan", "re2", "re"]

_KEPT = 256
"""Scanners that are kept: some for each different set of profiles in use."""


class Scanner(Protocol):
    """Some expressions, compiled. Safe to use from several threads."""

    def marks(self, data: bytes, most: int) -> list[int] | None:
        """The places of matches, ascending; None when there are more than ``most``.

        Of every match that there is, in the span where it stands some match has its first or its last byte at one of
        the places. Other places may be among them.
        """

    def is_quiet(self, data: bytes) -> bool:
        """Whether nothing matches."""


type Which = Callable[[bytes], Collection[int]]
"""For some bytes, the numbers of the expressions that match in them."""


class HyperscanScanner:
    """Expressions as a hyperscan database."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self._database = Database(dict(enumerate(patterns)), once=False)

    def marks(self, data: bytes, most: int) -> list[int] | None:
        """Where matches end."""
        found: list[int] = []
        note = found.append

        def handler(_id: int, _start: int, end: int, _flags: int, _context: object) -> bool | None:
            note(end - 1)
            return len(found) > most or None

        return sorted(set(found)) if self._database.scan(data, handler) else None

    def is_quiet(self, data: bytes) -> bool:
        """Whether nothing matches."""
        return self._database.scan(data, lambda *_: True)


class ExpressionScanner:
    """Expressions one by one, of a module that works like ``re``."""

    def __init__(
        self, patterns: Sequence[str], compile_: Callable[[bytes], Any], errors: type[Exception] = re.error
    ) -> None:
        """``errors``: what ``compile_`` raises for an expression that it cannot do."""
        try:
            self._patterns = [compile_(pattern.encode("latin-1")) for pattern in patterns]
            self._any = compile_("|".join(f"(?:{pattern})" for pattern in patterns).encode("latin-1"))
        except (re.error, errors) as error:
            raise UnscannableError(type(error).__name__) from None

    def marks(self, data: bytes, most: int) -> list[int] | None:
        """Where matches begin and end, of every place where one of the expressions matches."""
        found: set[int] = set()
        for pattern in self._patterns:
            match = pattern.search(data)
            while match:
                start, end = match.span()
                found |= {start, max(start, end - 1)}
                if len(found) > most:
                    return None
                match = pattern.search(data, start + 1)
        return sorted(found)

    def is_quiet(self, data: bytes) -> bool:
        """Whether nothing matches."""
        return self._any.search(data) is None


def _chosen() -> Backend:
    installed = (name for name in ("hyperscan", "re2") if importlib.util.find_spec(name))
    name = next(installed, "re")
    return "hyperscan" if name == "hyperscan" else "re2" if name == "re2" else "re"


_BACKEND = _chosen()


def backend() -> Backend:
    """What bodies are screened with on this machine."""
    return _BACKEND


class Scanners:
    """Several scanners as one."""

    def __init__(self, scanners: Sequence[Scanner]) -> None:
        self._scanners = tuple(scanners)

    def marks(self, data: bytes, most: int) -> list[int] | None:
        """The places that all of them give."""
        found: set[int] = set()
        for each in self._scanners:
            marks = each.marks(data, most)
            if marks is None or len(found) + len(marks) > most:
                return None
            found.update(marks)
        return sorted(found)

    def is_quiet(self, data: bytes) -> bool:
        """Whether nothing matches."""
        return all(each.is_quiet(data) for each in self._scanners)


class Gated:
    """Scanners that are asked only about texts in which their gate matches, as it does wherever they do."""

    def __init__(self, gates: Which, behind: Sequence[Scanner]) -> None:
        """``behind``: in the order of the gates."""
        self._gates, self._behind = gates, tuple(behind)

    def marks(self, data: bytes, most: int) -> list[int] | None:
        """The places of matches."""
        return Scanners([self._behind[number] for number in self._gates(data)]).marks(data, most)

    def is_quiet(self, data: bytes) -> bool:
        """Whether nothing matches."""
        return all(self._behind[number].is_quiet(data) for number in self._gates(data))


@lru_cache(_KEPT)
def scanner(patterns: tuple[str, ...], using: Backend | None = None) -> Scanner:
    """The scanner of some expressions, one for all who need the same; raises ``UnscannableError``."""
    name = using or _BACKEND
    return HyperscanScanner(patterns) if name == "hyperscan" else ExpressionScanner(patterns, *_compiling(name))


@lru_cache(_KEPT)
def gates(patterns: tuple[str, ...], using: Backend | None = None) -> Which:
    """Tells which of some expressions match, one for all who need the same; raises ``UnscannableError``."""
    name = using or _BACKEND
    if name == "hyperscan":
        return _told_at_once(Database(dict(enumerate(patterns)), once=True), len(patterns))
    singly = [ExpressionScanner((pattern,), *_compiling(name)) for pattern in patterns]
    return lambda data: [number for number, each in enumerate(singly) if not each.is_quiet(data)]


def _told_at_once(database: Database, count: int) -> Which:
    def which(data: bytes) -> Collection[int]:
        found: set[int] = set()

        def handler(number: int, _start: int, _end: int, _flags: int, _context: object) -> bool | None:
            found.add(number)
            return len(found) == count or None

        database.scan(data, handler)
        return found

    return which


def _compiling(name: Backend) -> tuple[Callable[[bytes], Any], type[Exception]]:
    """What compiles an expression, and what it raises for one that it cannot do."""
    if name == "re":
        return re.compile, re.error
    import re2  # type: ignore[import-untyped]  # noqa: PLC0415  (not everywhere)

    options = re2.Options()
    options.max_mem, options.log_errors = 1 << 28, False
    return (lambda pattern: re2.compile(pattern, options)), re2.error


def beyond_ascii() -> Scanner:
    """What marks each stretch of characters beyond ASCII, in a text that ends with another one."""
    return scanner((r"[\x80-\xff][^\x80-\xff]",))
