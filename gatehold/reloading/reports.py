"""What an attempt to bring a changed configuration into force came to."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from gatehold.config import Configuration


class Outcome(StrEnum):
    """How it ended. Whatever is not one of the first two leaves everything as it was."""

    TAKEN = "taken"
    UNCHANGED = "unchanged"
    INVALID = "invalid"
    """The configuration has problems, or names what cannot be had."""
    TESTS = "tests-failed"
    REMOVALS = "removals"
    """What protected is gone, and nobody said that it should be."""
    RESTART = "needs-restart"
    FAILED = "failed"
    """The gateway is at fault."""

    @property
    def is_good(self) -> bool:
        """Is what stands in the files in force?"""
        return self in (Outcome.TAKEN, Outcome.UNCHANGED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One attempt; names and words of the configuration only, never a value of a credential."""

    outcome: Outcome
    revision: str = ""
    """Of the files that were read; empty where they could not be."""
    policy: str = ""
    """Of the policy that is in force now; it stands in every decision."""
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    """Rules, targets and mask profiles, as ``rule name``."""
    tests: int = 0
    """Cases of PolicyTests that passed."""
    grants: int = 0
    """Grants that ended because a rule that asked for them is another one or gone."""
    problems: tuple[str, ...] = ()
    lost: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)
    """Rules that protected and would do so no more, each with what ``problems`` say of it. It is not kept."""

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {name: value for name, value in asdict(self).items() if name != "lost"}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "Report":
        """As it was kept; raises ValueError or TypeError for what is none."""
        known = {each.name: value[each.name] for each in fields(cls) if each.name in value}
        known = {name: tuple(each) if isinstance(each, list) else each for name, each in known.items()}
        return cls(**known | {"outcome": Outcome(value["outcome"])})

    def lines(self) -> Iterator[str]:
        """For people: what came of it first."""
        yield _WORDS[self.outcome]
        yield from (f"  {problem}" for problem in self.problems)
        for word, names in (("added", self.added), ("changed", self.changed), ("removed", self.removed)):
            yield from (f"  {word}: {name}" for name in names)
        if self.outcome is Outcome.TAKEN:
            revision = f"policy revision {self.policy[:12]}"
            yield f"  policy tests passed: {self.tests}; grants ended: {self.grants}; {revision}"


_WORDS = {
    Outcome.TAKEN: "the changed configuration is in force",
    Outcome.UNCHANGED: "the configuration is in force already",
    Outcome.INVALID: "the old configuration stays in force: the files cannot be used",
    Outcome.TESTS: "the old configuration stays in force: policy tests fail",
    Outcome.REMOVALS: "the old configuration stays in force: this is gone (say --accept-removals if it is meant)",
    Outcome.RESTART: "the old configuration stays in force, all of it: a restart is needed for",
    Outcome.FAILED: "the old configuration stays in force: the gateway failed",
}


def differences(before: Configuration, now: Configuration) -> dict[str, tuple[str, ...]]:
    """``added``, ``changed`` and ``removed`` between two configurations."""
    old, new = _parts(before), _parts(now)
    return {
        "added": tuple(sorted(new.keys() - old.keys())),
        "changed": tuple(sorted(name for name in new.keys() & old.keys() if new[name] != old[name])),
        "removed": tuple(sorted(old.keys() - new.keys())),
    }


def _parts(configuration: Configuration) -> dict[str, object]:
    rules = {f"rule {name}": rule.hash for name, rule in configuration.engine.rules.items()}
    targets = {f"target {name}": target.spec for name, target in configuration.targets.items()}
    profiles = {f"mask profile {name}": spec for name, spec in configuration.profiles.items()}
    approvals = {"approvals": configuration.gateway.spec.approvals}
    return {**rules, **targets, **profiles, **approvals}
