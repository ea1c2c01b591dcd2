"""Least privilege for the calls that there were: doors for reads, doors with an approval for writes.

Who: agents are put together by the group that the fewest agents have, or stand by their subject where they have none.
What: calls of one kind; paths with ``{id}`` where segments look like identifiers or there are many of them, names of
Kubernetes objects with ``*`` where they look generated. Kinds are joined in one rule only where that opens nothing
else: the same methods for every path, the same verbs for every resource and namespace.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count
from operator import itemgetter
from typing import Any, Final

from policy.actions.http import HttpAction
from policy.actions.kubernetes import CONNECTING, KubernetesAction
from policy.actions.wire import READ_METHODS
from policy.engine import Engine
from policy.errors import GateholdError
from policy.history.inputs import RecordedCall
from policy.history.requests import Reread, reread
from policy.history.shapes import MANY, Template, joined, name_glob, pattern, template
from policy.model import UNKNOWN, TargetTraits
from policy.rules.schema import RuleSpec
from policy.rules.verbs import required_verbs

_UNSAFE: Final = re.compile(r"[^a-z0-9]+")
_READS: Final = frozenset({"get", "list", "watch", "head", "options"})
_COLLECTING: Final = frozenset({"list", "watch", "deletecollection", "create", "proxy"})
_LONGEST_PATH: Final = 1024
"""Characters of a path in a rule."""
ANY: Final = "*"


@dataclass(slots=True, kw_only=True)
class Seen:
    """How often, and when."""

    calls: int = 0
    first: float = 0.0
    """Unix seconds."""
    last: float = 0.0

    def add(self, time: float) -> None:
        """Count a call at a time."""
        self.join(Seen(calls=1, first=time, last=time))

    def join(self, other: "Seen") -> None:
        """Count those of another one."""
        if other.calls:
            self.first = min(self.first, other.first) if self.calls else other.first
            self.last = max(self.last, other.last)
            self.calls += other.calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """The agents of a rule: those of a group, or one subject, of an issuer."""

    issuer: str
    group: str = ""
    subject: str = ""
    groups: tuple[str, ...] = ()
    """All that the agent of a call had, before one of them is chosen."""

    def to_json(self) -> dict[str, Any]:
        """The selector of a rule."""
        who = {"groups": [self.group]} if self.group else {"subjects": [self.subject]}
        return {"issuers": [self.issuer], **who}


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggested:
    """One rule, with what it was made of."""

    rule: Mapping[str, Any]
    """As in a document."""
    seen: tuple[tuple[str, Seen], ...]
    """Calls by kind, for people."""


@dataclass(slots=True, kw_only=True)
class Suggestion:
    """Everything that is suggested."""

    rules: list[Suggested] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """Calls for which there is no rule, by reason."""


type _Place = tuple[Who, str, str]
"""Who calls which target, and the upgrade that is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _HttpKind:
    who: Who
    target: str
    upgrade: str
    template: Template
    slash: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _KubernetesKind:
    who: Who
    target: str
    group: str
    resource: str
    namespace: str | None
    """None: of the cluster; ``*``: all."""
    collects: bool
    """Calls that name no object of their own."""
    path: str = ""
    """Of a request that is about no resource."""


def suggest(
    engine: Engine,
    calls: Iterable[RecordedCall],
    *,
    approvers: tuple[str, ...],
    issuers: Collection[str],
    taken: Collection[str] = (),
) -> Suggestion:
    """Rules that let these calls through again; writes ask ``approvers``. Which calls ought to pass is not asked here.

    ``calls`` is read once; ``issuers`` are those that rules may name, ``taken`` names that rules have already.
    """
    gathered = _Gathered(engine, frozenset(issuers), frozenset(taken))
    for call in calls:
        gathered.add(call)
    return gathered.suggestion(approvers)


