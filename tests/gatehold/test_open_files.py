import resource
from typing import Any

import pytest

from gatehold import open_files
from gatehold.open_files import ENOUGH, allow_many

INFINITY = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1024, 4096), (4096, 4096)),
        ((1024, 1_000_000), (ENOUGH, 1_000_000)),
        ((1024, INFINITY), (ENOUGH, INFINITY)),
        ((4096, 4096), None),
        ((ENOUGH * 2, INFINITY), None),
        ((INFINITY, INFINITY), None),
    ],
)
def test_the_soft_limit_is_raised_and_never_lowered(monkeypatch: Any, before: Any, after: Any) -> None:
    """To the hard limit, or to what is enough."""
    told: list[Any] = []
    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _which: before)
    monkeypatch.setattr(open_files.resource, "setrlimit", lambda _which, limits: told.append(limits))
    allow_many()
    assert told == ([] if after is None else [after])


@pytest.mark.parametrize("error", [ValueError, OSError])
def test_a_system_that_refuses_is_no_harm(monkeypatch: Any, error: type[Exception]) -> None:
    """The gateway serves with the limit it has."""

    def refuse(_which: int, _limits: Any) -> None:
        raise error

    monkeypatch.setattr(open_files.resource, "getrlimit", lambda _which: (1024, 4096))
    monkeypatch.setattr(open_files.resource, "setrlimit", refuse)
    allow_many()
