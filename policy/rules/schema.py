"""The shape of the documents ``Policy`` and ``PolicyTest``, and of a pack's entry in the Gateway.

Shape and single values are judged here; what a rule means together with targets, issuers and mask profiles is judged
by ``policy.rules.compiler``. Keys are camelCase in documents. Unknown keys, empty lists and values that could never
match are errors: a selector that is silently dead is a wall with a hole.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    WithJsonSchema,
    model_validator,
)
from pydantic.alias_generators import to_camel

from policy.rules.quantities import parse_clock, parse_count_quota, parse_duration, parse_size_quota
from policy.rules.resources import check_resource

API_VERSION = "gatehold.dev/v1"
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
VERBS = (
    *("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "proxy"),
    *("head", "post", "put", "options"),  # of non-resource paths, where the verb is the method
)
_LATER = {"operations": "name `paths` and `methods` instead", "upgrade": "it stands under `http`"}


class Model(BaseModel):
    """A part of a document: immutable, camelCase, closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    @model_validator(mode="before")
    @classmethod
    def _say_what_is_not_there(cls, value: object) -> object:
        for key, advice in _LATER.items():
            if isinstance(value, dict) and key in value and key not in cls.model_fields:
                raise ValueError(f"`{key}` is not supported by this version; {advice}")
        return value


class Selecting(Model):
    """A part that widens when a key is left out; an empty key (``agents:``) is therefore an error, not "any"."""

    @model_validator(mode="before")
    @classmethod
    def _no_empty_keys(cls, value: object) -> object:
        empty = [key for key, item in value.items() if item is None] if isinstance(value, dict) else []
        if empty:
            raise ValueError(f"`{empty[0]}` is empty; fill it in, or leave the key out to mean any")
        return value


def _named(pattern: str, what: str) -> AfterValidator:
    """A text that must be of one form."""
    form = re.compile(pattern)

    def check(text: str) -> str:
        if not form.fullmatch(text):
            raise ValueError(f"{text!r} is not {what}")
        return text

    return AfterValidator(check)


def _exact(text: str) -> str:
    if not text or "*" in text:
        raise ValueError(f"{text!r}: agents are matched by equality; leave the selector out to mean any")
    return text


def _readable(parse: Callable[[str], object]) -> AfterValidator:
    """A text that a parser accepts; it stays the text that was written."""

    def check(text: str) -> str:
        parse(text)
        return text

    return AfterValidator(check)


def _one_of(words: tuple[str, ...], what: str) -> AfterValidator:
    def check(word: str) -> str:
        if word != "*" and word not in words:
            raise ValueError(f"{word!r} is not {what}; one of {', '.join(words)} or *")
        return word

    return AfterValidator(check)


def _prefix_pattern(text: str) -> str:
    if not (text.startswith("/") or text == "*") or "*" in text[:-1]:
        raise ValueError(
            f"{text!r} is not a non-resource path; a full path, or a prefix that ends in *, as in /openapi/*"
        )
    return text


def _weekday(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name!r} is not a time zone; write it as in Europe/Berlin") from None
    return name


def _approver_sets(value: object) -> object:
    """``[a, b]`` is one set of alternatives; ``[[a], [b]]`` are sets that must all be satisfied."""
    if isinstance(value, list | tuple) and value and all(isinstance(item, str) for item in value):
        return (tuple(value),)
    return value


def _sorted_sets(sets: tuple[tuple[str, ...], ...]) -> tuple[tuple[str, ...], ...]:
    return tuple(sorted({tuple(sorted(set(names))) for names in sets}))


_T = TypeVar("_T")
_Some = Annotated[tuple[_T, ...], Field(min_length=1)]
_Name = Annotated[str, _named(r"[A-Za-z0-9]([A-Za-z0-9._/-]{0,126}[A-Za-z0-9])?", "a name")]
_Glob = Annotated[str, _named(r"[!-~]{1,253}", "a name or glob")]
_NamespaceGlob = Annotated[str, _named(r"[a-z0-9*-]{1,63}", "a namespace or glob")]
_GroupGlob = Annotated[str, _named(r"[a-z0-9.*-]{0,253}", "an API group or glob")]
_Exact = Annotated[str, AfterValidator(_exact)]
_Scalar = StrictStr | StrictBool | StrictInt | StrictFloat
_Text = Annotated[str, Field(min_length=1, max_length=1024)]
_Groups = Annotated[
    _Some[_Some[_Exact]],
    BeforeValidator(_approver_sets),
    AfterValidator(_sorted_sets),
]
_Duration = Annotated[float, PlainValidator(parse_duration), WithJsonSchema({"type": "string"})]
_CountQuota = Annotated[str, _readable(parse_count_quota)]
_SizeQuota = Annotated[str, _readable(parse_size_quota)]
_Clock = Annotated[int, PlainValidator(parse_clock), WithJsonSchema({"type": "string"})]


