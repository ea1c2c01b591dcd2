"""The values of this package: a call that is held, and the approval that is asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, NewType

from gatehold.approvals.approvers import Quorum
from gatehold.approvals.states import ApprovalState
from policy.model import RuleName, SessionId, TargetName

ApprovalId = NewType("ApprovalId", str)
Fingerprint = NewType("Fingerprint", str)

type Scalar = str | int | float | bool | None


class Channel(StrEnum):
    """The way by which an answer came."""

    LOCAL = "local"
    """A command on the gateway's own machine, with access to its store."""
    CONSOLE = "console"
    TOKEN = "token"  # noqa: S105 - the name of a way
    """A program of a person's, with a token of theirs."""
    SLACK = "slack"


class Kind(StrEnum):
    """What people are asked about."""

    CALL = "call"
    ACCESS = "access"
    """Calls to come, asked for in advance: a yes leaves a grant and lets no call out."""


class Verb(StrEnum):
    """What a person says."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleRef:
    """A rule as it read when it asked: an edited rule is another one."""

    name: RuleName
    digest: str
    """Hash of the rule's content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A fact of later calls must be within what the approver saw. Numbers: at most; anything else: equal."""

    fact: str
    """Dotted name, as in conditions: ``k8s.replicas``."""
    value: Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantTerms:
    """What a yes leaves behind."""

    scope: Literal["rule", "resource"]
    """``resource``: the same named thing only. ``rule``: anything of the same kind to which the rule applies."""
    seconds: float
    verb: str
    """Kubernetes verb or HTTP method; several with commas between them, ``*`` for any."""
    resource: str
    """The kind of thing: ``deployments.apps/scale``, or the path patterns of HTTP rules; ``*`` for any."""
    name: str
    """Which one: ``prod/api``, or the path; empty where any is meant."""
    bounds: tuple[Bound, ...] = ()
    namespace: str | None = None
    """Of a Kubernetes resource; None: any, where that was asked for in advance."""
    like: str | None = None
    """Keyed hash of all else that has to be as in the call that was shown: headers, query and body but for what
    ``bounds`` limit. None: no call was shown, for it was asked in advance."""

    @property
    def verbs(self) -> frozenset[str]:
        """Each of the verbs."""
        return frozenset(self.verb.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a call makes of an object, for the eyes of those who answer. Masked."""

    diff: str = field(default="", repr=False)
    """Lines of a unified diff; empty where there is none."""
    cut: int = 0
    """Lines that were left out."""
    problem: str = ""
    """Why there is no diff."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """A request's body, for the eyes of those who answer. Masked."""

    text: str = field(default="", repr=False)
    """Empty where there is nothing that could be shown."""
    content_type: str = ""
    size: int = 0
    """Bytes as they were sent."""
    masked: int = 0
    """Values that are hidden in the text."""
    cut: int = 0
    """Characters that were left out at its end."""
    problem: str = ""
    """Why it cannot be shown."""

    @property
    def is_whole(self) -> bool:
        """Whether everything in it can be read."""
        return not (self.masked or self.cut or self.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldCall:
    """A call that a decision holds, as far as people and the store may know it: masked, without credentials."""

    issuer: str
    subject: str
    session: SessionId
    people: frozenset[str]
    """Names of the persons behind the call, from ``approvers.people_behind``; none of them may answer."""
    purpose: str = ""
    """What the agent is there for, as its issuer says; masked."""
    target: TargetName
    method: str
    path: str
    """Masked, for display."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Facts of the action, masked, JSON-able."""
    rules: tuple[RuleRef, ...]
    """The rules that ask, the deciding one first."""
    quorum: Quorum
    message: str = ""
    """What the rule tells the approver."""
    fingerprint: Fingerprint
    request: Fingerprint | None = None
    """The same without what the call makes of an object: another question about this request replaces an older one."""
    change: Change | None = None
    """None: the call is none whose effect could be shown."""
    body: Body | None = None
    """None: there is none."""
    kind: Kind = Kind.CALL
    together: str | None = None
    """The same for all calls of one command of this agent's; people are asked about them on one page."""
    terms: GrantTerms | None = None
    """None: a yes is for this one request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one person said."""

    verb: Verb
    user: str
    person: str
    """Who counts: the user, or the operating system's user for local answers."""
    channel: Channel
    os_user: str
    reason: str
    at: float
    shown: str | None = None
    """Digest of what the person had before them, from ``showing.digest``; None: told by no page."""
    forced: bool = False
    """One person's yes instead of the quorum's: they broke the glass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One question to people and what has become of it. Times are Unix seconds."""

    id: ApprovalId
    state: ApprovalState
    call: HeldCall
    created: float
    expires: float
    """End of the question; until then a denial answers for repetitions of the call."""
    answered: float | None
    """When the last needed answer came."""
    spend_by: float | None
    """End of the yes, when it was not used."""
    ended: float | None
    """When a state was reached that no move leaves."""
    reason: str
    """The last words given with a move: the approver's, for a denial."""
    answers: tuple[Answer, ...] = ()

    @property
    def deadline(self) -> float:
        """When the present state ends by itself."""
        return self.expires if self.spend_by is None else self.spend_by
