"""Which door is taken."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policy.model import Agent, LimitObligation, TargetName
from policy.rules.compiler import Surroundings, compile_rules
from policy.rules.room import Room
from policy.rules.rule import Rule
from policy.rules.schema import PolicyDocument

AGENT, TARGET = Agent(issuer="i", subject="s"), TargetName("t")


class Spent:
    def __init__(self, names: set[str]) -> None:
        self.names = names

    def wait(self, obligation: LimitObligation, agent: Agent, target: TargetName) -> float:
        return 1.0 if obligation.rule in self.names else 0.0


def rules(*terms: dict[str, Any]) -> list[Rule]:
    specs = [{"name": f"r{at}", "effect": "allow", "http": {}, **term} for at, term in enumerate(terms)]
    head = {"apiVersion": "gatehold.dev/v1", "kind": "Policy", "metadata": {"name": "p"}}
    document = PolicyDocument.model_validate({**head, "rules": specs})
    return list(compile_rules([document], Surroundings(targets={})).rules)


FREE: dict[str, Any] = {}
LIMITED = {"limit": {"rate": "1/hour", "calls": "5/day"}}
APPROVED = {"approval": {"groups": ["g"]}}


@given(st.lists(st.sampled_from([FREE, LIMITED, APPROVED, {**LIMITED, **APPROVED}]), min_size=1, max_size=6), st.data())
def test_the_best_door_is_taken(terms: list[dict[str, Any]], data: st.DataObject) -> None:
    """Room comes before no room, no approval before approval, all before a part, then the first in name order."""
    doors = rules(*terms)
    spent, partial = (data.draw(st.sets(st.sampled_from([door.name for door in doors]))) for _ in range(2))

    def rank(door: Rule) -> tuple[bool, bool, bool, str]:
        return (bool(door.limits) and door.name in spent, door.approval is not None, door.name in partial, door.name)

    assert Room(Spent({*spent}), AGENT, TARGET).choose(doors, partial) is min(doors, key=rank)


def test_every_limit_is_asked() -> None:
    """All limits of all rules that have no room are told; without a view every limit has room."""
    doors = rules(LIMITED, LIMITED, FREE)
    exhausted = Room(Spent({"r0"}), AGENT, TARGET).exhausted(doors)
    assert [(limit.rule, limit.unit) for limit in exhausted] == [("r0", "rate"), ("r0", "calls")]
    assert Room(None, AGENT, TARGET).exhausted(doors) == ()
