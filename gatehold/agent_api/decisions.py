"""What became of the newest calls, for the agents that made them. Pure; in memory and bounded.

Two bounds: ``capacity`` calls of all agents, ``share`` of one. An agent that floods therefore pushes out its own calls
and not those of others. Texts that an agent chose are cut, so that the size of a call says nothing about the memory.
"""

from collections import OrderedDict, deque
from dataclasses import dataclass
from itertools import islice

from gatehold.agent_api.tally import Tally, outcome_of
from policy.codes import Code
from policy.model import DecisionId, RuleName, SessionId, TargetName, Verdict

CAPACITY = 10_000
SHARE = 1_000
LONGEST_TEXT = 1024
"""Characters of a path or reason that are kept."""

type AgentKey = tuple[str, str]


@dataclass(slots=True, kw_only=True)
class ToldDecision:
    """One call as its agent may know it: masked, and without what only the audit trail is told."""

    id: DecisionId
    issuer: str
    subject: str
    session: SessionId
    verdict: Verdict
    """What policy said; ``deny`` where the call was refused before policy was asked."""
    code: Code
    """What became of the call; ``allowed`` unless it was refused."""
    rule: RuleName | None
    reason: str
    """The public reason; empty where there is none."""
    target: TargetName | None
    """None: the target is not registered."""
    method: str
    path: str
    """Masked, with query."""
    time: float
    """When the call began, Unix seconds."""
    approval: str | None
    status: int | None
    """HTTP status that the agent got; None while the call is under way or when it broke off."""

    def __post_init__(self) -> None:
        self.path, self.reason = _cut(self.path), _cut(self.reason)

    @property
    def agent(self) -> AgentKey:
        """Whose call it is."""
        return self.issuer, self.subject


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"


class Decisions:
    """The newest calls of this process."""

    def __init__(self, *, capacity: int = CAPACITY, share: int = SHARE) -> None:
        self._capacity = capacity
        self._share = share
        self._kept: OrderedDict[DecisionId, ToldDecision] = OrderedDict()
        self._own: dict[AgentKey, deque[DecisionId]] = {}
        self.tally = Tally()

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<Decisions: {len(self)} of {len(self._own)} agents>"

    def add(self, told: ToldDecision) -> None:
        """Keep a call, or what is newly known of one that is kept."""
        known = self._kept.get(told.id)
        if known is None:
            self._make_room(told.agent)
            self._own.setdefault(told.agent, deque()).append(told.id)
        self._kept[told.id] = told
        self._count(told, known)

    def find(self, decision_id: str, issuer: str, subject: str) -> ToldDecision | None:
        """A call of this agent; None where it is another's, too old, or never was."""
        told = self._kept.get(DecisionId(decision_id))
        return told if told is not None and told.agent == (issuer, subject) else None

    def newest(self, issuer: str, subject: str, session: str, *, limit: int) -> list[ToldDecision]:
        """The newest calls of an agent in one session, the newest first."""
        own = (self._kept[each] for each in reversed(self._own.get((issuer, subject), ())))
        return list(islice((told for told in own if told.session == session), limit))

    def _count(self, told: ToldDecision, known: ToldDecision | None) -> None:
        if known is not None:
            if known.code is told.code and known.rule == told.rule:
                return
            self.tally.count(known.time, outcome_of(known.verdict, known.code), known.rule, by=-1)
        self.tally.count(told.time, outcome_of(told.verdict, told.code), told.rule)

    def _make_room(self, agent: AgentKey) -> None:
        if len(self._own.get(agent, ())) >= self._share:
            del self._kept[self._own[agent][0]]
        elif len(self._kept) >= self._capacity:
            # The oldest call of all is the oldest of its agent: both orders are those in which calls began.
            agent = self._kept.popitem(last=False)[1].agent
        else:
            return
        self._own[agent].popleft()
        if not self._own[agent]:
            del self._own[agent]
