"""Request bodies to objects: JSON, YAML and protobuf, with duplicate and unknown fields reported."""

import json
from dataclasses import dataclass, field
from typing import Any

import yaml

from gatehold.demo.kubernetes import protobuf, statuses
from gatehold.demo.kubernetes.protobuf import BrokenMessageError
from gatehold.demo.kubernetes.schemas import types
from gatehold.demo.kubernetes.structs import MistypedError, conform

PROTOBUF = "application/vnd.kubernetes.protobuf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """A body as an object of a type."""

    item: dict[str, Any]
    strict: list[str] = field(default_factory=list)
    """What strict decoding has to say, in Go's words: duplicate and unknown fields."""


def decode_object(body: bytes, content_type: str, *, api_version: str, kind: str, type_name: str) -> Decoded:
    """The object in a body that should be of that kind; raises ApiError (400, 415)."""
    raw, duplicates = _raw(body, content_type, type_name)
    found_version, found_kind = raw.get("apiVersion") or api_version, raw.get("kind") or kind
    if (found_version, found_kind) != (api_version, kind):
        raise _wrong_kind(raw, api_version, kind)
    try:
        item, unknown = conform(raw, type_name)
    except MistypedError as error:
        raise statuses.bad_request(_unhandled(kind, api_version, str(error))) from error
    strict = [*(f'duplicate field "{path}"' for path in duplicates), *(f'unknown field "{path}"' for path in unknown)]
    return Decoded(item={"kind": kind, "apiVersion": api_version} | item, strict=strict)


def is_protobuf(content_type: str) -> bool:
    """Whether a body is said to be one of Kubernetes' protobuf messages."""
    return content_type.partition(";")[0].strip().lower() == PROTOBUF


def decode_mapping(body: bytes, what: str) -> tuple[dict[str, Any], list[str]]:
    """A JSON or YAML object and the paths of duplicate fields; raises ApiError (400) naming `what`."""
    value, duplicates = _json(body, what) if body.lstrip()[:1] in (b"{", b"[") else (_yaml(body, what), [])
    if not isinstance(value, dict):
        raise statuses.bad_request(f"error decoding {what}: json: cannot unmarshal into Go value of type map")
    return value, duplicates


def _raw(body: bytes, content_type: str, type_name: str) -> tuple[dict[str, Any], list[str]]:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == PROTOBUF:
        return _protobuf(body, type_name), []
    if media_type in ("application/json", ""):
        value, duplicates = _json(body, "object")
        if not isinstance(value, dict):
            raise statuses.bad_request("couldn't get version/kind; json parse error: cannot unmarshal into Go value")
        return value, duplicates
    if media_type == "application/yaml":
        return decode_mapping(body, "object")
    raise statuses.unsupported_media_type()


def _protobuf(body: bytes, type_name: str) -> dict[str, Any]:
    if type_name not in types():
        raise statuses.unsupported_media_type(why="this type has no protobuf form")
    try:
        api_version, kind, raw = protobuf.open_envelope(body)
        return {"apiVersion": api_version, "kind": kind} | protobuf.decode(raw, type_name)
    except BrokenMessageError as error:
        if "send JSON" in str(error):
            raise statuses.unsupported_media_type(why=str(error)) from error
        raise statuses.bad_request(str(error)) from error


def _json(body: bytes, what: str) -> tuple[Any, list[str]]:
    duplicates: list[str] = []
    try:
        tree = json.loads(body, object_pairs_hook=_Pairs, parse_constant=_no_constant)
        return _unfold(tree, "", duplicates), duplicates
    except (ValueError, RecursionError) as error:
        raise statuses.bad_request(f"error decoding {what}: json parse error: {error}") from error


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as it was written, duplicate names and all."""


def _unfold(value: Any, path: str, duplicates: list[str]) -> Any:
    """Pairs as dicts. The last of duplicate values wins, except that objects are merged."""
    if not isinstance(value, list):
        return value
    if not isinstance(value, _Pairs):
        return [_unfold(item, f"{path}[{at}]", duplicates) for at, item in enumerate(value)]
    found: dict[str, Any] = {}
    for name, item in value:
        at = f"{path}.{name}" if path else name
        fresh = _unfold(item, at, duplicates)
        if name in found:
            duplicates.append(at)
            if isinstance(found[name], dict) and isinstance(fresh, dict):
                fresh = found[name] | fresh
        found[name] = fresh
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"invalid character {name[0]!r} looking for beginning of value")


class _Loader(yaml.SafeLoader):
    """YAML as sigs.k8s.io/yaml reads it: timestamps stay strings."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - the way PyYAML declares it
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _yaml(body: bytes, what: str) -> Any:
    try:
        return yaml.load(body, Loader=_Loader)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise statuses.bad_request(f"error decoding {what}: yaml: not a YAML document") from error


def _wrong_kind(raw: dict[str, Any], api_version: str, kind: str) -> statuses.ApiError:
    found, wanted = _gvk(str(raw.get("apiVersion") or ""), str(raw.get("kind") or "")), _gvk(api_version, kind)
    return statuses.bad_request(
        f"the object provided is unrecognized (must be of type {kind}): expected {wanted}, but got {found}"
    )


def _gvk(api_version: str, kind: str) -> str:
    group, _, version = api_version.rpartition("/")
    return f"{group}/{version}, Kind={kind}"


def _unhandled(kind: str, api_version: str, why: str) -> str:
    version = api_version.rpartition("/")[2]
    return f'{kind} in version "{version}" cannot be handled as a {kind}: {why}'


def strict_error(kind: str, api_version: str, strict: list[str]) -> statuses.ApiError:
    """What `fieldValidation=Strict` answers when there is something to say."""
    why = f"strict decoding error: {', '.join(strict)}"
    return statuses.bad_request(_unhandled(kind, api_version, why))
