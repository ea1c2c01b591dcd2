"""Law: an answer that is kept until it is whole is waited for while bytes come, and no longer than the token counts.

What is done about one that is given up is tested with the layers, in ``test_wire``.
"""

import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from addons import slow_bodies
from addons.calls import Ledger
from tests.addons.support import AGENT, make_flow


class Stream:
    """What is looked at of an HTTP stream."""

    def __init__(self) -> None:
        self.flow = make_flow()
        self.server_state = self.state_consume_response_body

    def state_consume_response_body(self) -> None:
        """Its body is being kept."""


@pytest.mark.parametrize(("left", "due"), [(1e6, slow_bodies.SILENCE), (30.0, 30.0), (-5.0, 0.0)])
async def test_the_token_bounds_all_of_it(left: float, due: float, later: list[Any]) -> None:
    """However steadily it comes."""
    stream, ledger = Stream(), Ledger()
    call = ledger.open(stream.flow)
    call.agent = AGENT.__replace__(expires_at=time.time() + left)
    slow_bodies.note(cast("Any", SimpleNamespace(ledger=ledger)), cast("Any", stream))
    assert later[-1][0] == pytest.approx(due, abs=2)


async def test_an_answer_that_ended_is_forgotten(later: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The look that was due finds nothing."""
    stream, runtime = Stream(), cast("Any", SimpleNamespace(ledger=Ledger()))
    given_up: list[object] = []
    monkeypatch.setattr(slow_bodies, "_give_up", given_up.append)
    slow_bodies.note(runtime, cast("Any", stream))
    stream.server_state = None  # type: ignore[assignment]
    slow_bodies.note(runtime, cast("Any", stream))
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 1e6)
    later[-1][1]()
    assert stream not in given_up


async def test_one_timer_looks_at_all(later: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """However many are waited for; what is due is given up once, and the rest is looked at when it is due."""
    quiet, lively, runtime = Stream(), Stream(), cast("Any", SimpleNamespace(ledger=Ledger()))
    given_up: list[object] = []
    monkeypatch.setattr(slow_bodies, "_give_up", given_up.append)
    for stream in (quiet, lively):
        slow_bodies.note(runtime, cast("Any", stream))
    assert len(later) == 1
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + slow_bodies.SILENCE / 2)
    slow_bodies.note(runtime, cast("Any", lively))
    monkeypatch.setattr(time, "monotonic", lambda: now + slow_bodies.SILENCE + 1)
    later[-1][1]()
    assert (quiet in given_up, lively in given_up) == (True, False)
    assert later[-1][0] == pytest.approx(slow_bodies.SILENCE / 2, abs=2)
    later[-1][1]()
    assert given_up.count(quiet) == 1