class _Gathered:
    """Calls by kind."""

    def __init__(self, engine: Engine, issuers: frozenset[str], taken: frozenset[str]) -> None:
        self._engine = engine
        self._issuers = issuers
        self._taken = taken
        self._members: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        self._http: defaultdict[_HttpKind, dict[str, Seen]] = defaultdict(dict)
        self._kubernetes: defaultdict[_KubernetesKind, dict[tuple[str, ...], Seen]] = defaultdict(dict)
        self._names: defaultdict[tuple[_KubernetesKind, tuple[str, ...]], set[str]] = defaultdict(set)
        self._left_out: Counter[str] = Counter()

    def add(self, call: RecordedCall) -> None:
        """Count one call."""
        traits = self._engine.targets.get(call.target)
        if traits is None:
            self._left_out[f"there is no target {call.target}"] += 1
            return
        if call.agent.issuer not in self._issuers:
            self._left_out[f"there is no issuer {call.agent.issuer}"] += 1
            return
        try:
            request = reread(call, traits)
        except GateholdError as error:
            self._left_out[str(error)] += 1
            return
        for group in call.agent.groups:
            self._members[call.agent.issuer, group].add(call.agent.subject)
        who = Who(issuer=call.agent.issuer, groups=call.agent.groups, subject=call.agent.subject)
        if isinstance(request.action, HttpAction):
            self._add_http(who, call, request, request.action, traits)
        elif _has_star(request.action):
            self._left_out["a * in a rule would stand for anything"] += 1
        else:
            self._add_kubernetes(who, call, request.action, hidden_name="k8s.name" in request.hidden)

    def _add_http(
        self, who: Who, call: RecordedCall, request: Reread, action: HttpAction, traits: TargetTraits
    ) -> None:
        upgrade = action.upgrade.strip().lower()
        if upgrade not in {"", "websocket"}:
            self._left_out["rules open no other upgrade than websocket"] += 1
            return
        slash = action.trailing_slash and traits.paths.trailing_slash == "significant"
        path = template(action.segments, request.segments)
        if sum(map(len, path)) + len(path) > _LONGEST_PATH:
            self._left_out["rules have no words for them"] += 1
            return
        kind = _HttpKind(who=who, target=call.target, upgrade=upgrade, template=path, slash=slash)
        self._http[kind].setdefault(action.method, Seen()).add(call.time)

    def _add_kubernetes(self, who: Who, call: RecordedCall, action: KubernetesAction, *, hidden_name: bool) -> None:
        resource = f"{action.resource}/{action.subresource}" if action.subresource else action.resource
        namespace = ANY if action.covers_all_namespaces else action.namespace or None
        if not action.resource_request:
            kind = _KubernetesKind(
                who=who, target=call.target, group="", resource="", namespace=None, collects=True, path=action.path
            )
        else:
            kind = _KubernetesKind(
                who=who,
                target=call.target,
                group=action.group,
                resource=resource,
                namespace=namespace,
                collects=action.verb in _COLLECTING and not action.subresource,
            )
        verbs = tuple(dict.fromkeys(choice[0] for choice in required_verbs(action)))
        self._kubernetes[kind].setdefault(verbs, Seen()).add(call.time)
        if not kind.collects:
            name = ANY if hidden_name or action.name is UNKNOWN or not action.name else name_glob(action.name)
            self._names[kind, verbs].add(name)

    def suggestion(self, approvers: tuple[str, ...]) -> Suggestion:
        """The rules for all that was counted."""
        made, names = Suggestion(left_out=self._left_out), set(self._taken)
        drafts = [*self._http_rules(), *self._kubernetes_rules()]
        for each in sorted(drafts, key=lambda draft: (draft.name, json.dumps(draft.match))):
            name = next(name for name in _numbered(each.name) if name not in names)
            rule = each.suggested(name, approvers)
            try:
                RuleSpec.model_validate(rule.rule)
            except ValueError:
                self._left_out["rules have no words for them"] += sum(seen.calls for _, seen in rule.seen)
            else:
                names.add(name)
                made.rules.append(rule)
        return made

    def _narrowest(self, who: Who) -> Who:
        """The agents of a kind, by the group with the fewest members that were seen."""
        if not who.groups:
            return who
        fewest = min(who.groups, key=lambda group: (len(self._members[who.issuer, group]), group))
        return Who(issuer=who.issuer, group=fewest)

    def _http_rules(self) -> Iterator["_Draft"]:
        """One rule for all paths that are called by the same methods."""
        kinds: defaultdict[_Place, dict[tuple[Template, bool], dict[str, Seen]]] = defaultdict(dict)
        for kind, methods in self._http.items():
            place = (self._narrowest(kind.who), kind.target, kind.upgrade)
            _join(kinds[place].setdefault((kind.template, kind.slash), {}), methods)
        for place, paths in kinds.items():
            now = joined(path for path, _ in paths)
            together: defaultdict[tuple[Template, bool], dict[str, Seen]] = defaultdict(dict)
            for (path, slash), methods in paths.items():
                _join(together[now[path], slash], methods)
            for writes in (False, True):
                by_methods: defaultdict[tuple[str, ...], list[tuple[str, Seen]]] = defaultdict(list)
                for (path, slash), methods in together.items():
                    chosen = {m: seen for m, seen in methods.items() if _writes(m, place[2]) is writes}
                    if chosen:
                        text = pattern(path, trailing_slash=slash)
                        by_methods[tuple(sorted(chosen))].append((text, _total(chosen)))
                for chosen_methods, found in by_methods.items():
                    yield _http_draft(place, chosen_methods, sorted(found, key=itemgetter(0)), writes=writes)

    def _kubernetes_rules(self) -> Iterator["_Draft"]:
        """One rule for all resources and namespaces that are called by the same verbs."""
        cells: defaultdict[_Cell, dict[tuple[str, str | None], Seen]] = defaultdict(dict)
        for (kind, globs), verbs in self._named().items():
            for writes in (False, True):
                chosen = {each: seen for each, seen in verbs.items() if _changes(each, kind) is writes}
                if chosen:
                    cell = _Cell(
                        who=kind.who,
                        target=kind.target,
                        group=kind.group,
                        verbs=tuple(sorted({verb for each in chosen for verb in each})),
                        names=globs,
                        is_path=bool(kind.path),
                        writes=writes,
                    )
                    place = (kind.path or kind.resource, kind.namespace)
                    cells[cell].setdefault(place, Seen()).join(_total(chosen))
        for cell, found in cells.items():
            yield from _kubernetes_drafts(cell, found)

    def _named(self) -> "Mapping[tuple[_KubernetesKind, tuple[str, ...]], dict[tuple[str, ...], Seen]]":
        """What was called, by kind and the names of objects; no names mean any."""
        together: defaultdict[tuple[_KubernetesKind, tuple[str, ...]], dict[tuple[str, ...], Seen]] = defaultdict(dict)
        names: defaultdict[tuple[_KubernetesKind, tuple[str, ...]], set[str]] = defaultdict(set)
        for (kind, verbs), found in self._names.items():
            names[replace(kind, who=self._narrowest(kind.who)), verbs] |= found
        for kind, by_verbs in self._kubernetes.items():
            now = replace(kind, who=self._narrowest(kind.who))
            for verbs, seen in by_verbs.items():
                known = names[now, verbs]
                globs = () if not known or ANY in known or len(known) >= MANY else tuple(sorted(known))
                _join(together[now, globs], {verbs: seen})
        return together


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cell:
    who: Who
    target: str
    group: str
    verbs: tuple[str, ...]
    names: tuple[str, ...]
    is_path: bool
    writes: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    name: str
    who: Who
    match: Mapping[str, Any]
    """``http`` or ``kubernetes``."""
    writes: bool
    seen: tuple[tuple[str, Seen], ...]

    def suggested(self, name: str, approvers: tuple[str, ...]) -> Suggested:
        """The rule under its final name."""
        rule = {"name": name, "effect": "allow", "agents": self.who.to_json(), **self.match}
        if self.writes:
            rule["approval"] = {"groups": list(approvers)}
        return Suggested(rule=rule, seen=self.seen)


