"""What objects must be: the checks of kube-apiserver that a client can run into, in its words."""

import json
import re
from typing import Any

from gatehold.demo.kubernetes import statuses
from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, name_of
from gatehold.demo.kubernetes.resources import Resource
from gatehold.demo.kubernetes.selectors import match_labels
from gatehold.demo.kubernetes.statuses import Cause

SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
LABEL_VALUE = re.compile(r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?")
SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
    "and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
    "with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character"
)
LABEL_NAMED = frozenset({"Namespace", "Service"})
SELECTING = frozenset({"Deployment", "ReplicaSet", "StatefulSet"})
FREE = frozenset({"APIService", "CustomResourceDefinition"})
"""Kinds whose specs are taken as they are."""
POD_RULE = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def validate(item: KubernetesObject, resource: Resource, old: KubernetesObject | None = None) -> None:
    """Raise ApiError (422) with every cause if the object cannot be, or cannot become so from `old`."""
    causes = [*_metadata(item), *_spec(item)]
    if old is not None:
        causes += _transition(item, old)
    if causes:
        raise statuses.invalid(resource.kind, resource.group, name_of(item), causes)


def _metadata(item: KubernetesObject) -> list[Cause]:
    name = name_of(item)
    if not name:
        why = "Required value: name or generateName is required"
        return [Cause(field="metadata.name", message=why, reason="FieldValueRequired")]
    pattern, rule = (LABEL, LABEL_RULE) if item["kind"] in LABEL_NAMED else (SUBDOMAIN, SUBDOMAIN_RULE)
    checked = name.removesuffix(".") if item["kind"] == "APIService" else name  # `v1.` is the core group's
    wrong = not pattern.fullmatch(checked) or len(name) > 253
    values = (item["metadata"].get("labels") or {}).values()
    return [
        *([_invalid("metadata.name", name, rule)] if wrong else []),
        *(_invalid("metadata.labels", value, VALUE_RULE) for value in values if not _is_label_value(value)),
    ]


def _is_label_value(value: str) -> bool:
    return len(value) <= 63 and LABEL_VALUE.fullmatch(value) is not None


def _spec(item: KubernetesObject) -> list[Cause]:
    kind, spec = item["kind"], item.get("spec") or {}
    causes: list[Cause] = []
    if kind in FREE:
        return causes
    if "replicas" in spec and spec["replicas"] < 0:
        causes.append(_invalid("spec.replicas", spec["replicas"], "must be greater than or equal to 0"))
    if kind in SELECTING:
        causes += _selection(spec)
    if kind in SELECTING or kind in ("Job", "ReplicationController"):
        causes += _pod_spec(lookup(spec, "template.spec") or {}, "spec.template.spec")
    if kind == "Pod":
        causes += _pod_spec(spec, "spec")
    if kind == "Service":
        causes += _service(spec)
    if kind == "HorizontalPodAutoscaler" and spec.get("maxReplicas", 0) < 1:
        causes.append(_invalid("spec.maxReplicas", spec.get("maxReplicas", 0), "must be greater than 0"))
    return causes


def _selection(spec: dict[str, Any]) -> list[Cause]:
    if not spec.get("selector"):
        return [_required("spec.selector")]
    labels = lookup(spec, "template.metadata.labels") or {}
    if match_labels(spec["selector"])(labels):
        return []
    return [_invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")]


def _pod_spec(spec: dict[str, Any], path: str) -> list[Cause]:
    containers = spec.get("containers")
    if not containers:
        return [_required(f"{path}.containers")]
    causes, seen = [], set()
    for at, container in enumerate(containers):
        where, name = f"{path}.containers[{at}]", container.get("name", "")
        if not name:
            causes.append(_required(f"{where}.name"))
        elif name in seen:
            causes.append(
                Cause(field=f"{where}.name", message=f'Duplicate value: "{name}"', reason="FieldValueDuplicate")
            )
        elif not LABEL.fullmatch(name):
            causes.append(_invalid(f"{where}.name", name, LABEL_RULE))
        if not container.get("image"):
            causes.append(_required(f"{where}.image"))
        seen.add(name)
    return causes


def _service(spec: dict[str, Any]) -> list[Cause]:
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        return [_required("spec.ports")]
    return [
        _invalid(f"spec.ports[{at}].port", port.get("port", 0), "must be between 1 and 65535, inclusive")
        for at, port in enumerate(spec.get("ports") or [])
        if not 1 <= port.get("port", 0) <= 65535
    ]


def _transition(item: KubernetesObject, old: KubernetesObject) -> list[Cause]:
    kind = item["kind"]
    if kind in SELECTING or kind == "Job":
        return _immutable(item, old, "spec.selector")
    if kind == "Secret":
        return _immutable(item, old, "type") + _frozen(item, old)
    if kind == "ConfigMap":
        return _frozen(item, old)
    if kind == "Pod" and _pod_core(item) != _pod_core(old):
        return [Cause(field="spec", message=f"Forbidden: {POD_RULE}", reason="FieldValueForbidden")]
    return []


def _frozen(item: KubernetesObject, old: KubernetesObject) -> list[Cause]:
    """Secrets and config maps marked immutable."""
    if old.get("immutable") and item.get("data") != old.get("data"):
        why = "Forbidden: field is immutable when `immutable` is set"
        return [Cause(field="data", message=why, reason="FieldValueForbidden")]
    return []


def _immutable(item: KubernetesObject, old: KubernetesObject, path: str) -> list[Cause]:
    value = lookup(item, path)
    return [] if value == lookup(old, path) else [_invalid(path, value, "field is immutable")]


def _pod_core(item: KubernetesObject) -> dict[str, Any]:
    """A pod's spec without what may change."""
    spec = dict(item.get("spec") or {})
    for name in ("activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds", "nodeName"):
        spec.pop(name, None)
    spec.pop("ephemeralContainers", None)
    for containers in ("containers", "initContainers"):
        spec[containers] = [{**container, "image": ""} for container in spec.get(containers) or []]
    return spec


def _required(path: str) -> Cause:
    return Cause(field=path, message="Required value", reason="FieldValueRequired")


def _invalid(path: str, value: Any, rule: str) -> Cause:
    shown = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return Cause(field=path, message=f"Invalid value: {shown}: {rule}")
