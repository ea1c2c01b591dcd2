"""The words of Gatehold as values: who calls, what is asked for, what was decided.

All of them are immutable. ``Decision`` has no truth value: ``if decision:`` would read as "allowed" and be wrong for
``hold``, so it raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Any, Literal, NewType

from policy.codes import Code

SessionId = NewType("SessionId", str)
DecisionId = NewType("DecisionId", str)
RuleName = NewType("RuleName", str)
TargetName = NewType("TargetName", str)


class _Unknown(Enum):
    """A fact that could not be known. It is neither true nor false, equal to nothing, and never guessed."""

    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("an unknown fact has no truth value")

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = _Unknown.UNKNOWN
type Maybe[T] = T | Literal[_Unknown.UNKNOWN]


class Family(StrEnum):
    """The kind of API that a target speaks."""

    HTTP = "http"
    KUBERNETES = "kubernetes"


class Verdict(StrEnum):
    """What happens to a call."""

    ALLOW = "allow"
    DENY = "deny"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong in a configuration; ``str()`` gives ``file:line: message``."""

    file: str
    line: int
    """Counted from 1; 0 where the problem belongs to no line."""
    message: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An authenticated caller. Identity is (issuer, subject); groups belong to the issuer."""

    issuer: str
    """Name of the issuer in the configuration, not its URL."""
    subject: str
    groups: tuple[str, ...] = ()
    """Sorted, without duplicates, already reduced to what the issuer may assert."""
    claims: Mapping[str, Any] = field(default_factory=dict, repr=False)
    session: SessionId = SessionId("")
    expires_at: float = 0.0
    """Unix time at which the token ends."""
    purpose: str = ""
    """What it is there for, as its issuer says; for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathOptions:
    """How a target reads paths; each one opens something that is refused by default."""

    encoded_slash: Literal["refuse", "segment"] = "refuse"
    semicolon: Literal["refuse", "allow"] = "refuse"
    double_encoding: Literal["refuse", "allow"] = "refuse"
    case_insensitive: bool = False
    trailing_slash: Literal["ignore", "significant"] = "ignore"
    suffixes: tuple[str, ...] = ()
    """File suffixes (".json") that the target treats as the same resource."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetTraits:
    """What policy needs to know of a target."""

    name: TargetName
    family: Family
    paths: PathOptions = PathOptions()
    mask: tuple[str, ...] = ()
    """Mask profiles that apply to every answer of this target."""
    on_unmaskable: Literal["block", "pass", "drop"] = "block"
    dlp: "DlpObligation | None" = None
    """How every request to this target is searched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """One request as it stands on the wire, before anything was interpreted."""

    method: str
    path: str
    """Origin form with query, raw: nothing decoded, nothing normalised."""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """In order, names as sent; values decoded as UTF-8 with surrogateescape."""
    body: bytes | None = field(default=None, repr=False)
    """None: not available (too large, streamed). Empty bytes: there is no body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalObligation:
    """A person has to say yes first. Groups within one set are alternatives; all sets must be satisfied."""

    rules: tuple[RuleName, ...]
    groups: tuple[frozenset[str], ...]
    count: int = 1
    grant: float | None = None
    """Seconds for which an approval leaves a grant behind; None: this one request."""
    scope: Literal["request", "rule", "resource"] = "request"
    message: str = ""
    """What the approver reads first; empty where the rule states none or it could not be computed."""
    unshowable: Literal["ask", "refuse"] = "ask"
    """Whether a call that cannot be shown whole and unmasked is refused instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskObligation:
    """The answer is masked by these profiles."""

    profiles: tuple[str, ...] = ()
    """Sorted, without duplicates."""
    on_unmaskable: Literal["block", "drop", "pass"] = "block"
    """The strictest of all that apply: block before drop before pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DlpObligation:
    """The request is searched by these profiles before it goes on: data loss prevention."""

    profiles: tuple[str, ...]
    """Sorted, without duplicates; never empty."""
    action: Literal["block", "mask"] = "block"
    """Whether a hit refuses the call or is masked in it; the stricter of all that apply: block before mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitObligation:
    """At most ``amount`` ``unit`` in ``window`` seconds, counted per key."""

    rule: RuleName
    unit: Literal["rate", "calls", "bytes"]
    amount: int
    window: float
    per: Literal["agent", "session", "target", "group"] = "agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionObligation:
    """How long the agent's session may last; at least one of the two is given."""

    longest: float | None = None
    """Seconds from its first call to its end; None: no bound."""
    idle: float | None = None
    """Seconds without a call after which it ends; None: no bound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Visible:
    """Kubernetes objects that one door lets an agent see: those that fit its names and its labels."""

    names: tuple[str, ...] | None = None
    """Globs; None: any name."""
    labels: tuple[tuple[str, str], ...] | None = None
    """Pairs that an object must carry, sorted; None: any labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterObligation:
    """The answer is reduced to the objects that one of these doors lets the agent see."""

    visible: tuple[Visible, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Obligations:
    """What has to be done for a call that is not denied."""

    approval: ApprovalObligation | None = None
    mask: MaskObligation = MaskObligation()
    limits: tuple[LimitObligation, ...] = ()
    filter: FilterObligation | None = None
    """None: the answer is passed on with every object in it."""
    dlp: DlpObligation | None = None
    """None: the request is not searched."""
    session: SessionObligation | None = None
    """None: the session lasts as long as its tokens."""


class Wanted(StrEnum):
    """A Kubernetes object that a decision could not do without."""

    OLD = "old"
    """What the addressed object is now."""
    NEW = "new"
    """What the write makes of it."""
    PARENT = "parent"
    """The object of which a subresource is addressed: its labels are those that count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The answer of the policy to one call."""

    verdict: Verdict
    code: Code
    rule: RuleName | None = None
    """The rule that decided: the wall, the gate that holds, or the door."""
    rules: tuple[RuleName, ...] = ()
    """All enforced rules that matched, sorted."""
    shadow: tuple[RuleName, ...] = ()
    """Rules in shadow mode that would have matched, sorted."""
    reason: str = ""
    """What the agent may be told."""
    detail: str = ""
    """What the audit trail is told: condition errors, missing facts."""
    obligations: Obligations = Obligations()
    revision: str = ""
    """Hash of the policy that decided."""
    wanted: frozenset[Wanted] = frozenset()
    """Objects that, were they known, might turn this refusal into something else; empty wherever it is final."""

    def __bool__(self) -> bool:
        raise TypeError("a decision is not a truth value: compare its verdict")
