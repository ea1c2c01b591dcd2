"""Law: an expression that reads a value which is elsewhere is evaluated there, with what it reads besides."""

from collections.abc import Mapping
from typing import Any

import pytest

from policy.expressions import Elsewhere, Environment, Evaluation, Outcome
from policy.model import Family

HTTP = Environment.for_family(Family.HTTP)


class Noting(Elsewhere):
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def evaluate(self, source: str, values: Mapping[str, Any]) -> Evaluation:
        self.asked.append((source, values))
        return Evaluation(outcome=Outcome.MATCH)

    def text(self, source: str, values: Mapping[str, Any]) -> str | None:
        self.asked.append((source, values))
        return "said there"


def test_what_reads_it_is_evaluated_there() -> None:
    """With the other variables that it reads, and no more."""
    there = Noting()
    activation = HTTP.activation({"body": there, "http.method": "POST", "http.path": "/a"})
    condition = HTTP.compile("body.kind == 'x' && http.method == 'POST'")
    assert condition.evaluate(activation).outcome is Outcome.MATCH
    assert condition.test(activation) is Outcome.MATCH
    assert HTTP.compile("string(body.kind)", result="string").text(activation) == "said there"
    assert there.asked == [(condition.source, {"http.method": "POST"})] * 2 + [("string(body.kind)", {})]


def test_what_does_not_read_it_stays_here() -> None:
    """And can be evaluated without it."""
    there = Noting()
    activation = HTTP.activation({"body": there, "http.method": "POST"})
    assert HTTP.compile("http.method == 'POST'").test(activation) is Outcome.MATCH
    assert not there.asked


def test_it_is_bound_for_every_rule_of_the_call() -> None:
    """Parameters of one rule's paths come along."""
    there = Noting()
    activation = HTTP.activation({"body": there}).bind({"http.params": {"id": "7"}})
    source = "body.id == http.params.id"
    assert HTTP.compile(source).test(activation) is Outcome.MATCH
    assert there.asked == [(source, {"http.params": {"id": "7"}})]


@pytest.mark.parametrize("value", ["a\0b", 10**400])
def test_what_cannot_be_bound_does_not_go_there(value: object) -> None:
    """It stays unbound, as everywhere."""
    there = Noting()
    activation = HTTP.activation({"body": there, "agent.claims": {"x": value}})
    HTTP.compile("body.id == agent.claims.x").test(activation)
    assert there.asked == [("body.id == agent.claims.x", {})]
