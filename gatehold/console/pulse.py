"""Which questions are open, and whose: all that the inbox has to know to fill by itself. One light query for everybody.

Bodies and diffs stay where they are: with a thousand calls held, this is read twice a second.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Self

from sqlalchemy import Connection, func, select

from gatehold.approvals import rows
from gatehold.approvals.approvers import is_behind
from gatehold.approvals.states import ApprovalState
from gatehold.people.model import Person
from gatehold.store import Store
from gatehold.store.schema import approval_answers, approvals


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An open question."""

    id: str
    sets: tuple[frozenset[str], ...]
    """Groups of which each somebody has to answer."""
    people: frozenset[str]
    answered: frozenset[str]
    """Users who have said yes."""
    command: str
    """The same for all calls that are shown on one page; the id of a call that stands for itself."""

    def waits_for(self, person: Person) -> bool:
        """Whether this person's answer would count."""
        if person.name in self.answered or is_behind(person.name, self.people):
            return False
        return any(person.groups & groups for groups in self.sets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    """All open questions, and a number that changes with every answer."""

    standing: tuple[Standing, ...] = ()
    answers: int = 0
    _waiting: dict[Person, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, store: Store, before: Self | None = None) -> Self:
        """As of now; blocks. ``before`` itself where it still holds: what is open never changes what it asks.

        Raises StoreUnavailable.
        """
        with store.reading() as connection:
            answers = connection.scalar(select(func.max(approval_answers.c.id))) or 0
            if before is not None and before.answers == answers and before.ids == rows.pending_ids(connection):
                return before
            return cls(standing=_standing(connection), answers=answers)

    @property
    def ids(self) -> set[str]:
        """All open questions."""
        return {each.id for each in self.standing}

    def waiting_for(self, person: Person) -> tuple[str, ...]:
        """The commands that this person can say something to, the oldest first."""
        if person not in self._waiting:
            self._waiting[person] = tuple(
                dict.fromkeys(each.command for each in self.standing if each.waits_for(person))
            )
        return self._waiting[person]


def _standing(connection: Connection) -> tuple[Standing, ...]:
    said: defaultdict[str, set[str]] = defaultdict(set)
    is_open = approvals.c.state == ApprovalState.PENDING
    answered = select(approval_answers.c.approval_id, approval_answers.c.user_name).join(approvals).where(is_open)
    for row in connection.execute(answered):
        said[row.approval_id].add(row.user_name)
    columns = select(approvals.c.id, approvals.c.quorum, approvals.c.people, approvals.c.together).where(is_open)
    return tuple(
        Standing(
            id=row.id,
            sets=tuple(frozenset(groups) for groups in row.quorum["sets"]),
            people=frozenset(row.people),
            answered=frozenset(said[row.id]),
            command=row.together or row.id,
        )
        for row in connection.execute(columns.order_by(approvals.c.created, approvals.c.id))
    )
