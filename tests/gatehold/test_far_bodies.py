"""Law: a condition on a large body comes to the same in another process, and to an error where that does not answer."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from gatehold.body_reader import Reader
from gatehold.body_workers import LARGE, BodyWorkers
from gatehold.far_bodies import FarBody, left_there
from masking.errors import Unmaskable
from policy.actions.http import HttpAction, decode_http
from policy.expressions import Environment, Evaluation, Outcome
from policy.model import Family, TargetName, TargetTraits, WireRequest

HTTP = Environment.for_family(Family.HTTP)
JSON = (("Content-Type", "application/json"),)
TRAITS = TargetTraits(name=TargetName("api"), family=Family.HTTP)
NOW = datetime(2026, 1, 2, tzinfo=UTC)


class Here(BodyWorkers):
    """Answers as a process would, frames included; None: the process ended."""

    def __init__(self) -> None:
        super().__init__({}, 0)
        self.reader: Reader | None = Reader()
        self.asked = 0

    def exchange(self, facts: Mapping[str, Any], body: bytes) -> tuple[dict[str, Any], bytes]:
        self.asked += 1
        if self.reader is None:
            raise Unmaskable("the process ended")
        return json.loads(json.dumps(self.reader.answer(json.loads(json.dumps(facts)), body))), b""


def large(**more: object) -> bytes:
    return json.dumps({"pad": "x" * LARGE, "kind": "x", "items": [1, 2, 3], **more}).encode()


def request(body: bytes, headers: tuple[tuple[str, str], ...] = JSON) -> WireRequest:
    return WireRequest(method="POST", path="/a", headers=headers, body=body)


def both(source: str, wire: WireRequest) -> Iterator[Evaluation]:
    """What a condition comes to here and there."""
    near = decode_http(TRAITS, wire)
    for action in (near, left_there(near, wire, Here())):
        assert isinstance(action, HttpAction)
        values = {**action.variables(body=True), "now": NOW, "agent.claims": {"team": "a"}}
        yield HTTP.compile(source).evaluate(HTTP.activation(values))


@pytest.mark.parametrize("source", [
    "body.kind == 'x'", "body.kind == 'y'", "body.missing == 1", "body.items.all(each, each > 0)", "body",
    "now < timestamp('2027-01-01T00:00:00Z') && body.kind == 'x'", "agent.claims.team == 'a' && body.items[2] == 3",
    "http.method == 'POST' && has(body.kind)", "glob('x*', body.kind)", "body.big > 1.0",
])  # fmt: skip
@pytest.mark.parametrize("wire", [
    request(large(big=10**30)), request(large(), (("Content-Type", "application/yaml"),)), request(large()[:-1]),
    request(large(), (*JSON, ("Content-Encoding", "gzip"))), request(large(), (*JSON, *JSON)), request(large(), ()),
    request(large(kind="a\0b")), request(b"[" * LARGE + b"]" * LARGE),
])  # fmt: skip
def test_conditions_come_to_the_same(source: str, wire: WireRequest) -> None:
    """Outcome and detail, whatever the body is."""
    near, far = both(source, wire)
    assert near == far


def test_small_bodies_are_read_here() -> None:
    """The way there and back would take longer."""
    wire = request(b'{"kind": "x"}')
    action = decode_http(TRAITS, wire)
    assert left_there(action, wire, Here()) is action


def test_nothing_is_asked_twice() -> None:
    """The same question gets the same answer; another one is asked."""
    workers, wire = Here(), request(large())
    action = left_there(decode_http(TRAITS, wire), wire, workers)
    assert isinstance(action, HttpAction)
    activation = HTTP.activation(action.variables(body=True))
    condition = HTTP.compile("body.kind == 'x'")
    assert condition.test(activation) is condition.test(activation) is Outcome.MATCH
    assert workers.asked == 1
    assert HTTP.compile("body.kind", result="string").text(activation) == "x"
    assert workers.asked == 2


def test_a_process_that_ended_makes_an_error() -> None:
    """Which a wall takes for a match, and a door for none; of texts there is none."""
    workers, wire = Here(), request(large())
    workers.reader = None
    action = left_there(decode_http(TRAITS, wire), wire, workers)
    assert isinstance(action, HttpAction)
    activation = HTTP.activation(action.variables(body=True))
    assert HTTP.compile("body.kind == 'x'").evaluate(activation).outcome is Outcome.ERROR
    assert HTTP.compile("body.kind", result="string").text(activation) is None


@pytest.mark.parametrize("answer", [{}, {"outcome": "yes", "detail": ""}, {"text": 1}])
def test_an_answer_that_is_none_makes_an_error(answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the three words count."""
    workers, wire = Here(), request(large())
    monkeypatch.setattr(workers, "exchange", lambda *_: (answer, b""))
    action = left_there(decode_http(TRAITS, wire), wire, workers)
    assert isinstance(action, HttpAction)
    assert isinstance(action.elsewhere, FarBody)
    assert action.elsewhere.evaluate("body.kind == 'x'", {}).outcome is Outcome.ERROR
    assert action.elsewhere.text("body.kind", {}) is None
    assert "xxx" not in repr(action.elsewhere)
