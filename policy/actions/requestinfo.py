"""What the Kubernetes API server takes a request for, from its URL and method.

Source: k8s.io/apiserver/pkg/endpoints/request/requestinfo.go, Kubernetes 1.36. Any difference from it would be a way
around the rules. The path comes in canonical, so the forms on which readers differ (empty, dot and escaped segments)
never arrive here.
"""

import re
from dataclasses import dataclass
from typing import Final

from policy.actions.jsontext import INT64
from policy.actions.paths import malformed
from policy.actions.queries import Query
from policy.actions.selectors import exact_name, parse_fields, parse_labels
from policy.model import UNKNOWN, Maybe

VERBS: Final = {
    "POST": "create",
    "GET": "get",
    "HEAD": "get",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
"""What a method is by itself; ``list``, ``watch``, ``deletecollection`` and ``proxy`` come of the path and query."""
_SPECIAL_VERBS = frozenset({"proxy", "watch"})
_NAMESPACE_SUBRESOURCES = frozenset({"status", "finalize"})
_SELECTING_VERBS = frozenset({"list", "watch", "deletecollection"})
_INTEGER = re.compile(r"[-+]?[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestInfo:
    """One request as the API server understands it. Fields are empty where they do not apply."""

    resource_request: bool
    """False for ``/version``, ``/api/v1`` and the like, where only ``verb`` and ``path`` count."""
    path: str
    """Decoded."""
    verb: str
    """The verb of the API, or the method in lower case for a non-resource request."""
    group: str = ""
    version: str = ""
    namespace: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    """Of the URL, or of a field selector on list and watch."""
    parts: tuple[str, ...] = ()
    """Resource, name, subresource and whatever follows."""
    field_selector: Maybe[str] = ""
    label_selector: Maybe[str] = ""
    """Both as sent, and only where the server looks at them; unknown where they do not parse."""


def request_info(method: str, path: str, parts: tuple[str, ...], parameters: Query) -> RequestInfo:
    """What the server takes this request for; raises ``Refusal`` (malformed) where it takes it for nothing.

    ``parts`` are the decoded segments of the path.
    """
    grouped = parts[:1] == ("apis",)
    if parts[:1] not in {("api",), ("apis",)} or len(parts) < 3 + grouped:
        return RequestInfo(resource_request=False, path=path, verb=method.lower())
    group = parts[1] if grouped else ""
    version, *rest = parts[1 + grouped :]
    verb = VERBS.get(method, "")
    by_prefix = rest[0] in _SPECIAL_VERBS
    if by_prefix:
        verb = rest.pop(0)
        if not rest:
            malformed(f"nothing follows {verb} in the path")
    namespace, rest = _namespace(rest)
    name = rest[1] if len(rest) > 1 else ""
    if not name and verb == "get":
        verb, name = _list_or_watch(parameters)
    elif not name and verb == "delete":
        verb = "deletecollection"
    selects = verb in _SELECTING_VERBS and not by_prefix
    return RequestInfo(
        resource_request=True,
        path=path,
        verb=verb,
        group=group,
        version=version,
        namespace=namespace,
        resource=rest[0],
        subresource=rest[2] if len(rest) > 2 and verb != "proxy" else "",
        name=name,
        parts=tuple(rest),
        field_selector=_field_selector(parameters) if selects else "",
        label_selector=_label_selector(parameters) if selects else "",
    )


def truth(parameters: Query, name: str) -> bool:
    """A boolean parameter: its first value, of which all but ``false`` and ``0`` mean true, and the empty one too."""
    return name in parameters and first(parameters, name).lower() not in {"false", "0"}


def first(parameters: Query, name: str) -> str:
    """The first value of a parameter, empty where it is absent."""
    values = parameters.get(name)
    return values[0] if values else ""


def _namespace(rest: list[str]) -> tuple[str, list[str]]:
    """The namespace, and the parts from the resource on."""
    if rest[0] != "namespaces" or len(rest) < 2:
        return "", rest
    if len(rest) > 2 and rest[2] not in _NAMESPACE_SUBRESOURCES:
        return rest[1], rest[2:]
    return rest[1], rest


def _list_or_watch(parameters: Query) -> tuple[str, str]:
    """Verb and name of a get without a name in its path. One option that does not parse spoils the name, not watch."""
    verb = "watch" if truth(parameters, "watch") else "list"
    if "fieldSelector" not in parameters or not _options_parse(parameters):
        return verb, ""
    terms = parse_fields(first(parameters, "fieldSelector"))
    return verb, "" if terms is UNKNOWN else exact_name(terms)


def _options_parse(parameters: Query) -> bool:
    numbers = (first(parameters, name) for name in ("limit", "timeoutSeconds") if name in parameters)
    return (
        all(_INTEGER.fullmatch(number) and len(number) <= 20 and int(number) in INT64 for number in numbers)
        and _label_selector(parameters) is not UNKNOWN
    )


def _field_selector(parameters: Query) -> Maybe[str]:
    selector = first(parameters, "fieldSelector")
    return UNKNOWN if selector and parse_fields(selector) is UNKNOWN else selector


def _label_selector(parameters: Query) -> Maybe[str]:
    selector = first(parameters, "labelSelector")
    return UNKNOWN if selector and parse_labels(selector) is UNKNOWN else selector
