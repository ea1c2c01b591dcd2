"""A compiled rule: what is left to test and to demand once the index has found it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from policy.expressions import Expression
from policy.model import DlpObligation, Family, LimitObligation, MaskObligation, RuleName, SessionObligation
from policy.rules.paths import PathPattern
from policy.rules.schema import AgentsSpec, HttpSpec, KubernetesSpec
from policy.rules.validity import Validity


class Effect(StrEnum):
    """What a rule is."""

    DENY = "deny"
    """A wall: nothing passes."""
    CONSTRAIN = "constrain"
    """A turnstile: it lets nothing through by itself, and what it demands must be done."""
    ALLOW = "allow"
    """A door: one is enough, on its own terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalTerms:
    """Who has to say yes, as one rule states it."""

    groups: tuple[frozenset[str], ...]
    count: int
    grant: float | None
    scope: Literal["request", "rule", "resource"]
    message: Expression | None
    unshowable: Literal["ask", "refuse"] = "ask"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule, ready to be weighed. ``agents`` and ``match`` are what the index was built from."""

    name: RuleName
    policy: str
    effect: Effect
    shadow: bool
    family: Family
    agents: AgentsSpec
    match: HttpSpec | KubernetesSpec
    patterns: tuple[PathPattern, ...] = ()
    validity: Validity
    claims: Mapping[str, Any] | None = None
    names: tuple[str, ...] | None = None
    labels: Mapping[str, str] | None = None
    when: Expression | None = None
    approval: ApprovalTerms | None = None
    limits: tuple[LimitObligation, ...] = ()
    mask: MaskObligation | None = None
    dlp: DlpObligation | None = None
    session: SessionObligation | None = None
    reason: str = ""
    hash: str
    """SHA-256 of the rule as written, in hexadecimal. An approval is bound to it: an edited rule is another rule."""

    @property
    def forbids(self) -> bool:
        """Whether doubt has to count as a match: true of walls and turnstiles."""
        return self.effect is not Effect.ALLOW
