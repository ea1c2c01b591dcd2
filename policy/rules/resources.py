"""Kubernetes resources in rules, in the forms of RBAC (k8s.io/api/rbac/v1, PolicyRule.resources).

``pods`` is the resource alone, ``pods/exec`` one subresource, ``pods/*`` every subresource of pods, ``*/scale`` that
subresource of every resource, ``*`` everything with all subresources. What goes through a port-forward nobody can
judge, so a door to it has to name it: ``pods/portforward`` or ``*/portforward``.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

NAMED_ONLY = frozenset({"portforward"})
"""Subresources that no door opens by a ``*`` in their place."""

_FORM = re.compile(r"\*|(\*|[a-z0-9.-]+)(/(\*|[a-z0-9.-]+))?")
_SUBRESOURCES = frozenset(
    {"attach", "ephemeralcontainers", "eviction", "exec", "log", "portforward", "proxy", "scale", "status"}
)
"""Taken for resources they would match nothing; in a wall that is a hole."""


def check_resource(pattern: str) -> str:
    """The pattern itself; raises ``ValueError`` where it is none of the forms."""
    if pattern in _SUBRESOURCES:
        raise ValueError(f"{pattern!r} is a subresource; did you mean pods/{pattern}, or */{pattern}?")
    if not _FORM.fullmatch(pattern):
        raise ValueError(f"{pattern!r} is not a resource; one of pods, pods/exec, pods/*, */scale, *")
    return pattern


class ResourceDimension:
    """From a resource and subresource to the bits of the rules that name it."""

    __slots__ = ("_any", "_any_subresource", "_exact", "_of_resource", "_of_subresource")

    def __init__(self, entries: Iterable[tuple[tuple[str, ...] | None, int]]) -> None:
        self._any = 0
        self._any_subresource = 0
        self._exact: defaultdict[tuple[str, str], int] = defaultdict(int)
        self._of_resource: defaultdict[str, int] = defaultdict(int)
        self._of_subresource: defaultdict[str, int] = defaultdict(int)
        for patterns, bit in entries:
            for pattern in patterns or ("*",):
                self._add(pattern, bit)

    def _add(self, pattern: str, bit: int) -> None:
        resource, _, subresource = pattern.partition("/")
        if pattern == "*":
            self._any |= bit
        elif pattern == "*/*":
            self._any_subresource |= bit
        elif resource == "*":
            self._of_subresource[subresource] |= bit
        elif subresource == "*":
            self._of_resource[resource] |= bit
        else:
            self._exact[resource, subresource] |= bit

    def mask(self, resource: str, subresource: str) -> int:
        """The bits of all rules whose resources include this one; no subresource is the empty string."""
        found = self._any | self._exact.get((resource, subresource), 0)
        if subresource:
            found |= self._any_subresource | self._of_resource.get(resource, 0)
            found |= self._of_subresource.get(subresource, 0)
        return found

    def mask_by_name(self, resource: str, subresource: str) -> int:
        """The bits of the rules that name this subresource itself."""
        return self._exact.get((resource, subresource), 0) | self._of_subresource.get(subresource, 0)