class Metadata(Model):
    """The name of a document."""

    name: _Name


class AgentsSpec(Selecting):
    """Who calls. Every key that is given must hold; within a key one of the values is enough."""

    subjects: _Some[_Exact] | None = None
    groups: _Some[_Exact] | None = None
    issuers: _Some[_Exact] | None = None
    claims: dict[str, _Scalar | _Some[_Scalar]] | None = Field(default=None, min_length=1)
    """Claim name, or dotted path to it, to the value it must equal (a list claim: contain)."""


class HttpSpec(Selecting):
    """What an http rule matches; a key that is left out means any."""

    targets: _Some[_Glob] | None = None
    methods: _Some[Annotated[str, _one_of(METHODS, "a method")]] | None = None
    paths: _Some[_Text] | None = None
    upgrade: Literal["websocket"] | None = None
    """With it: calls that ask for a WebSocket, and no others. Without it an allow opens none."""


class KubernetesSpec(Selecting):
    """What a kubernetes rule matches; a key that is left out means any.

    With ``nonResourcePaths`` it matches non-resource requests only, with any of ``namespaces``, ``apiGroups``,
    ``resources``, ``names``, ``labels`` resource requests only, with none of them both.
    """

    targets: _Some[_Glob] | None = None
    namespaces: _Some[_NamespaceGlob] | None = None
    api_groups: _Some[_GroupGlob] | None = None
    resources: _Some[Annotated[str, AfterValidator(check_resource)]] | None = None
    verbs: _Some[Annotated[str, _one_of(VERBS, "a verb")]] | None = None
    names: _Some[_Glob] | None = None
    labels: dict[str, str] | None = Field(default=None, min_length=1)
    non_resource_paths: _Some[Annotated[str, AfterValidator(_prefix_pattern)]] | None = None

    @model_validator(mode="after")
    def _one_kind_of_request(self) -> Self:
        if self.non_resource_paths and self.about_resources:
            raise ValueError("`nonResourcePaths` cannot stand beside selectors of resources; write two rules")
        return self

    @property
    def about_resources(self) -> bool:
        """Whether a selector is given that only resource requests have."""
        given = (self.namespaces, self.api_groups, self.resources, self.names, self.labels)
        return any(selector is not None for selector in given)


class ApprovalSpec(Selecting):
    """Who has to say yes first, and what a yes leaves behind."""

    groups: _Groups
    count: Annotated[StrictInt, Field(ge=1, le=10)] = 1
    grant: _Duration | None = None
    scope: Literal["request", "rule", "resource"] = "request"
    message: _Text | None = None
    """A CEL expression that gives a string."""
    unshowable: Literal["ask", "refuse"] = "ask"
    """What becomes of a call of which the approver could not be shown everything: path and body, in clear and whole."""

    @model_validator(mode="after")
    def _grant_where_one_is_left(self) -> Self:
        if self.scope != "request" and self.grant is None:
            raise ValueError(f"`scope: {self.scope}` leaves a grant behind and needs `grant`, as in grant: 15m")
        return self


class LimitSpec(Selecting):
    """How much; every amount that is given must have room."""

    rate: _CountQuota | None = None
    calls: _CountQuota | None = None
    bytes: _SizeQuota | None = None
    per: Literal["agent", "session", "target", "group"] = "agent"

    @model_validator(mode="after")
    def _some_amount(self) -> Self:
        if not (self.rate or self.calls or self.bytes):
            raise ValueError("give one of `rate`, `calls`, `bytes`, as in rate: 20/hour")
        return self


class MaskSpec(Selecting):
    """What is hidden in the answer."""

    profiles: _Some[_Name]
    on_unmaskable: Literal["block", "drop", "pass"] = "block"


class DlpSpec(Selecting):
    """What a request may not carry, and what is done about it."""

    profiles: _Some[_Name]
    action: Literal["block", "mask"] = "block"


class SessionSpec(Selecting):
    """How long the session of the agent that calls may last, and how long without a call."""

    longest: _Duration | None = Field(default=None, alias="max")
    idle: _Duration | None = None

    @model_validator(mode="after")
    def _some_bound(self) -> Self:
        if self.longest is None and self.idle is None:
            raise ValueError("give one of `max` and `idle`, as in max: 8h")
        if self.longest is not None and self.idle is not None and self.idle >= self.longest:
            raise ValueError("`idle` is not shorter than `max`, and would never end a session")
        return self


class WindowSpec(Selecting):
    """A weekly time window. One that ends before it starts runs over midnight and belongs to the day it starts on."""

    days: (
        _Some[Annotated[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], BeforeValidator(_weekday)]] | None
    ) = None
    start: _Clock = Field(default=0, alias="from")
    end: _Clock = Field(default=1440, alias="to")
    timezone: Annotated[str, AfterValidator(_zone)]

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.start == self.end:
            raise ValueError("`from` and `to` are the same time; leave both out to mean the whole day")
        return self


