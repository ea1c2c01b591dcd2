"""Errors as kube-apiserver answers them: `Status` objects (k8s.io/apimachinery/pkg/api/errors)."""

from dataclasses import dataclass
from typing import Any

from gatehold.demo.kubernetes.resources import Resource

JSON = "application/json"
BODY_TYPES = "application/json, application/yaml, application/vnd.kubernetes.protobuf"
CUSTOM_BODY_TYPES = "application/json, application/yaml"
CUSTOM_PATCH_TYPES = "application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml"
PATCH_TYPES = (
    "application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, "
    "application/apply-patch+yaml"
)
MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"


class ApiError(Exception):
    """A request that is answered with a `Status` of failure."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: dict[str, Any] | None = None,
        *,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}
        super().__init__(message)

    def status(self) -> dict[str, Any]:
        """The `Status` object."""
        status: dict[str, Any] = {"kind": "Status", "apiVersion": "v1", "metadata": self.metadata}
        status |= {"status": "Failure"}
        status |= {"message": self.message, "reason": self.reason}
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason why an object is invalid."""

    field: str
    message: str
    reason: str = "FieldValueInvalid"


def success(resource: Resource, name: str, uid: str) -> dict[str, Any]:
    """What a finished deletion answers."""
    details = _details(resource, name) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def not_found(resource: Resource, name: str) -> ApiError:
    message = f'{resource.qualified} "{name}" not found'
    return ApiError(404, "NotFound", message, _details(resource, name))


def no_such_resource() -> ApiError:
    """The path names nothing this server has."""
    return ApiError(404, "NotFound", "the server could not find the requested resource", {})


def already_exists(resource: Resource, name: str) -> ApiError:
    message = f'{resource.qualified} "{name}" already exists'
    return ApiError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str = MODIFIED) -> ApiError:
    message = f'Operation cannot be fulfilled on {resource.qualified} "{name}": {why}'
    return ApiError(409, "Conflict", message, _details(resource, name))


def apply_conflict(message: str, causes: list[dict[str, str]]) -> ApiError:
    """Fields of a server-side apply that belong to somebody else."""
    return ApiError(409, "Conflict", message, {"causes": causes})


def invalid(kind: str, group: str, name: str, causes: list[Cause]) -> ApiError:
    """An object, or the options of a request, that cannot be."""
    texts = [f"{cause.field}: {cause.message}" for cause in causes]
    listed = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    details: dict[str, Any] = {"name": name} if name else {}
    details |= {"group": group} if group else {}
    details |= {"kind": kind} if kind else {}
    details["causes"] = [{"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in causes]
    qualified = f"{kind}.{group}" if group else kind
    return ApiError(422, "Invalid", f'{qualified} "{name}" is invalid: {listed}', details)


def rejected() -> ApiError:
    """A patch that does not fit the object."""
    return ApiError(422, "Invalid", "the server rejected our request due to an error in our request", {})


def bad_request(message: str) -> ApiError:
    return ApiError(400, "BadRequest", message)


def unauthorized() -> ApiError:
    return ApiError(401, "Unauthorized", "Unauthorized")


def forbidden(resource: Resource, name: str, why: str, causes: list[dict[str, str]] | None = None) -> ApiError:
    details = _details(resource, name) | ({"causes": causes} if causes else {})
    return ApiError(403, "Forbidden", f'{resource.qualified} "{name}" is forbidden: {why}', details)


def method_not_allowed() -> ApiError:
    message = "the server does not allow this method on the requested resource"
    return ApiError(405, "MethodNotAllowed", message, {})


def not_acceptable(accepted: str) -> ApiError:
    return ApiError(406, "NotAcceptable", f"only the following media types are accepted: {accepted}")


def expired(message: str, metadata: dict[str, Any] | None = None) -> ApiError:
    """What the server no longer remembers; `metadata` is that of the `Status`."""
    return ApiError(410, "Expired", message, metadata=metadata)


def timeout(message: str) -> ApiError:
    """A revision that has not come yet; it can be tried again."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", f"Timeout: {message}", {"causes": causes, "retryAfterSeconds": 1})


def too_large(limit: int) -> ApiError:
    return ApiError(413, "RequestEntityTooLarge", f"Request entity too large: limit is {limit}")


def unsupported_media_type(accepted: str = BODY_TYPES, why: str = "") -> ApiError:
    message = "the body of the request was in an unknown format - accepted media types include: " + accepted
    return ApiError(415, "UnsupportedMediaType", f"{message}{f' ({why})' if why else ''}")


def _details(resource: Resource, name: str) -> dict[str, Any]:
    details = {"name": name} if name else {}
    return details | ({"group": resource.group} if resource.group else {}) | {"kind": resource.plural}
