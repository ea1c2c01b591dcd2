"""Law: calls are made one after the other as they were, each answer is compared, and one that breaks off ends nothing."""

from dataclasses import replace
from pathlib import Path

import httpx2
import pytest

from gatehold.config import load
from gatehold.history.reading import call_of
from gatehold.replaying.past import Past
from gatehold.replaying.planning import Again, Skip
from gatehold.replaying.running import Step, Tally, Wanted, replay
from gatehold.replaying.sending import Answer
from tests.gatehold.history.recorded import Camera

BASIC = Path(__file__).parents[3] / "examples" / "basic"
CONFIGURATION = load(BASIC)
CAMERA = Camera(CONFIGURATION)


class Way:
    """Answers as it is told to."""

    def __init__(self, *answers: Answer | httpx2.HTTPError) -> None:
        self.sent: list[str] = []
        self._answers = iter(answers)

    def send(self, again: Again) -> Answer:
        """The next answer."""
        self.sent.append(again.path)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer


def past(path: str, at: float = 0.0, *, body: bytes | None = b"{}", status: int = 200, is_stream: bool = False) -> Past:
    """One recorded call."""
    call = call_of(CAMERA.record(path, at=at))
    assert call is not None
    return Past(call=call, operation=f"GET {path}", status=status, body=body, is_stream=is_stream)


def answer(status: int = 200, *, code: str = "allowed", rule: str = "", body: bytes | None = b"{}") -> Answer:
    """One answer of now."""
    return Answer(status=status, decision="dec_new", code=code, rule=rule, body=body)


def wanted(speed: float | None = None) -> Wanted:
    """Calls to ``crm``."""
    return Wanted(origin="crm", traits=CONFIGURATION.traits["crm"], speed=speed)


def made(calls: list[Past], way: Way | None, *, speed: float | None = None) -> tuple[list[Step], list[float]]:
    """What became of them, and the pauses."""
    pauses: list[float] = []
    return list(replay(calls, wanted(speed), way, sleep=pauses.append)), pauses


@pytest.mark.parametrize(
    ("speed", "pauses"), [(None, []), (1.0, [5.0, 0.0, 3600.0]), (2.0, [2.5, 0.0, 3600.0]), (0.5, [10.0, 0.0, 3600.0])]
)
def test_pauses_are_those_of_then(speed: float | None, pauses: list[float]) -> None:
    """By the speed that is asked for; clocks that were set back and nights make none that matter."""
    calls = [past("/customers/1", 0.0), past("/customers/2", 5.0), past("/customers/3", 4.0), past("/customers/4", 1e6)]
    way = Way(*[answer()] * 4)
    steps, slept = made(calls, way, speed=speed)
    assert way.sent == [f"/customers/{number}" for number in (1, 2, 3, 4)]
    assert slept == pauses
    assert all(step.answer for step in steps)


def test_without_a_way_nothing_is_sent() -> None:
    """But it is told what would be."""
    [step], slept = made([past("/customers/1")], None, speed=1.0)
    assert (step.answer, step.skipped, step.differences, slept) == (None, None, (), [])


def test_what_is_left_out() -> None:
    """Calls to others, those that came in pieces, and those with values that only the session of then had."""
    elsewhere = past("/customers/1")
    restored = replace(elsewhere, is_restored=True)
    assert made([restored], Way())[0][0].skipped is Skip.RESTORED
    steps, _ = made([past("/customers/1", is_stream=True), elsewhere], Way(answer()))
    assert steps[0].skipped is Skip.STREAM
    other = Wanted(origin="main", traits=CONFIGURATION.traits["main"])
    [step] = list(replay([elsewhere], other, Way(), sleep=lambda _: None))
    assert step.skipped is Skip.OTHER_TARGET
    assert step.to_json()["skipped"] == "other-target"


def test_answers_are_compared() -> None:
    """By status, code and rule; bodies may well differ."""
    recorded = past("/customers/1")
    rule, code = recorded.call.recorded.rule, recorded.call.recorded.code
    same = Step(past=recorded, answer=answer(code=code, rule=rule))
    assert (same.differences, same.body) == ((), "same")
    other = Step(past=recorded, answer=answer(403, code="denied-by-rule", rule="no", body=b"no"))
    assert other.differences == ("status 200 -> 403", f"code {code} -> denied-by-rule", f"rule {rule or 'none'} -> no")
    assert other.body == "differs"
    assert Step(past=recorded, answer=answer(body=None)).body == "unknown"
    assert Step(past=past("/customers/1", body=None), answer=answer()).body == "unknown"


def test_a_call_that_breaks_off_ends_nothing() -> None:
    """It is told and counted, and the next one is made."""
    calls, tally = [past("/customers/1"), past("/customers/2")], Tally()
    steps, _ = made(calls, Way(httpx2.ReadTimeout("slow"), answer()))
    for step in steps:
        tally.add(step)
    assert steps[0].to_json()["error"] == "ReadTimeout"
    assert steps[1].answer is not None
    assert (tally.sent, tally.broken) == (2, 1)
    tally.add(Step(past=calls[0], skipped=Skip.MASKED))
    assert tally.to_json()["skipped"] == {"masked": 1}