class RuleSpec(Selecting):
    """One rule: a wall (deny), a turnstile (constrain) or a door (allow)."""

    name: _Name
    effect: Literal["deny", "constrain", "allow"]
    mode: Literal["enforce", "shadow"] = "enforce"
    agents: AgentsSpec | None = None
    http: HttpSpec | None = None
    kubernetes: KubernetesSpec | None = None
    when: _Text | None = None
    approval: ApprovalSpec | None = None
    limit: LimitSpec | None = None
    mask: MaskSpec | None = None
    dlp: DlpSpec | None = None
    session: SessionSpec | None = None
    reason: Annotated[str, Field(max_length=1024)] = ""
    """What the agent is told where this rule decides."""
    not_before: AwareDatetime | None = None
    not_after: AwareDatetime | None = None
    windows: _Some[WindowSpec] | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.http is None) == (self.kubernetes is None):
            raise ValueError("give exactly one of `http` and `kubernetes`")
        demands = [key for key in ("approval", "limit", "mask", "dlp", "session") if getattr(self, key) is not None]
        if self.effect == "deny" and demands:
            raise ValueError(f"a deny refuses always and cannot have `{demands[0]}`; use effect: constrain")
        if self.effect == "constrain" and not demands:
            raise ValueError("a constrain demands something: give `approval`, `limit`, `mask`, `dlp` or `session`")
        if self.effect == "allow" and self.session is not None:
            raise ValueError("`session` binds whoever comes by, whichever door opens; use effect: constrain")
        if self.not_before and self.not_after and self.not_before >= self.not_after:
            raise ValueError("`notBefore` is not before `notAfter`")
        return self


class PolicyDocument(Model):
    """``kind: Policy``: rules. Their order, and the order of documents, mean nothing."""

    api_version: Literal["gatehold.dev/v1"]
    kind: Literal["Policy"]
    metadata: Metadata
    rules: _Some[RuleSpec]


class PackUse(Selecting):
    """One entry of ``Gateway.spec.packs``: a name alone, or a pack narrowed to agents, targets and namespaces."""

    name: _Name = Field(alias="use")
    prefix: _Name | None = Field(default=None, alias="as")
    """What its rules are named by instead of the pack's name; needed where one pack is used twice."""
    agents: AgentsSpec | None = None
    targets: _Some[_Glob] | None = None
    namespaces: _Some[_NamespaceGlob] | None = None
    parameters: dict[str, Any] | None = Field(default=None, min_length=1)
    """Values of the pack's own parameters; the pack judges them."""

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        return {"use": value} if isinstance(value, str) else value


class CaseAgent(Model):
    """Who calls in a test case; without ``issuer`` the only configured one."""

    issuer: str | None = None
    subject: _Text = "test"
    groups: tuple[str, ...] = ()
    claims: dict[str, Any] = Field(default_factory=dict)
    purpose: str = ""


class CaseObjects(Model):
    """Kubernetes objects as the cluster would tell them; ``null`` says that there is none, left out is unknown."""

    old: dict[str, Any] | None = None
    """Before the call."""
    new: dict[str, Any] | None = None
    """After it."""
    parent: dict[str, Any] = Field(default_factory=dict)
    """The object of which a subresource is called."""


class CaseRequest(Model):
    """One request as on the wire."""

    target: _Name
    method: _Text = "GET"
    path: Annotated[str, Field(min_length=1)]
    """With its query."""
    headers: dict[str, str | _Some[str]] = Field(default_factory=dict)
    body: Any = None
    """A string as it is; anything else as JSON; left out: no body."""
    objects: CaseObjects | None = None


class CaseDlp(Model):
    """The search of the request that must come out; a key that is left out is not looked at."""

    profiles: tuple[str, ...] | None = None
    action: Literal["block", "mask"] | None = None


class CaseExpectation(Model):
    """What must come out; a key that is left out is not looked at. ``rule: null``: no rule decided."""

    verdict: Literal["allow", "deny", "hold"]
    rule: str | None = None
    code: str | None = None
    mask: tuple[str, ...] | None = None
    dlp: CaseDlp | None = None
    """``dlp: null``: the request is not searched."""


class CaseSpec(Model):
    """One call and the answer the policy must give."""

    name: _Text
    agent: CaseAgent = CaseAgent()
    request: CaseRequest
    now: AwareDatetime | None = None
    """When the call is made; matters to rules with validity windows."""
    expect: CaseExpectation


class PolicyTestDocument(Model):
    """``kind: PolicyTest``: calls with the verdict, and the rule, that must come out."""

    api_version: Literal["gatehold.dev/v1"]
    kind: Literal["PolicyTest"]
    metadata: Metadata
    cases: _Some[CaseSpec]
