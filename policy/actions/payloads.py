"""What the body of a Kubernetes request tells: the object, its name, and what will become of ``spec.replicas``.

The server picks its decoder by the content type: for a patch the header up to ``;`` compared exactly, else the media
type, and JSON where there is none. Only what a body says for itself is answered here, without the object it is for.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from policy.actions import objects
from policy.actions.envelopes import read_name
from policy.actions.jsontext import read_json
from policy.actions.patches import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    OPEN,
    STRATEGIC_MERGE_PATCH,
    UNCHANGED,
    Change,
    replicas_change,
)
from policy.actions.readings import NO_BODY, NOT_AVAILABLE, Reading, Unreadable
from policy.actions.requestinfo import RequestInfo
from policy.actions.scopes import BUILT_IN_GROUPS
from policy.actions.yamltext import read_yaml
from policy.model import UNKNOWN, Maybe

PROTOBUF = "application/vnd.kubernetes.protobuf"
YAML = "application/yaml"
_READERS = {"": read_json, "application/json": read_json, YAML: read_yaml}
_BINARY = frozenset({PROTOBUF, "application/cbor"})
_BINARY_PATCHES = frozenset({"application/apply-patch+cbor"})
"""Forms that the API server takes and that are not read here."""
_PATCH_READERS = {
    JSON_PATCH: read_json,
    MERGE_PATCH: read_json,
    STRATEGIC_MERGE_PATCH: read_json,
    APPLY_PATCH: read_yaml,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """Facts from a body. All are unknown where the body does not tell."""

    name: Maybe[str] = UNKNOWN
    """Of the object in a create; empty where the body has none."""
    value: Maybe[dict[str, Any]] = field(default=UNKNOWN, repr=False)
    """The object that a create or update sends."""
    patch: Maybe[Any] = field(default=UNKNOWN, repr=False)
    """The document of a patch."""
    labels: Maybe[dict[str, str]] = field(default=UNKNOWN, repr=False)
    images: Maybe[tuple[str, ...]] = UNKNOWN
    change: Change = OPEN
    dry_run: Maybe[tuple[str, ...]] = UNKNOWN
    """``dryRun`` of the options that a delete sends."""
    reason: str = ""
    """Why nothing is known; for the audit trail."""
    malformed: bool = False
    """Whether the body has no single meaning: it must not be passed on, whatever rules ask for."""


def patch_type(content_type: str) -> str:
    """The type of a patch as the server compares it: the header up to the first ``;``, neither trimmed nor folded."""
    return content_type.partition(";")[0]


def media_type(content_type: str) -> str:
    """The media type of a whole object as the server compares it."""
    return content_type.partition(";")[0].strip().lower()


def read_payload(info: RequestInfo, content_type: str, body: bytes | None) -> Payload:
    """The facts from the body of this request."""
    if body is None:
        return Payload(reason=NOT_AVAILABLE)
    if not body:
        return Payload(reason=NO_BODY, name="")
    if info.verb == "patch":
        return _patch(info, patch_type(content_type), body)
    if info.verb in {"create", "update", "delete", "deletecollection"}:
        return _whole(info, media_type(content_type), body)
    return Payload(reason="the body of such a request means nothing")


def _whole(info: RequestInfo, media: str, body: bytes) -> Payload:
    if media == PROTOBUF and info.verb == "create":
        name = Reading.of(lambda: read_name(body))
        reason = name.reason or "a protobuf body, of which only the name is read"
        return Payload(name=name.value, reason=reason, malformed=name.malformed)
    if media in _BINARY or (media not in _READERS and info.group not in BUILT_IN_GROUPS):
        return Payload(reason="a content type without a reader")
    reading = Reading.of(lambda: _object(media, body))
    if reading.value is UNKNOWN:
        return Payload(reason=reading.reason, malformed=reading.malformed)
    if info.verb in {"create", "update"}:
        return _written(info, reading.value)
    return Payload(dry_run=_dry_run(reading.value))


def _object(media: str, body: bytes) -> dict[str, Any]:
    if media not in _READERS:
        raise Unreadable("a content type without a reader")
    value = _READERS[media](body)
    if not isinstance(value, dict):
        raise Unreadable("the body is not an object")
    return value


def _written(info: RequestInfo, value: dict[str, Any]) -> Payload:
    """A create or update. Only at the object itself are its labels those of what is addressed."""
    has_pod = info.subresource in {"", "ephemeralcontainers"}
    return Payload(
        name=objects.name_of(value),
        value=value,
        labels=objects.labels_of(value) if not info.subresource else UNKNOWN,
        images=objects.images_of(value, info.group) if has_pod else UNKNOWN,
        change=_change(info, lambda default: Change(replicas=objects.replicas_of(value, default))),
    )


def _patch(info: RequestInfo, kind: str, body: bytes) -> Payload:
    reader = _PATCH_READERS.get(kind)
    if reader is None:
        return Payload(reason="a patch type without a reader", malformed=kind not in _BINARY_PATCHES)
    reading = Reading.of(lambda: reader(body))
    if reading.value is UNKNOWN:
        return Payload(reason=reading.reason, malformed=reading.malformed)
    change = _change(info, lambda default: replicas_change(kind, reading.value, default))
    return Payload(patch=reading.value, change=change)


def _change(info: RequestInfo, of_spec: Callable[[Maybe[int]], Change]) -> Change:
    """The change to ``spec.replicas``, which only the object itself and its Scale can make; a status never does."""
    if info.subresource in {"", "scale"}:
        return of_spec(objects.default_replicas(info.group, info.resource, info.subresource))
    return UNCHANGED if info.subresource == "status" else OPEN


def _dry_run(options: dict[str, Any]) -> Maybe[tuple[str, ...]]:
    """``dryRun`` of DeleteOptions."""
    values = options.get("dryRun") or []
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return UNKNOWN
    return tuple(values)
