"""list: selectors, consistent chunks, and what `resourceVersion` and `resourceVersionMatch` ask for.

A chunk is read at the revision of the first one. When the log of changes does not go back that far any more, the token
has expired (410), and the answer carries one that goes on with what there is now.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.answers import Answer
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.objects import KubernetesObject, name_of, namespace_of
from gatehold.demo.kubernetes.reads import selected, view_of
from gatehold.demo.kubernetes.rendering import render_list
from gatehold.demo.kubernetes.requests import Call
from gatehold.demo.kubernetes.statuses import Cause
from gatehold.demo.kubernetes.storage import TooOldError

NOW = -1
"""The revision of a token that goes on with what there is."""
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


def list_items(cluster: Cluster, call: Call) -> Answer:
    """All objects that match, or a chunk of them; raises ApiError (400, 406, 410, 422, 504)."""
    view, wanted = view_of(cluster, call), selected(call)
    limit, token = call.query.number("limit") or 0, call.query.first("continue")
    with cluster.store.locked():
        asked, start = _read_token(token) if token else (_asked(cluster, call), "")
        revision = cluster.store.revision if asked == NOW else asked
        items = [item for item in _items(cluster, call, revision, start) if wanted(item)]
    chunk, metadata = _chunk(items, call, revision, start=start, limit=limit)
    return Answer(body=render_list(chunk, call.target.resource, view, metadata=metadata))


def _items(cluster: Cluster, call: Call, revision: int, start: str) -> list[KubernetesObject]:
    try:
        return cluster.store.items_at(call.target.resource, call.target.namespace, revision)
    except TooOldError as error:
        if start:
            raise statuses.expired(EXPIRED, {"continue": _token(NOW, start)}) from error
        oldest = f"too old resource version: {revision} ({cluster.store.revision})"
        raise statuses.expired(oldest) from error


def _asked(cluster: Cluster, call: Call) -> int:
    """The revision that a list from the start shows."""
    text, match = call.query.first("resourceVersion"), call.query.first("resourceVersionMatch")
    if "sendInitialEvents" in call.query:
        raise _invalid("sendInitialEvents", "Forbidden: sendInitialEvents is forbidden for list")
    if match and not text:
        raise _invalid(
            "resourceVersionMatch", "Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    if match not in ("", "Exact", "NotOlderThan"):
        why = f'Unsupported value: "{match}": supported values: "Exact", "NotOlderThan", ""'
        raise _invalid("resourceVersionMatch", why)
    if match == "Exact" and text == "0":
        raise _invalid(
            "resourceVersionMatch",
            'Forbidden: resourceVersionMatch "Exact" is forbidden for resourceVersion "0"',
        )
    revision = revision_of(text)
    if revision > cluster.store.revision:
        raise statuses.timeout(f"Too large resource version: {revision}, current: {cluster.store.revision}")
    exact = match == "Exact" or (not match and call.query.number("limit") and revision)
    return revision if exact else NOW


def revision_of(text: str) -> int:
    """A resourceVersion as a number, 0 if there is none; raises ApiError (400)."""
    if not text:
        return 0
    if not text.isascii() or not text.isdigit():
        raise statuses.bad_request(f'invalid resource version "{text}": strconv.ParseUint: invalid syntax')
    return int(text)


def _chunk(
    items: Sequence[KubernetesObject], call: Call, revision: int, *, start: str, limit: int
) -> tuple[Sequence[KubernetesObject], dict[str, Any]]:
    """The objects from `start` up to the limit, and the list's metadata."""
    namespace = call.target.namespace
    if start:
        if call.query.first("resourceVersion"):
            raise statuses.bad_request("specifying resource version is not allowed when using continue")
        items = [item for item in items if _key(item, namespace) >= start]
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    limit = limit if limit > 0 else len(items)
    if limit < len(items):
        metadata["continue"] = _token(revision, _key(items[limit - 1], namespace) + "\0")
        if not call.query.first("labelSelector") and not call.query.first("fieldSelector"):
            metadata["remainingItemCount"] = len(items) - limit
    return items[:limit], metadata


def _key(item: KubernetesObject, namespace: str) -> str:
    """The object's key below the list's prefix in etcd."""
    whole = bool(namespace) or not namespace_of(item)
    return name_of(item) if whole else f"/{namespace_of(item)}/{name_of(item)}"


def _token(revision: int, start: str) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        return int(content["rv"]), str(content["start"])
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise statuses.bad_request("continue key is not valid: not encoded by this server") from error


def _invalid(field: str, why: str) -> statuses.ApiError:
    reason = "FieldValueForbidden" if why.startswith("Forbidden") else "FieldValueNotSupported"
    return statuses.invalid("ListOptions", "meta.k8s.io", "", [Cause(field=field, message=why, reason=reason)])
