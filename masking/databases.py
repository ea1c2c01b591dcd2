"""Expressions that hyperscan looks for, all in one scan, and the memory that its scans need."""

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

type Handler = Callable[[int, int, int, int, object], bool | None]
"""Is told the number of an expression, zero, and where a match ends. What is true ends the scan."""


class UnscannableError(ValueError):
    """An expression that cannot be compiled for scanning."""


class Database:
    """Expressions over bytes under their numbers, compiled. It may match too much. Safe to use from several threads."""

    def __init__(self, expressions: Mapping[int, str], *, once: bool) -> None:
        """``once``: each is told of at most once in a scan. Raises ``UnscannableError``."""
        import hyperscan  # noqa: PLC0415  (not everywhere)

        flags = hyperscan.HS_FLAG_PREFILTER | (hyperscan.HS_FLAG_SINGLEMATCH if once else hyperscan.HS_FLAG_ALLOWEMPTY)
        self._stopped = hyperscan.ScanTerminated
        self._database = hyperscan.Database()
        try:
            self._database.compile(
                expressions=[expression.encode("latin-1") for expression in expressions.values()],
                ids=list(expressions),
                elements=len(expressions),
                flags=[flags] * len(expressions),
            )
        except hyperscan.error as error:
            raise UnscannableError(type(error).__name__) from None
        self._first = hyperscan.Scratch(self._database)
        # A scratch serves one scan at a time. The free ones wait here, as many as scans ever ran at once.
        self._free: deque[Any] = deque([self._first.clone()])

    def scan(self, data: bytes, handler: Handler) -> bool:
        """Whether the scan came to the end."""
        try:
            scratch = self._free.pop()
        except IndexError:
            scratch = self._first.clone()
        try:
            self._database.scan(data, match_event_handler=handler, scratch=scratch)
        except self._stopped:
            return False
        finally:
            self._free.append(scratch)
        return True
