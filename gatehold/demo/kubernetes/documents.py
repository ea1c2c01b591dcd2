"""Paths that name no resource: discovery, OpenAPI, version."""

import hashlib
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from gatehold.demo.kubernetes import discovery, openapi, statuses
from gatehold.demo.kubernetes.answers import Answer, encode, write

SWAGGER_PROTOBUF = "application/com.github.proto-openapi.spec.v2"


def respond(request: Request) -> Response:
    """The answer for a non-resource path; raises ApiError."""
    steps = request.scope["path"].strip("/").split("/")
    if request.method not in ("GET", "HEAD"):
        raise statuses.no_such_resource() if len(steps) > 2 else statuses.method_not_allowed()
    match steps:
        case ["version"]:
            return write(Answer(body=discovery.VERSION), compressible=False)
        case ["api" | "apis" as root]:
            return _root(request, core=root == "api")
        case ["api", version]:
            return _known(request, lambda: discovery.resource_list("", version))
        case ["apis", group]:
            return _known(request, lambda: discovery.group(group))
        case ["apis", group, version]:
            return _known(request, lambda: discovery.resource_list(group, version))
        case ["openapi", "v2"]:
            return _openapi_v2(request)
        case ["openapi", "v3"]:
            return _cached(request, openapi.index(), "application/json")
        case ["openapi", "v3", "api", version]:
            return _known(request, lambda: openapi.document("", version))
        case ["openapi", "v3", "apis", group, version]:
            return _known(request, lambda: openapi.document(group, version))
        case ["api" | "apis", *_]:
            raise statuses.no_such_resource()
    return PlainTextResponse("404 page not found\n", 404)


def _openapi_v2(request: Request) -> Response:
    """A Swagger document that describes nothing, in the form asked for.

    Old kubectl (before 1.29) wants one in protobuf before it applies anything, and uses the types it was built with
    for what the document lacks.
    """
    if SWAGGER_PROTOBUF in request.headers.get("accept", ""):
        return Response(b"\x0a\x032.0", 200, {"Content-Type": "application/octet-stream"})
    info = {"title": "Kubernetes", "version": "unversioned"}
    return _cached(request, {"swagger": "2.0", "info": info, "paths": {}, "definitions": {}}, "application/json")


def _root(request: Request, *, core: bool) -> Response:
    version = discovery.aggregated_version(request.headers.get("accept", ""))
    if version is None:
        return _cached(request, discovery.core_versions() if core else discovery.groups(), "application/json")
    media_type = f"application/json;g={discovery.DISCOVERY_GROUP};v={version};as=APIGroupDiscoveryList"
    return _cached(request, discovery.aggregated(core, version), media_type)


def _known(request: Request, make: Any) -> Response:
    try:
        document = make()
    except KeyError as error:
        raise statuses.no_such_resource() from error
    return _cached(request, document, "application/json")


def _cached(request: Request, document: dict[str, Any], media_type: str) -> Response:
    """The document with its entity tag, or 304 if the client has it."""
    body = encode(document)
    tag = f'"{hashlib.sha512(body).hexdigest().upper()}"'
    headers = {"ETag": tag, "Vary": "Accept", "Cache-Control": "public", "Content-Type": media_type}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(body, 200, headers)
