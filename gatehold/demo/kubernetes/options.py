"""Options of a request: dry run, field validation, deletion; checked as the server checks them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.decoding import decode_object
from gatehold.demo.kubernetes.requests import Call, Query
from gatehold.demo.kubernetes.statuses import Cause

META = "meta.k8s.io"
VALIDATIONS = ("Ignore", "Warn", "Strict")
PROPAGATIONS = ("Background", "Foreground", "Orphan")
OPTIONS_KINDS = {"POST": "CreateOptions", "PUT": "UpdateOptions", "PATCH": "PatchOptions"}
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOptions:
    """Of create, update and patch: always from the query."""

    dry_run: bool
    validation: str
    """`Ignore`, `Warn` or `Strict`."""
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteOptions:
    """Of delete: from the body if there is one, even an empty object, else from the query."""

    dry_run: bool = False
    grace_period: int | None = None
    """Seconds."""
    propagation: str = "Background"
    uid: str | None = None
    """Precondition."""
    resource_version: str | None = None
    """Precondition."""


def write_options(call: Call) -> WriteOptions:
    """The options of a write; raises ApiError (400, 422)."""
    kind = OPTIONS_KINDS[call.method]
    causes = []
    validation = call.query.first("fieldValidation") or "Warn"
    if validation not in VALIDATIONS:
        causes.append(_unsupported("fieldValidation", validation, VALIDATIONS))
    applied = is_apply(call)
    if applied and not call.query.first("fieldManager"):
        why = "Required value: is required for apply patch"
        causes.append(Cause(field="fieldManager", message=why, reason="FieldValueRequired"))
    if call.method == "PATCH" and not applied and "force" in call.query:
        why = "Forbidden: may not be specified for non-apply patch"
        causes.append(Cause(field="force", message=why, reason="FieldValueForbidden"))
    dry_run = _dry_run(call.query.all("dryRun"), kind, causes)
    dry_run = dry_run and not call.target.resource.aggregated
    return WriteOptions(dry_run=dry_run, validation=validation, force=call.query.flag("force"))


def is_apply(call: Call) -> bool:
    """Whether a call is a server-side apply."""
    return call.method == "PATCH" and call.patch_type == APPLY


def delete_options(call: Call) -> DeleteOptions:
    """The options of a deletion; raises ApiError (400, 415, 422)."""
    given = _delete_body(call) if call.body else _delete_query(call.query)
    causes: list[Cause] = []
    propagation = given.get("propagationPolicy") or ("Orphan" if given.get("orphanDependents") else "Background")
    if propagation not in PROPAGATIONS:
        causes.append(_unsupported("propagationPolicy", propagation, PROPAGATIONS))
    preconditions = given.get("preconditions") or {}
    dry_run = _dry_run(given.get("dryRun") or [], "DeleteOptions", causes)
    return DeleteOptions(
        dry_run=dry_run and not call.target.resource.aggregated,
        grace_period=given.get("gracePeriodSeconds"),
        propagation=propagation,
        uid=preconditions.get("uid"),
        resource_version=preconditions.get("resourceVersion"),
    )


def _delete_body(call: Call) -> dict[str, Any]:
    api_versions = {"v1", "meta.k8s.io/v1", call.target.resource.api_version}
    for api_version in sorted(api_versions, key=lambda version: version != "v1"):
        try:
            decoded = decode_object(
                call.body,
                call.content_type,
                api_version=api_version,
                kind="DeleteOptions",
                type_name="meta.v1.DeleteOptions",
            )
        except statuses.ApiError as error:
            if "unrecognized" not in error.message:
                raise
            failure = error
        else:
            return decoded.item
    raise failure


def _delete_query(query: Query) -> dict[str, Any]:
    return {
        "dryRun": query.all("dryRun"),
        "gracePeriodSeconds": query.number("gracePeriodSeconds"),
        "propagationPolicy": query.first("propagationPolicy"),
        "orphanDependents": query.flag("orphanDependents"),
    }


def _dry_run(values: list[str], kind: str, causes: list[Cause]) -> bool:
    wrong = [value for value in values if value != "All"]
    if wrong and len(values) > 1:
        raise statuses.bad_request(f'Invalid value: {values}: dryRun: supported values: "All"')
    causes += [_unsupported("dryRun", value, ("All",)) for value in wrong]
    if causes:
        raise statuses.invalid(kind, META, "", causes)
    return bool(values)


def _unsupported(field: str, value: str, supported: Iterable[str]) -> Cause:
    listed = ", ".join(f'"{name}"' for name in supported)
    why = f'Unsupported value: "{value}": supported values: {listed}'
    return Cause(field=field, message=why, reason="FieldValueNotSupported")
