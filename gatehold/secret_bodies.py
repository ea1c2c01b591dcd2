"""Requests that write Kubernetes Secrets, without the values: what of them may be written down.

Such a body need not say that it is a Secret, for its path does: a patch holds a part of the object or operations on it,
and the API server takes a whole object without ``kind`` as well. Wherever values of a Secret can stand they are left
out here, whatever they look like; a body that cannot be read has nothing that may be kept.
"""

import json
import re
from typing import Any
from urllib.parse import unquote

from policy.actions.readings import Unreadable
from policy.actions.yamltext import read_yaml

HIDDEN = "***"

_SECRETS = re.compile(r"(?:^|/)secrets(?:/|$)", re.IGNORECASE)
_VALUES = frozenset({"data", "stringdata"})


def is_about_secrets(path: str) -> bool:
    """Whether a request target, as it stands on the wire, can be one for Secrets."""
    return _SECRETS.search(unquote(path.partition("?")[0])) is not None


def without_values(body: bytes) -> bytes | None:
    """The body as JSON, its values of Secrets hidden; None where it cannot be read."""
    try:
        value = read_yaml(body)
    except Unreadable:
        return None
    if isinstance(value, list):
        return json.dumps([_operation(each) for each in value]).encode()
    return json.dumps(_object(value)).encode() if isinstance(value, dict) else None


def _object(value: dict[str, Any]) -> dict[str, Any]:
    return {key: _blank(held) if key.lower() in _VALUES else held for key, held in value.items()}


def _operation(value: Any) -> Any:
    """One of a json-patch: its value is a part of the Secret, or a whole one."""
    if not isinstance(value, dict):
        return HIDDEN
    return {key: _blank(held) if key.lower() == "value" else held for key, held in value.items()}


def _blank(value: Any) -> Any:
    """The same shape without what stands in it; what is null stays, for it removes."""
    if isinstance(value, dict):
        return {key: _blank(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_blank(held) for held in value]
    return None if value is None else HIDDEN