def _http_draft(place: _Place, methods: tuple[str, ...], found: list[tuple[str, Seen]], *, writes: bool) -> _Draft:
    who, target, upgrade = place
    match: dict[str, Any] = {"targets": [target], "methods": list(methods), "paths": [path for path, _ in found]}
    if upgrade:
        match["upgrade"] = upgrade
    return _Draft(name=_name(who, target, writes), who=who, match={"http": match}, writes=writes, seen=tuple(found))


def _kubernetes_drafts(cell: _Cell, found: Mapping[tuple[str, str | None], Seen]) -> Iterator[_Draft]:
    """Resources that are called in the same namespaces stand in one rule."""
    places: defaultdict[str, dict[str | None, Seen]] = defaultdict(dict)
    for (what, namespace), each in found.items():
        places[what][namespace] = each
    alike: defaultdict[frozenset[str | None], list[str]] = defaultdict(list)
    for what, own in places.items():
        for part in ({None}, {ANY}, own.keys() - {None, ANY}):
            if chosen := frozenset(part & own.keys()):
                alike[chosen].append(what)
    for namespaces, whats in alike.items():
        seen = tuple(
            (f"{what}{'' if namespace in {None, ANY} else f' in {namespace}'}", places[what][namespace])
            for what in sorted(whats)
            for namespace in sorted(namespaces, key=str)
        )
        match: dict[str, Any] = {"targets": [cell.target], "verbs": list(cell.verbs)}
        if cell.is_path:
            match["nonResourcePaths"] = sorted(whats)
        else:
            match |= {"apiGroups": [cell.group], "resources": sorted(whats)}
            if None not in namespaces:
                match["namespaces"] = sorted(map(str, namespaces))
            if cell.names:
                match["names"] = list(cell.names)
        name = _name(cell.who, cell.target, cell.writes)
        yield _Draft(name=name, who=cell.who, match={"kubernetes": match}, writes=cell.writes, seen=seen)


def _has_star(action: KubernetesAction) -> bool:
    """Is there a ``*`` in what is asked for? No name of anything has one, and in a rule it would be any name."""
    if not action.resource_request:
        return ANY in action.path
    parts = (action.group, action.resource, action.subresource, action.namespace, action.name)
    return any(isinstance(part, str) and ANY in part for part in parts)


def _numbered(name: str) -> Iterator[str]:
    return (name if number == 1 else f"{name}-{number}" for number in count(1))


def _writes(method: str, upgrade: str) -> bool:
    return method not in READ_METHODS or bool(upgrade)


def _changes(verbs: tuple[str, ...], kind: _KubernetesKind) -> bool:
    return kind.resource.rpartition("/")[2] in CONNECTING or not _READS.issuperset(verbs)


def _join[K](into: dict[K, Seen], more: Mapping[K, Seen]) -> None:
    for key, seen in more.items():
        into.setdefault(key, Seen()).join(seen)


def _total[K](seen: Mapping[K, Seen]) -> Seen:
    total = Seen()
    for each in seen.values():
        total.join(each)
    return total


def _name(who: Who, target: str, writes: bool) -> str:
    words = (who.group or who.subject, "writes" if writes else "reads", target)
    return "-".join(filter(None, (_UNSAFE.sub("-", word.lower()).strip("-")[:40] for word in words))) or "rule"
