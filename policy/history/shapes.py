"""Calls as the kind of call that a rule is about: paths with ``{id}``, resources without the names of objects."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
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


def template(segments: Iterable[str], hidden: Collection[int] = ()) -> Template:
    """A path with ``ID`` for what looks like one, and for the segments with these numbers."""
    pairs = enumerate(segments)
    return tuple(ID if at in hidden or _IDENTIFIER.fullmatch(segment) else segment for at, segment in pairs)


def joined(templates: Iterable[Template]) -> dict[Template, Template]:
    """Each template with the one that stands for it: places with ``MANY`` values become ``ID``.

    Takes time in proportion to all segments: a path may have thousands. What stands before a place and what stands
    behind it are therefore numbers, the same for the same segments.
    """
    given = list(dict.fromkeys(templates))
    numbers: dict[tuple[int, str], int] = {}
    behind = [_behind(each, numbers) for each in given]
    before, now = [0] * len(given), [list(each) for each in given]
    left, place = list(range(len(given))), 0
    while left := [at for at in left if len(given[at]) > place]:
        alike: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        for at in left:
            alike[before[at], behind[at][place]].add(given[at][place])
        for at in left:
            if len(alike[before[at], behind[at][place]]) >= MANY:
                now[at][place] = ID
            before[at] = _number(numbers, before[at], now[at][place])
        place += 1
    return {each: tuple(new) for each, new in zip(given, now, strict=True)}


def _behind(of: Template, numbers: dict[tuple[int, str], int]) -> list[int]:
    """For each place of a template the number of what stands behind it."""
    found, number = [0] * len(of), 0
    for at in range(len(of) - 1, 0, -1):
        found[at - 1] = number = _number(numbers, number, of[at])
    return found


def _number(numbers: dict[tuple[int, str], int], of: int, segment: str) -> int:
    return numbers.setdefault((of, segment), len(numbers) + 1)


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
        hidden = {at for at, segment in enumerate(action.segments) if segment == MASKED}
        return f"{action.method} {pattern(template(action.segments, hidden))}{upgrade}"
    if not action.resource_request:
        return f"{action.verb} {action.path}"
    place = f" in {action.namespace}" if action.namespace else ""
    return f"{action.verb} {kind(action)}{place}"
