"""Who may answer, and when enough have.

A rule names sets of groups: within a set the groups are alternatives, and every set must be satisfied. Three rules:

1. Somebody may answer who is in a group of at least one set, and is not behind the call.
2. ``count`` distinct people must say yes. Where one rule asks, every set needs one of them. Where several rules were
   joined into one question, their counts were joined to the largest, and it is no longer known which set needs how
   many: then every set needs ``count`` of them. (Two people of ``sre`` stay two people of ``sre``.)
3. A person is the user, except on the gateway's own machine, where whoever controls an account of the operating system
   can name any user: all its answers together are one person's.

Pure; groups and names come from the caller.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from policy.model import Agent, ApprovalObligation

_CLAIMS: Final = ("act", "owner", "email", "preferred_username", "upn", "unique_name")
"""Claims that name a person behind a token (RFC 8693, 4.1; OpenID Connect Core, 5.1; Entra ID; common use)."""

_IN_BRACKETS: Final = re.compile(r"<([^<>]*)>\s*$")
"""The address in ``Ada Example <ada@corp.example>`` (RFC 5322, 3.4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """Whose yes is needed."""

    sets: tuple[frozenset[str], ...]
    count: int = 1
    each: int = 1
    """How many people every set needs."""

    @classmethod
    def of(cls, obligation: ApprovalObligation) -> Self:
        """The quorum of a decision."""
        several = len(obligation.rules) > 1
        return cls(sets=obligation.groups, count=obligation.count, each=obligation.count if several else 1)

    def admits(self, groups: frozenset[str]) -> bool:
        """Whether a member of these groups may answer."""
        return any(groups & alternatives for alternatives in self.sets)

    def met_by(self, people: Iterable[frozenset[str]]) -> bool:
        """Whether the yes of these people, each given as the groups of one person, is enough."""
        counting = [groups for groups in people if self.admits(groups)]
        if not self.sets or len(counting) < max(1, self.count):
            return False
        return all(sum(1 for groups in counting if groups & one) >= self.each for one in self.sets)


def people_behind(agent: Agent) -> frozenset[str]:
    """Names of those for whom an agent acts: its subject, and whoever its token's claims name, nested ones too."""
    found = {agent.subject}
    for claim in _CLAIMS:
        found.update(_strings(agent.claims.get(claim)))
    return frozenset(name for name in found if name.strip())


def is_behind(user: str, people: Iterable[str]) -> bool:
    """Whether a user is one of these people, in any usual spelling; in doubt somebody is.

    What does not matter: letter case, Unicode form, characters that nobody sees, ``mailto:``, a display name before an
    address, its domain and ``+tag``, and the domain in ``CORP\\ada``.
    """
    names = _spellings(user)
    return any(names & _spellings(person) for person in people)


def _spellings(name: str) -> frozenset[str]:
    whole = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    whole = "".join(character for character in whole if unicodedata.category(character) != "Cf").strip()
    bracketed = _IN_BRACKETS.search(whole)
    address = (bracketed.group(1) if bracketed else whole).strip().removeprefix("mailto:")
    account = address.rpartition("\\")[2].partition("@")[0]
    return frozenset(part for part in (whole, address, account, account.partition("+")[0]) if part)


def _strings(value: Any) -> Iterator[str]:
    left = [value]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            left.extend(value.values())
        elif isinstance(value, list | tuple):
            left.extend(value)
