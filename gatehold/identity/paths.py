"""Where a claim stands in a payload. Pure.

A path is a claim's name, or a dotted path, or, if it begins with ``/``, a JSON Pointer (RFC 6901), for names with dots
in them: ``/kubernetes.io/pod/uid``.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

ABSENT: Final = object()
"""What a path leads to where there is nothing; a claim may be null."""


def lookup(claims: Mapping[str, Any], path: str) -> Any:
    """What ``path`` leads to, else ``ABSENT``.

    The whole name goes first, because claim names may be URLs (``https://example.com/groups``).
    """
    if path in claims:
        return claims[path]
    value: Any = claims
    for step in steps(path):
        if not isinstance(value, Mapping) or step not in value:
            return ABSENT
        value = value[step]
    return value


def steps(path: str) -> Sequence[str]:
    """The names that a path goes through, each a member of an object."""
    if path.startswith("/"):
        return [step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/")]
    return path.split(".")


def scalar(value: Any) -> str | None:
    """A claim's value as a pattern sees it: strings as they are, booleans and integers as JSON writes them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return value if isinstance(value, str) else None
