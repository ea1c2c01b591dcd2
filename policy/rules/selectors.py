"""From the value of one selector to the bits of the rules it satisfies.

Bit *i* of a mask stands for rule *i*. A dimension is built once from (patterns, bit) pairs, where no patterns mean any
value, and answers ``mask(value)`` from dictionaries: exact values, prefixes (``dev-*``), suffixes (``*-team``), and a
short list of other globs. Answers are remembered in a bounded memo, because values come from agents.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from policy.model import Agent

type Patterns = tuple[str, ...] | None
type Entries = Iterable[tuple[Patterns, int]]

MEMO_SIZE = 4096


def glob_matches(pattern: str, value: str) -> bool:
    """Whether ``value`` is of the form ``pattern``, in which ``*`` stands for any run of characters.

    Takes the leftmost place for each literal part, which is always enough, so it never backtracks.
    """
    first, *middle = pattern.split("*")
    if not middle:
        return value == pattern
    last = middle.pop()
    if len(value) < len(first) + len(last) or not value.startswith(first) or not value.endswith(last):
        return False
    at, end = len(first), len(value) - len(last)
    for part in middle:
        found = value.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class ExactDimension:
    """A selector matched by equality; ``*`` means any."""

    __slots__ = ("_exact", "open")

    def __init__(self, entries: Entries) -> None:
        self.open = 0
        """The bits of rules that any value satisfies."""
        self._exact: defaultdict[str, int] = defaultdict(int)
        for patterns, bit in entries:
            if patterns is None or "*" in patterns:
                self.open |= bit
            else:
                for pattern in patterns:
                    self._exact[pattern] |= bit

    def mask(self, value: str) -> int:
        """The bits of all rules that this value satisfies."""
        return self.open | self._exact.get(value, 0)

    def mask_any(self, values: Iterable[str]) -> int:
        """The bits of all rules that at least one of these values satisfies."""
        found = self.open
        for value in values:
            found |= self._exact.get(value, 0)
        return found


class GlobDimension:
    """A selector matched by glob."""

    __slots__ = ("_exact", "_globs", "_lengths", "_memo", "_prefixes", "_suffixes", "open")

    def __init__(self, entries: Entries) -> None:
        self.open = 0
        """The bits of rules that any value satisfies."""
        self._exact: defaultdict[str, int] = defaultdict(int)
        self._prefixes: defaultdict[str, int] = defaultdict(int)
        self._suffixes: defaultdict[str, int] = defaultdict(int)
        self._globs: defaultdict[str, int] = defaultdict(int)
        self._memo: dict[str, int] = {}
        for patterns, bit in entries:
            for pattern in patterns or ("*",):
                self._add(pattern, bit)
        self._lengths = sorted({len(text) for text in (*self._prefixes, *self._suffixes)})

    def _add(self, pattern: str, bit: int) -> None:
        stars = pattern.count("*")
        if pattern == "*":
            self.open |= bit
        elif stars == 0:
            self._exact[pattern] |= bit
        elif stars == 1 and pattern.endswith("*"):
            self._prefixes[pattern[:-1]] |= bit
        elif stars == 1 and pattern.startswith("*"):
            self._suffixes[pattern[1:]] |= bit
        else:
            self._globs[pattern] |= bit

    def mask(self, value: str) -> int:
        """The bits of all rules that this value satisfies."""
        found = self._memo.get(value)
        if found is None:
            found = self._look_up(value)
            if len(self._memo) >= MEMO_SIZE:
                self._memo.clear()
            self._memo[value] = found
        return found

    def _look_up(self, value: str) -> int:
        found = self.open | self._exact.get(value, 0)
        for length in self._lengths:
            if length > len(value):
                break
            found |= self._prefixes.get(value[:length], 0) | self._suffixes.get(value[-length:], 0)
        for pattern, bits in self._globs.items():
            if glob_matches(pattern, value):
                found |= bits
        return found


class AgentDimension:
    """Who calls: issuer and groups by one memo, subjects by equality."""

    __slots__ = ("_groups", "_issuers", "_memo", "_subjects")

    def __init__(self, subjects: Entries, groups: Entries, issuers: Entries) -> None:
        self._subjects = ExactDimension(subjects)
        self._groups = ExactDimension(groups)
        self._issuers = ExactDimension(issuers)
        self._memo: dict[tuple[str, tuple[str, ...]], tuple[tuple[str, int], tuple[str, int]]] = {}

    def masks(self, agent: Agent) -> tuple[tuple[str, int], ...]:
        """The bits by selector. A group counts with the issuer that vouches for it, hence the key of the memo."""
        key = (agent.issuer, agent.groups)
        known = self._memo.get(key)
        if known is None:
            known = (
                ("agents.issuers", self._issuers.mask(agent.issuer)),
                ("agents.groups", self._groups.mask_any(agent.groups)),
            )
            if len(self._memo) >= MEMO_SIZE:
                self._memo.clear()
            self._memo[key] = known
        return (*known, ("agents.subjects", self._subjects.mask(agent.subject)))


def claims_match(wanted: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Whether every wanted claim is there with one of its values; a claim that is a list has to contain one."""
    return all(_claim_matches(values, _claim(claims, name)) for name, values in wanted.items())


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """The claim of exactly this name, else the one that the dotted path leads to, else None."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for key in name.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _claim_matches(wanted: Any, claim: Any) -> bool:
    candidates = wanted if isinstance(wanted, tuple) else (wanted,)
    values = claim if isinstance(claim, list | tuple) else (claim,)
    return any(_same(value, candidate) for value in values for candidate in candidates)


def _same(value: Any, wanted: Any) -> bool:
    """Equality that does not take ``true`` for 1."""
    return isinstance(value, bool) == isinstance(wanted, bool) and bool(value == wanted)
