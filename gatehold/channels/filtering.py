"""Which approvals a channel is told of. Pure."""

from collections.abc import Iterable, Sequence

from gatehold.config.channels import NotifyForSpec
from policy.rules.selectors import glob_matches


def concerns(only: NotifyForSpec | None, target: str, groups: Iterable[str]) -> bool:
    """``groups``: all that may answer."""
    if only is None:
        return True
    return _any(only.targets, (target,)) and _any(only.groups, groups)


def _any(patterns: Sequence[str], values: Iterable[str]) -> bool:
    return not patterns or any(glob_matches(pattern, value) for value in values for pattern in patterns)
