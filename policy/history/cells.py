"""What two policies answer differently, without any call: cell by cell of agents, targets, verbs and resources.

The cells are made of what the rules of either policy name, and of one of each that none names. An answer is not a
verdict but what there is to it: doors, turnstiles and walls that apply, each with its condition and its demands. Two
policies that say the same in other rules, under other names, in another order, answer alike.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, cast
from urllib.parse import quote

from policy.actions.decoding import Action, decode
from policy.actions.patches import MERGE_PATCH
from policy.actions.scopes import CLUSTER_SCOPED
from policy.engine import Engine
from policy.errors import GateholdError, Refusal
from policy.model import Agent, Family, TargetName, TargetTraits, WireRequest
from policy.rules.index import WEBSOCKET
from policy.rules.quantities import format_duration, format_quota
from policy.rules.rule import Effect, Rule
from policy.rules.schema import METHODS, HttpSpec, KubernetesSpec
from policy.rules.selectors import glob_matches

ANY: Final = "x"
"""Stands for what no rule names."""
_GROUP: Final = "x.example"
_NOBODY: Final = Agent(issuer="", subject="")
MAX_CELLS: Final = 2_000_000
DENY: Final = "deny"
UNREGISTERED: Final = "unregistered"
_REQUESTS: Final = {
    "get": ("GET", True, ""),
    "list": ("GET", False, ""),
    "watch": ("GET", False, "?watch=true"),
    "create": ("POST", False, ""),
    "update": ("PUT", True, ""),
    "patch": ("PATCH", True, ""),
    "delete": ("DELETE", True, ""),
    "deletecollection": ("DELETE", False, ""),
}
"""By verb: method, whether an object is named, query."""


class TooManyCells(GateholdError):
    """Two policies with more cells than can be told apart in reasonable time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Calls that no selector of either policy tells apart."""

    agent: Agent
    target: TargetName
    verb: str
    """HTTP method, or Kubernetes verb."""
    what: str
    """``/customers/{id}`` as a path, ``deployments.apps/scale``."""
    namespace: str | None = None
    """Empty: all; None: there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A cell and its two answers."""

    cell: Cell
    before: str
    after: str


def diff(current: Engine, candidate: Engine, *, target: str = "*") -> Iterator[Difference]:
    """Every cell in which the two answer differently; ``target`` is a glob. Raises TooManyCells."""
    engines = (current, candidate)
    rules = [rule for engine in engines for rule in engine.rules.values()]
    agents = list(_agents(rules))
    for name in sorted({*current.targets, *candidate.targets}):
        if not glob_matches(target, name):
            continue
        traits = current.targets.get(TargetName(name)) or candidate.targets[TargetName(name)]
        requests = list(_requests(traits, [rule for rule in rules if rule.family is traits.family]))
        if len(requests) * len(agents) > MAX_CELLS:
            raise TooManyCells(f"target {name} has {len(requests) * len(agents)} cells; narrow it with --target")
        for cell, request in requests:
            actions = [_decoded(engine, cell.target, request) for engine in engines]
            for agent in agents:
                before, after = (
                    answer(engine, agent, cell.target, action) for engine, action in zip(engines, actions, strict=True)
                )
                if before != after:
                    found = Cell(
                        agent=agent, target=cell.target, verb=cell.verb, what=cell.what, namespace=cell.namespace
                    )
                    yield Difference(cell=found, before=before, after=after)


def answer(engine: Engine, agent: Agent, target: TargetName, action: Action | None) -> str:
    """What an engine has to say to the calls of one cell, as a text that is the same for the same answer."""
    if target not in engine.targets:
        return UNREGISTERED
    if action is None:
        return DENY
    left = -1
    for _, mask in engine.masks(agent, target, action):
        left &= mask
    by_effect: defaultdict[Effect, set[str]] = defaultdict(set)
    rules, bits = engine.rules_of(target), left & ((1 << len(engine.rules_of(target))) - 1)
    while bits:
        rule = rules[(bits & -bits).bit_length() - 1]
        bits &= bits - 1
        if not rule.shadow:
            by_effect[rule.effect].add(_terms(rule))
    return _joined(by_effect[Effect.ALLOW], by_effect[Effect.CONSTRAIN], by_effect[Effect.DENY], engine.targets[target])


def _joined(doors: set[str], gates: set[str], walls: set[str], traits: TargetTraits) -> str:
    if not doors or "" in walls:
        return DENY
    gates = gates | ({f"mask {', '.join(traits.mask)}"} if traits.mask else set())
    gates |= {f"search {', '.join(traits.dlp.profiles)} ({traits.dlp.action})"} if traits.dlp else set()
    if "" in doors:  # other doors count only for what they hide
        doors = {""} | {door for door in doors if "mask " in door or "search " in door}
    text = " or ".join(f"allow {door}".rstrip() for door in sorted(doors))
    parts = [text, *(f"always {gate}" for gate in sorted(gates)), *(f"never {wall}" for wall in sorted(walls))]
    return "; ".join(parts)


def _terms(rule: Rule) -> str:
    """Condition and demands of a rule; empty where it has neither."""
    return " ".join([*_demands(rule), *(f"if {condition}" for condition in _conditions(rule))])


def _conditions(rule: Rule) -> Iterator[str]:
    if rule.when is not None:
        yield rule.when.source
    for key, value in (("claims", rule.claims), ("names", rule.names), ("labels", rule.labels)):
        if value is not None:
            yield f"{key} {_plain(value)}"
    validity = rule.validity
    if validity.not_before is not None:
        yield f"not before {validity.not_before.isoformat()}"
    if validity.not_after is not None:
        yield f"not after {validity.not_after.isoformat()}"
    if validity.windows:
        yield " or ".join(
            sorted(f"days {sorted(each.days)} {each.start}-{each.end} {each.zone}" for each in validity.windows)
        )


def _demands(rule: Rule) -> Iterator[str]:
    if rule.approval is not None:
        groups = " and ".join(sorted("/".join(sorted(group)) for group in rule.approval.groups))
        grant = "" if rule.approval.grant is None else f" for {format_duration(rule.approval.grant)}"
        scope = f" {rule.approval.scope}{grant}" if grant or rule.approval.scope != "request" else ""
        unshowable = "" if rule.approval.unshowable == "ask" else " if shown whole"
        yield f"approved by {rule.approval.count} of {groups}{scope}{unshowable}"
    for limit in rule.limits:
        yield f"{limit.unit} {format_quota(limit.unit, limit.amount, limit.window)} per {limit.per}"
    if rule.mask is not None:
        yield f"mask {', '.join(rule.mask.profiles)} ({rule.mask.on_unmaskable})"
    if rule.dlp is not None:
        yield f"search {', '.join(rule.dlp.profiles)} ({rule.dlp.action})"
    if rule.session is not None:
        bounds = {"max": rule.session.longest, "idle": rule.session.idle}
        yield "session " + ", ".join(f"{key} {format_duration(value)}" for key, value in bounds.items() if value)


def _plain(value: Any) -> str:
    items = sorted(value.items()) if hasattr(value, "items") else sorted(value)
    return ", ".join(f"{item[0]}={item[1]}" if isinstance(item, tuple) else str(item) for item in items)


def _agents(rules: Iterable[Rule]) -> Iterator[Agent]:
    """One agent for each that a rule speaks of, and one of whom none does."""
    found: dict[tuple[str, str, str], None] = {}
    for rule in rules:
        spec = rule.agents
        for issuer in spec.issuers or ("",):
            for group in spec.groups or ("",):
                for subject in spec.subjects or ("",):
                    found[issuer, group, subject] = None
    for issuer, group, subject in sorted({*found, ("", "", "")}):
        yield Agent(issuer=issuer, subject=subject, groups=(group,) if group else ())


def _requests(traits: TargetTraits, rules: list[Rule]) -> Iterator[tuple[Cell, WireRequest]]:
    about = [rule for rule in rules if any(glob_matches(glob, traits.name) for glob in rule.match.targets or ("*",))]
    if traits.family is Family.HTTP:
        yield from _http_requests(traits, about)
    else:
        yield from _kubernetes_requests(traits, [cast("KubernetesSpec", rule.match) for rule in about])


def _http_requests(traits: TargetTraits, rules: list[Rule]) -> Iterator[tuple[Cell, WireRequest]]:
    patterns = [pattern for rule in rules for pattern in rule.patterns]
    deepest = max((len(pattern.parts) for pattern in patterns), default=0) + 1
    paths = {"/": "/"} | _below("", "", deepest)
    for pattern in patterns:
        words = [part if isinstance(part, str) else ANY for part in pattern.parts]
        end = "/" if pattern.trailing_slash else ""
        text = "/" + "/".join(quote(word, safe="%") for word in words) + end
        if pattern.rest:
            base = pattern.text.removesuffix("/**")
            paths |= {base or "/": text} | _below(base, text.rstrip("/"), deepest - len(words))
        else:
            paths[pattern.text] = text
    upgrades = ("", WEBSOCKET) if any(cast("HttpSpec", rule.match).upgrade for rule in rules) else ("",)
    for what, path in sorted(paths.items()):
        for upgrade in upgrades:
            headers = (("Upgrade", upgrade), ("Connection", "upgrade")) if upgrade else ()
            for method in METHODS if not upgrade else ("GET",):
                cell = Cell(agent=_NOBODY, target=traits.name, verb=f"{method} {upgrade}".strip(), what=what)
                yield cell, WireRequest(method=method, path=path, headers=headers, body=b"")


def _below(base: str, path: str, depth: int) -> dict[str, str]:
    """Samples of what is below a path: so deep that the last is deeper than any other pattern names."""
    others = {base + "/*" * level: path + f"/{ANY}" * level for level in range(1, depth)}
    return others | {f"{base}/**": path + f"/{ANY}" * depth}


def _kubernetes_requests(traits: TargetTraits, specs: list[KubernetesSpec]) -> Iterator[tuple[Cell, WireRequest]]:
    namespaces, paths = {"", ANY}, {"/version"}
    kinds = {("", ANY, ""), (_GROUP, ANY, "")}
    for spec in specs:
        namespaces |= {glob.replace("*", ANY) for glob in spec.namespaces or ()}
        paths |= {path.replace("*", ANY) if path != "*" else f"/{ANY}" for path in spec.non_resource_paths or ()}
        kinds |= set(_kinds(spec))
    for kind in sorted(kinds):
        group, resource, subresource = kind
        what = (f"{resource}.{group}" if group else resource) + (f"/{subresource}" if subresource else "")
        for namespace in sorted(namespaces) if (group, resource) not in CLUSTER_SCOPED else (None,):
            for verb in _REQUESTS:
                request = _kubernetes_request(kind, namespace, verb)
                if request is not None:
                    cell = Cell(agent=_NOBODY, target=traits.name, verb=verb, what=what, namespace=namespace)
                    yield cell, request
    for path in sorted(paths):
        for method in METHODS:
            cell = Cell(agent=_NOBODY, target=traits.name, verb=method.lower(), what=path)
            yield cell, WireRequest(method=method, path=path, body=b"")


def _kinds(spec: KubernetesSpec) -> Iterator[tuple[str, str, str]]:
    """Group, resource and subresource of what a rule names."""
    for group in spec.api_groups or ("", "*"):
        for pattern in spec.resources or (ANY,):
            resource, _, subresource = pattern.partition("/")
            yield (
                _GROUP if group == "*" else group.replace("*", ANY),
                resource.replace("*", ANY),
                subresource.replace("*", ANY),
            )


def _kubernetes_request(kind: tuple[str, str, str], namespace: str | None, verb: str) -> WireRequest | None:
    """A sample; None where there is no such call."""
    group, resource, subresource = kind
    method, has_name, query = _REQUESTS[verb]
    if subresource and not (has_name or verb == "create"):
        return None
    if not namespace and namespace is not None and verb in {"create", "update", "patch", "delete"}:
        return None  # objects are written in their namespace
    base = f"/apis/{group}/v1" if group else "/api/v1"
    place = f"/namespaces/{namespace}" if namespace else ""
    name = f"/{ANY}" if has_name or subresource else ""
    end = f"/{subresource}" if subresource else ""
    headers = (("Content-Type", MERGE_PATCH),) if verb == "patch" else ()
    path = f"{base}{place}/{resource}{name}{end}{query}"
    return WireRequest(method=method, path=path, headers=headers, body=None if headers else b"")


def _decoded(engine: Engine, target: TargetName, request: WireRequest) -> Action | None:
    """The action of a sample; None where the target refuses it as malformed, or there is no such target."""
    traits = engine.targets.get(target)
    try:
        return None if traits is None else decode(traits, request)
    except Refusal:
        return None
