"""Calls as the kind of call that a rule is about: paths with ``{id}``, resources without the names of objects."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from policy.actions.decoding import Action
from policy.actions.http import HttpAction
from policy.actions.kubernetes import KubernetesAction
from policy.history.requests import MASKED

type Template = tuple[str, ...]
"""Segments of a path; ``ID`` stands for one that differs from call to call."""

ID: Final = "\0id"
"""Stands in no path."""
MANY: Final = 10
"""So many values in one place of otherwise equal paths are values of a parameter."""
_IDENTIFIER: Final = re.compile(
    r"""\d+
      | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}  # UUID
      | (?=[^/]*\d)[0-9a-f]{8,}                                       # a hash
      | (?=[^/]*\d)[0-9A-HJKMNP-TV-Z]{26}                             # ULID
      | (?=[^/]*\d)(?=[^/]*[A-Za-z])[A-Za-z0-9_-]{16,}                # a random name
      | [^/]*@[^/]*
      | [A-Za-z]{1,6}[-_]\d+                                          # ACME-7, cus_19
    """,
    re.VERBOSE | re.IGNORECASE,
)
_GENERATED: Final = re.compile(r"(.+?)(?:-[0-9a-f]{8,10})?-(?=[a-z0-9]*\d)[bcdfghjklmnpqrstvwxz2456789]{5}")
"""Names that Kubernetes makes: of pods of a ReplicaSet or Job (k8s.io/apimachinery/pkg/util/rand)."""
_ORDINAL: Final = re.compile(r"(.+)-\d+")


def template(segments: Iterable[str]) -> Template:
    """A path with ``ID`` for what looks like one."""
    return tuple(ID if segment == MASKED or _IDENTIFIER.fullmatch(segment) else segment for segment in segments)


def joined(templates: Iterable[Template]) -> dict[Template, Template]:
    """Each template with the one that stands for it: places with ``MANY`` values become ``ID``."""
    found = {each: each for each in templates}
    for place in range(max(map(len, found), default=0)):
        alike: defaultdict[tuple[Template, Template], set[str]] = defaultdict(set)
        for each in found.values():
            if len(each) > place:
                alike[each[:place], each[place + 1 :]].add(each[place])
        many = {around for around, values in alike.items() if len(values) >= MANY}
        for each, now in found.items():
            if len(now) > place and (now[:place], now[place + 1 :]) in many:
                found[each] = (*now[:place], ID, *now[place + 1 :])
    return found


def pattern(of: Template, *, trailing_slash: bool = False) -> str:
    """The path pattern of a rule: ``/customers/{id}/orders/{id2}``."""
    words, count = list[str](), 0
    for segment in of:
        count += segment == ID
        words.append((f"{{id{count if count > 1 else ''}}}") if segment == ID else quote(segment, safe="%!$&'()+,=:@~"))
    path = "/" + "/".join(words)
    return path + "/" if trailing_slash and words else path


def name_glob(name: str) -> str:
    """The glob for the name of an object: what Kubernetes appends becomes ``*``."""
    for form in (_GENERATED, _ORDINAL):
        if match := form.fullmatch(name):
            return f"{match[1]}-*"
    return name


def kind(action: KubernetesAction) -> str:
    """``deployments.apps/scale``, as kubectl writes it."""
    whole = f"{action.resource}.{action.group}" if action.group else action.resource
    return f"{whole}/{action.subresource}" if action.subresource else whole


def operation(action: Action) -> str:
    """For people: ``GET /customers/{id}``, ``list pods in dev``."""
    if isinstance(action, HttpAction):
        upgrade = f" ({action.upgrade})" if action.upgrade else ""
        return f"{action.method} {pattern(template(action.segments))}{upgrade}"
    if not action.resource_request:
        return f"{action.verb} {action.path}"
    place = f" in {action.namespace}" if action.namespace else ""
    return f"{action.verb} {kind(action)}{place}"
