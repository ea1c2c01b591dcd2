"""Claims of an ID token by name or path. Pure."""

from collections.abc import Mapping
from typing import Any


def claim(claims: Mapping[str, Any], path: str) -> Any:
    """The claim of that name, else what the dotted path leads to; None where it leads nowhere.

    The whole name goes first, because claim names may be URLs (``https://example.com/groups``).
    """
    if path in claims:
        return claims[path]
    value: Any = claims
    for step in path.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
