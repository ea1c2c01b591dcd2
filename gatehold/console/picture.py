"""The last hour of decisions as a picture: a bar a minute, drawn as SVG, and the same in a table for screen readers.

Counted by this process alone (``gatehold.agent_api.tally``); a part of the inbox that refreshes itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import batched
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatehold.agent_api.tally import Minute
from gatehold.console.context import Console

HEIGHT: Final = 64
STEP: Final = 12
BAR: Final = 9
"""Width of a bar and its gap, and of the bar, in units of the picture."""
LEAST: Final = 2.0
"""Height of the smallest part that is there."""
ROUGH: Final = 5
"""Minutes in a row of the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A rectangle of a bar; ``kind`` is its class."""

    kind: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One minute."""

    x: int
    minute: Minute
    parts: tuple[Part, ...]


def bars(minutes: Sequence[Minute]) -> list[Bar]:
    """One for every minute, from the bottom: allowed, held, denied."""
    most = max([minute.calls for minute in minutes], default=0)
    return [
        Bar(x=at * STEP, minute=minute, parts=tuple(_parts(minute, most)) if minute.calls else ())
        for at, minute in enumerate(minutes)
    ]


def _parts(minute: Minute, most: int) -> Iterator[Part]:
    counts = {"allowed": minute.allowed, "held": minute.held, "denied": minute.denied}
    heights = {kind: max(LEAST, count * HEIGHT / most) for kind, count in counts.items() if count}
    # Parts that are drawn larger than they are take from the others what would not fit.
    shrink = min(1.0, HEIGHT / sum(heights.values()))
    floor = float(HEIGHT)
    for kind, height in heights.items():
        floor -= height * shrink
        yield Part(kind=kind, y=round(floor, 2), height=round(height * shrink, 2))


def total(minutes: Sequence[Minute]) -> Minute:
    """All of them as one."""
    return Minute(
        begins=minutes[0].begins if minutes else 0.0,
        allowed=sum(minute.allowed for minute in minutes),
        held=sum(minute.held for minute in minutes),
        denied=sum(minute.denied for minute in minutes),
    )


class _Picture:
    def __init__(self, console: Console) -> None:
        self._console = console

    async def part(self, request: Request) -> Response:
        """The picture alone."""
        minutes = self._console.decisions.tally.lately(self._console.clock())
        return self._console.templates.page(
            request,
            "picture.html",
            bars=bars(minutes),
            sums=total(minutes),
            most=max(minute.calls for minute in minutes),
            rough=[total(some) for some in batched(minutes, ROUGH, strict=False)],
            width=len(minutes) * STEP,
            height=HEIGHT,
            bar=BAR,
        )


def routes(console: Console) -> list[Route]:
    """A part of a page."""
    return [Route("/picture", _Picture(console).part, methods=["GET"])]
