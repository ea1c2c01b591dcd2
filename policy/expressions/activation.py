"""The values of one call, in the form that the engine takes without harm.

A value that cannot be given to it (nested too deeply, not Unicode, of a foreign type) stays unbound, so that whatever
reads it fails. So does one with a NUL in a text: the engine's binding ends texts there, and would take ``ok\\0evil``
for ``ok``.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Self

from cel_expr_python import cel

from policy.expressions.elsewhere import Elsewhere
from policy.model import UNKNOWN

MAX_DEPTH = 64
"""Levels of lists and maps. At about 6,000 the engine crashes the process."""

_PLAIN = frozenset((str, bool, float, bytes, type(None), datetime, timedelta))
_INT_MIN, _INT_MAX = -(2**63), 2**63 - 1
_NUL = "holds a NUL"


class _UnusableError(Exception):
    """A value that stays unbound; the text says why and holds nothing of it."""


class Activation:
    """What one call binds the variables to. Made once per call, used by all its conditions."""

    __slots__ = ("_environment", "_values", "elsewhere", "engine", "unusable")

    def __init__(self, environment: cel.Env, values: Mapping[str, Any]) -> None:
        self._environment = environment
        self.unusable: dict[str, str] = {}
        """Variables that were given and yet stay unbound, and why."""
        self.elsewhere: dict[str, Elsewhere] = {}
        """Variables whose values are not here."""
        self._values: dict[str, Any] = {}
        self._take(values)
        self.engine = environment.Activation(self._values)

    def bind(self, values: Mapping[str, Any]) -> Self:
        """The same call with further variables, for one rule of it."""
        other = object.__new__(type(self))
        other._environment = self._environment
        other.unusable, other.elsewhere = dict(self.unusable), dict(self.elsewhere)
        other._values = dict(self._values)
        other._take(values)
        other.engine = other._environment.Activation(other._values)
        return other

    def here(self, names: Iterable[str]) -> dict[str, Any]:
        """The values of those variables that are bound here."""
        return {name: self._values[name] for name in names if name in self._values}

    def _take(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            if value is UNKNOWN:
                continue
            if isinstance(value, Elsewhere):
                self.elsewhere[name] = value
                continue
            try:
                self._values[name] = _plain(value) if type(value) in _PLAIN else _usable(value)
            except _UnusableError as error:
                self.unusable[name] = str(error)


def _plain(value: Any) -> Any:
    if type(value) is str:
        _check_text(value)
    return value


def _check_text(text: str) -> None:
    if "\0" in text:
        raise _UnusableError(_NUL)


def _usable(value: Any) -> Any:
    """``value`` itself, or a copy in which numbers and sequences have types that the engine knows."""
    if type(value) is int:
        return _number(value)
    return _copy(value) if _must_be_copied(value) else value


def _must_be_copied(value: Any) -> bool:
    """Measure a value level by level, without recursion. Raises ``_UnusableError``."""
    foreign, level = False, [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for container in level:
            kind = type(container)
            foreign = foreign or (kind is not dict and kind is not list)
            if isinstance(container, Mapping):
                _check_text("".join(key for key in container if isinstance(key, str)))
            for item in container.values() if kind is dict else container if kind is list else _members(container):
                kind = type(item)
                if kind is str:
                    if "\0" in item:
                        raise _UnusableError(_NUL)
                    continue
                if kind is int:
                    foreign = foreign or not _INT_MIN <= item <= _INT_MAX
                elif kind not in _PLAIN:
                    below.append(item)
        if not below:
            return foreign
        level = below
    raise _UnusableError(f"nested deeper than {MAX_DEPTH} levels")


def _members(item: Any) -> list[Any]:
    if isinstance(item, Mapping):
        return list(item.values())
    if isinstance(item, list | tuple | set | frozenset):
        return list(item)
    if isinstance(item, str):
        _check_text(item)
    if isinstance(item, str | int | float):
        return []
    raise _UnusableError(f"holds a {type(item).__name__}")


def _copy(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_copy(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_copy(item) for item in value)
    if isinstance(value, str):
        return str(value)
    return _number(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _number(value: int) -> int | float:
    """Integers beyond 64 bits count as doubles, as they do in JSON for most programs."""
    if _INT_MIN <= value <= _INT_MAX:
        return int(value)
    try:
        return float(value)
    except OverflowError:
        raise _UnusableError("holds a number that is too large") from None
