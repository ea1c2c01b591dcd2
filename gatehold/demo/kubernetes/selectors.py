"""Label and field selectors (k8s.io/apimachinery/pkg/labels and fields)."""

import re
from collections.abc import Callable
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.objects import KubernetesObject, labels_of, lookup
from gatehold.demo.kubernetes.resources import Resource

type Predicate = Callable[[KubernetesObject], bool]

REQUIREMENT = re.compile(
    r"""\s*(?:
        !\s*(?P<absent>[\w./-]+)
      | (?P<key>[\w./-]+)\s*(?:
            (?P<set>in|notin)\s*\((?P<values>[^()]*)\)
          | (?P<operator>==|!=|=|>|<)\s*(?P<value>[\w.-]*)
        )?
    )\s*(?:,|$)""",
    re.VERBOSE,
)
COMMON_FIELDS = frozenset({"metadata.name", "metadata.namespace"})
FIELDS: dict[str, frozenset[str]] = {
    "events": frozenset(
        {f"involvedObject.{part}" for part in ("kind", "namespace", "name", "uid", "apiVersion", "fieldPath")}
        | {"involvedObject.resourceVersion", "reason", "reportingComponent", "source", "type"}
    ),
    "jobs": frozenset({"status.successful"}),
    "namespaces": frozenset({"status.phase"}),
    "nodes": frozenset({"spec.unschedulable"}),
    "pods": frozenset(
        {f"spec.{part}" for part in ("nodeName", "restartPolicy", "schedulerName", "serviceAccountName", "hostNetwork")}
        | {"status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName"}
    ),
    "replicasets": frozenset({"status.replicas"}),
    "secrets": frozenset({"type"}),
}
"""The fields by which objects of a resource can be selected, besides name and namespace."""


def label_predicate(selector: str) -> Predicate:
    """Whether an object's labels match; raises ApiError (400)."""
    tests = _label_requirements(selector)
    return lambda item: all(test(labels_of(item)) for test in tests)


def match_labels(selector: dict[str, Any] | None) -> Callable[[dict[str, str]], bool]:
    """A `metav1.LabelSelector` as a test of labels. None matches nothing."""
    if selector is None:
        return lambda _: False
    wanted = selector.get("matchLabels") or {}
    expressions = [_expression(row) for row in selector.get("matchExpressions") or []]

    def test(labels: dict[str, str]) -> bool:
        return wanted.items() <= labels.items() and all(expression(labels) for expression in expressions)

    return test


def format_selector(selector: dict[str, Any] | None) -> str:
    """A `metav1.LabelSelector` in the string form, as Table columns and scales show it."""
    if not selector:
        return "<none>"
    texts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for row in selector.get("matchExpressions") or []:
        values = f" ({','.join(sorted(row.get('values') or []))})"
        texts.append(
            {
                "In": f"{row['key']} in{values}",
                "NotIn": f"{row['key']} notin{values}",
                "Exists": row["key"],
                "DoesNotExist": f"!{row['key']}",
            }[row["operator"]]
        )
    return ",".join(texts)


def field_predicate(selector: str, resource: Resource) -> Predicate:
    """Whether an object's fields match; raises ApiError (400)."""
    tests = [_field_requirement(term, resource, selector) for term in selector.split(",") if term]
    return lambda item: all(test(item) for test in tests)


def _field_requirement(term: str, resource: Resource, selector: str) -> Predicate:
    path, operator, value = _split_field(term, selector)
    if path not in COMMON_FIELDS | FIELDS.get(resource.plural, frozenset()):
        gvr = f"{resource.group}/{resource.version}, Resource={resource.plural}"
        raise statuses.bad_request(
            f'Unable to find "{gvr}" that match label selector "", field selector "{selector}": '
            f"field label not supported: {path}"
        )
    equal = operator != "!="
    return lambda item: (_field_value(item, path) == value) is equal


def _split_field(term: str, selector: str) -> tuple[str, str, str]:
    for operator in ("!=", "==", "="):
        path, found, value = term.partition(operator)
        if found:
            return path, operator, value
    raise statuses.bad_request(f'invalid selector: "{selector}"; can\'t understand "{term}"')


def _field_value(item: KubernetesObject, path: str) -> str:
    value = lookup(item, "source.component" if path == "source" else path)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def _label_requirements(selector: str) -> list[Callable[[dict[str, str]], bool]]:
    tests: list[Callable[[dict[str, str]], bool]] = []
    at = 0
    while at < len(selector):
        match = REQUIREMENT.match(selector, at)
        if match is None or match.end() == at:
            raise statuses.bad_request(f'unable to parse requirement: found "{selector[at:]}", expected: identifier')
        tests.append(_label_requirement(match))
        at = match.end()
    return tests


def _label_requirement(match: re.Match[str]) -> Callable[[dict[str, str]], bool]:
    if absent := match["absent"]:
        return lambda labels: absent not in labels
    key, operator = match["key"], match["set"] or match["operator"]
    if operator is None:
        return lambda labels: key in labels
    if operator in (">", "<"):
        return _comparison(key, operator, match["value"])
    values = {value.strip() for value in match["values"].split(",")} if match["set"] else {match["value"]}
    if operator in ("!=", "notin"):
        return lambda labels: labels.get(key) not in values
    return lambda labels: labels.get(key) in values


def _comparison(key: str, operator: str, value: str) -> Callable[[dict[str, str]], bool]:
    try:
        bound = int(value)
    except ValueError as error:
        raise statuses.bad_request(
            f'unable to parse requirement: values[0][{key}]: Invalid value: "{value}"'
        ) from error

    def test(labels: dict[str, str]) -> bool:
        try:
            found = int(labels.get(key, ""))
        except ValueError:
            return False
        return found > bound if operator == ">" else found < bound

    return test


def _expression(row: dict[str, Any]) -> Callable[[dict[str, str]], bool]:
    key, values = row["key"], row.get("values") or []
    match row["operator"]:
        case "In":
            return lambda labels: labels.get(key) in values
        case "NotIn":
            return lambda labels: labels.get(key) not in values
        case "Exists":
            return lambda labels: key in labels
    return lambda labels: key not in labels
