"""Makes any function of the house fail at its first line, wherever it is called from: found by watching, not by hand.

``watched`` notes the code of every function that runs in some files. ``failing`` lets one of them raise from then on,
in every thread, whatever holds a reference to it: interpreter events (PEP 669), not patched names.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_TOOL = 4
_START = sys.monitoring.events.PY_START


@dataclass(slots=True, kw_only=True)
class Seam:
    """One function."""

    code: CodeType = field(repr=False)
    fired: int = 0

    @property
    def name(self) -> str:
        """Where it stands."""
        path = Path(self.code.co_filename).relative_to(ROOT)
        return f"{path}:{self.code.co_qualname}:{self.code.co_firstlineno}"

    def is_in(self, path: str) -> bool:
        """Does it stand in this file?"""
        return self.code.co_filename == str(ROOT / path)


@contextmanager
def _tool() -> Iterator[None]:
    sys.monitoring.use_tool_id(_TOOL, "gatehold-faults")
    try:
        yield
    finally:
        sys.monitoring.set_events(_TOOL, 0)
        sys.monitoring.register_callback(_TOOL, _START, None)
        sys.monitoring.free_tool_id(_TOOL)


@contextmanager
def watched(places: Sequence[str]) -> Iterator[list[Seam]]:
    """The functions that run inside of the block, of files whose path begins so."""
    found: dict[CodeType, None] = {}
    starts = tuple(str(ROOT / place) for place in places)

    def note(code: CodeType, _offset: int) -> Any:
        if code.co_filename.startswith(starts):
            found[code] = None
        return sys.monitoring.DISABLE

    seams: list[Seam] = []
    with _tool():
        sys.monitoring.register_callback(_TOOL, _START, note)
        sys.monitoring.restart_events()
        sys.monitoring.set_events(_TOOL, _START)
        yield seams
    seams += [Seam(code=code) for code in found if not code.co_qualname.endswith("<module>")]


@contextmanager
def failing(seam: Seam, make: Callable[[], BaseException]) -> Iterator[None]:
    """Inside of the block the function raises whenever it is called."""
    seam.fired = 0

    def fail(_code: CodeType, _offset: int) -> Any:
        seam.fired += 1
        raise make()

    with _tool():
        sys.monitoring.register_callback(_TOOL, _START, fail)
        sys.monitoring.set_local_events(_TOOL, seam.code, _START)
        try:
            yield
        finally:
            sys.monitoring.set_local_events(_TOOL, seam.code, 0)
