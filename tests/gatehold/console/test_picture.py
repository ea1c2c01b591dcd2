"""Laws of the picture: it shows what was counted, to eyes and to ears."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatehold.agent_api.tally import ALLOWED, DENIED, HELD, Minute
from gatehold.console.picture import HEIGHT, bars, total

COUNTS = st.integers(0, 10_000)
MINUTES = st.lists(st.builds(Minute, begins=st.just(0.0), allowed=COUNTS, held=COUNTS, denied=COUNTS), max_size=60)


@given(MINUTES)
def test_bars_stand_in_the_picture(minutes: list[Minute]) -> None:
    """On each other, from the bottom, never beyond the top; what is there can be seen, what is not has no part."""
    for bar in bars(minutes):
        floor = float(HEIGHT)
        for part in bar.parts:
            assert abs(part.y + part.height - floor) < 0.02
            assert part.height > 0.5
            floor = part.y
        assert floor > -0.02
        assert {part.kind for part in bar.parts} == {
            name for name in ("allowed", "held", "denied") if getattr(bar.minute, name)
        }


@given(MINUTES)
def test_sums(minutes: list[Minute]) -> None:
    """Nothing is lost."""
    assert total(minutes).calls == sum(minute.calls for minute in minutes)


async def test_the_part_of_the_page(alice: Any, site: Any) -> None:
    """Numbers in titles and a table, colours by class alone; it asks for itself again."""
    tally = site.console.decisions.tally
    for outcome, number in ((ALLOWED, 5), (HELD, 2), (DENIED, 1)):
        for _ in range(number):
            tally.count(site.clock.now, outcome, "r")
    page = (await alice.get("/picture", **{"HX-Request": "true"})).text
    assert 'hx-trigger="every 5s"' in page
    assert "5 allowed, 2 held, 1 denied; 8 in the busiest minute</title>" in page
    assert page.count("<title>") == 60
    assert page.count('<th scope="row">') == 12
    assert "<td>5</td><td>2</td><td>1</td>" in page
    assert "style=" not in page
    assert 'hx-get="/picture"' in (await alice.get("/")).text


async def test_parts_that_refresh_themselves_are_no_use_of_a_session(alice: Any, site: Any) -> None:
    """A page that is only open does not keep its person signed in."""
    for _ in range(7):
        site.clock.now += 600.0
        last = await alice.get("/picture", **{"HX-Request": "true"})
    assert last.status_code == 401
