"""PATCH: the four patch types on an object or its scale."""

from copy import deepcopy
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.answers import Answer
from gatehold.demo.kubernetes.apply import Manager, apply
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.decoding import decode_mapping
from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, meta, name_of
from gatehold.demo.kubernetes.options import APPLY, WriteOptions, write_options
from gatehold.demo.kubernetes.patches import MAX_OPERATIONS, PatchError, json_patch, merge_patch, parse_operations
from gatehold.demo.kubernetes.reads import view_of
from gatehold.demo.kubernetes.requests import Call
from gatehold.demo.kubernetes.scales import API_VERSION, TYPE, scale_of, scaled
from gatehold.demo.kubernetes.statuses import Cause
from gatehold.demo.kubernetes.strategic import strategic_merge
from gatehold.demo.kubernetes.structs import MistypedError, conform
from gatehold.demo.kubernetes.writes import change_object, check_name, create_object, shown

JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
IDENTITY = ("name", "namespace", "resourceVersion", "uid")


def patch(cluster: Cluster, call: Call) -> Answer:
    """PATCH of an object, its status or its scale. Applying what does not exist creates it."""
    media_type = call.patch_type
    if media_type not in (JSON_PATCH, MERGE, STRATEGIC, APPLY):
        raise statuses.unsupported_media_type(statuses.PATCH_TYPES)
    if media_type == STRATEGIC and call.target.resource.custom:
        raise statuses.unsupported_media_type(statuses.CUSTOM_PATCH_TYPES)
    options, view = write_options(call), view_of(cluster, call)
    with cluster.store.locked():
        old = cluster.store.find(call.target.resource, call.target.namespace, call.target.name)
        if old is None and (media_type != APPLY or call.target.subresource):
            raise statuses.not_found(call.target.resource, call.target.name)
        if media_type == APPLY:
            item, warnings = _wanted(call, options)
            result, code = _apply(cluster, call, old, item, options)
            return shown(call, result, view, code=code, warnings=warnings)
        assert old is not None  # noqa: S101 - tells the type checker what the line above made sure of
        item, warnings = _patched(call, _view(old, call), media_type, options)
        check_name(call, item)
        item = scaled(old, item) if call.target.subresource == "scale" else item
        changed = change_object(cluster, call, old, item, dry_run=options.dry_run)
    return shown(call, changed, view, warnings=warnings)


def _view(old: KubernetesObject, call: Call) -> KubernetesObject:
    return scale_of(old) if call.target.subresource == "scale" else old


def _type(call: Call) -> str:
    return TYPE if call.target.subresource == "scale" else call.target.resource.type


def _patched(
    call: Call, document: KubernetesObject, media_type: str, options: WriteOptions
) -> tuple[KubernetesObject, list[str]]:
    """The document after the patch, and warnings about fields that do not exist."""
    duplicates: list[str] = []
    try:
        if media_type == JSON_PATCH:
            result = json_patch(document, _operations(call.body))
        else:
            changes, duplicates = decode_mapping(call.body, "patch")
            merge = merge_patch if media_type == MERGE else _strategic(call)
            result = merge(document, changes)
    except PatchError as error:
        raise statuses.rejected() from error
    if not isinstance(result, dict) or (result.get("kind"), result.get("apiVersion")) != _kind(document):
        raise statuses.bad_request("the patch changes the kind or the apiVersion of the object")
    try:
        item, unknown = conform(result, _type(call))
    except MistypedError as error:
        raise _invalid_patch(call, str(error)) from error
    strict = [*(f'duplicate field "{path}"' for path in duplicates), *(f'unknown field "{path}"' for path in unknown)]
    if strict and options.validation == "Strict":
        raise _invalid_patch(call, f"strict decoding error: {', '.join(strict)}")
    return item, strict if options.validation == "Warn" else []


def _strategic(call: Call) -> Any:
    kind = _type(call)
    return lambda document, changes: strategic_merge(document, changes, kind)


def _operations(body: bytes) -> list[dict[str, Any]]:
    try:
        operations = parse_operations(body)
    except (ValueError, RecursionError) as error:
        raise statuses.bad_request("error decoding patch: json: cannot unmarshal into Go value") from error
    if len(operations) > MAX_OPERATIONS:
        why = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise statuses.ApiError(413, "RequestEntityTooLarge", why)
    return operations


def _kind(document: KubernetesObject) -> tuple[Any, Any]:
    return document["kind"], document["apiVersion"]


def _invalid_patch(call: Call, why: str) -> statuses.ApiError:
    value = call.body.decode("utf-8", "replace")
    cause = Cause(field="patch", message=f'Invalid value: "{value}": {why}')
    return statuses.invalid("", "", "", [cause])


def _apply(
    cluster: Cluster, call: Call, old: KubernetesObject | None, wanted: KubernetesObject, options: WriteOptions
) -> tuple[KubernetesObject, int]:
    """The object after an apply, and the status of the answer."""
    resource = call.target.resource
    manager = Manager(name=call.query.first("fieldManager"), moment=cluster.store.clock())
    if old is not None and call.target.subresource == "scale":
        wanted = _scale_as_object(wanted, old)
    if old is None and meta(wanted).get("uid"):
        why = f"uid mismatch: the provided object specified uid {meta(wanted)['uid']}, and no existing object was found"
        raise statuses.conflict(resource, call.target.name, why)
    base = old or {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": {}}
    result = apply(base, wanted, resource.type, manager, force=options.force)
    named = {name: meta(wanted)[name] for name in IDENTITY if name in meta(wanted)}
    meta(result).update(named)
    if old is None:
        return create_object(cluster, call, result, dry_run=options.dry_run), 201
    return change_object(cluster, call, old, result, dry_run=options.dry_run), 200


def _wanted(call: Call, options: WriteOptions) -> tuple[KubernetesObject, list[str]]:
    """The declaration in the body of an apply."""
    raw, duplicates = decode_mapping(call.body, "YAML")
    scale, resource = call.target.subresource == "scale", call.target.resource
    expected = ("Scale", API_VERSION) if scale else (resource.kind, resource.api_version)
    if (raw.get("kind"), raw.get("apiVersion")) != expected:
        raise statuses.bad_request(f"invalid object type: {raw.get('apiVersion', '')}, Kind={raw.get('kind', '')}")
    try:
        item, unknown = conform(raw, _type(call))
    except MistypedError as error:
        raise statuses.bad_request(f"error decoding YAML: {error}") from error
    strict = [*(f'duplicate field "{path}"' for path in duplicates), *(f'unknown field "{path}"' for path in unknown)]
    if strict and options.validation == "Strict":
        raise statuses.bad_request(f"error strict decoding YAML: {', '.join(strict)}")
    if meta(item).pop("managedFields", None):
        raise statuses.bad_request("metadata.managedFields must be nil")
    if not name_of(item):
        meta(item)["name"] = call.target.name
    check_name(call, item)
    return item, strict if options.validation == "Warn" else []


def _scale_as_object(scale: KubernetesObject, old: KubernetesObject) -> KubernetesObject:
    """An applied Scale as a declaration of the workload's replicas."""
    wanted = {"kind": old["kind"], "apiVersion": old["apiVersion"], "metadata": deepcopy(meta(scale))}
    return wanted | ({"spec": {"replicas": lookup(scale, "spec.replicas") or 0}} if "spec" in scale else {})
