"""Files that wait until somebody says that what protected may be gone, and the word of somebody who said so. Pure.

What is shown is what is accepted: files of one revision in the place of files of another one. Everything that would be
gone follows from these two.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatehold.config import Configuration
from gatehold.reloading.reports import Report
from policy.rules.rule import Rule


@dataclass(frozen=True, slots=True, kw_only=True)
class LostRule:
    """A rule that is in force, and that the files have no more, or not as strong."""

    rule: Rule
    place: str
    """``file:line``, where it stands or stood."""
    lost: tuple[str, ...]
    """What becomes of it: ``(deny) is gone``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """Files that are not in force only because protection would be gone."""

    before: str
    """Revision of the files that are in force."""
    revision: str
    """Of those that wait."""
    gone: tuple[str, ...]
    """A line for everything that would be."""
    rules: tuple[LostRule, ...]
    since: float
    """When they were read, Unix seconds."""

    @classmethod
    def of(cls, before: Configuration, report: Report, *, now: float) -> "Pending":
        """From an attempt that ended so."""
        rules = tuple(
            LostRule(rule=rule, place=before.rule_places.get(name, ""), lost=report.lost[name])
            for name, rule in before.engine.rules.items()
            if name in report.lost
        )
        return cls(before=before.revision, revision=report.revision, gone=report.problems, rules=rules, since=now)

    @property
    def digest(self) -> str:
        """Of all that a person was shown; SHA-256, in hexadecimal."""
        return hashlib.sha256(json.dumps([self.before, self.revision, self.gone]).encode()).hexdigest()

    @property
    def others(self) -> tuple[str, ...]:
        """Lines that are not about a rule: files, targets, mask profiles."""
        said = {f"the rule {each.rule.name} {lost}" for each in self.rules for lost in each.lost}
        return tuple(line for line in self.gone if line not in said)

    def accepted(self, reason: str) -> "Acceptance":
        """The word for exactly this."""
        return Acceptance(revision=self.revision, before=self.before, reason=reason, gone=self.gone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """Somebody says that what protected may be gone."""

    revision: str = ""
    """Of the files that may come; empty: whatever they are."""
    before: str = ""
    """Of the files in whose place they may come; empty: of any."""
    reason: str = ""
    gone: tuple[str, ...] = ()
    """What was shown; empty where nothing was."""

    def to_json(self, *, most: int | None = None) -> dict[str, Any]:
        """As it is kept; ``most`` lines of it, where that is said."""
        left = len(self.gone[most:]) if most is not None else 0
        told = [*self.gone[:most], *([f"and {left} more"] if left else [])]
        return {"before": self.before, "reason": self.reason, "gone": told}

    @classmethod
    def from_json(cls, revision: str, value: Mapping[str, Any]) -> "Acceptance":
        """As it was kept, beside its revision."""
        gone = tuple(value.get("gone", ()))
        return cls(revision=revision, before=value.get("before", ""), reason=value.get("reason", ""), gone=gone)
