"""JSON values as values of the API's types: what decoding into Go structs does to them.

Unknown names are dropped and reported (names are case-sensitive, so a name in the wrong case is unknown). Null is
absence. A value of the wrong JSON type is an error. What comes out has the order of the struct, maps sorted, zero
values of fields that cannot tell zero from absent left out: the form in which the server stores and writes objects.
"""

import base64
import binascii
from typing import Any

from gatehold.demo.kubernetes.schemas import Field, StructType, struct_type

ALWAYS_WRITTEN = frozenset(
    {
        ("apps.v1.ReplicaSetStatus", "replicas"),
        ("apps.v1.StatefulSetStatus", "replicas"),
        ("authorization.v1.SubjectAccessReviewStatus", "allowed"),
        ("autoscaling.v1.ScaleStatus", "replicas"),
        ("autoscaling.v2.HorizontalPodAutoscalerSpec", "maxReplicas"),
        ("autoscaling.v2.HorizontalPodAutoscalerStatus", "desiredReplicas"),
        ("core.v1.Container", "name"),
        ("core.v1.ContainerStatus", "image"),
        ("core.v1.ContainerStatus", "imageID"),
        ("core.v1.ContainerStatus", "name"),
        ("core.v1.ContainerStatus", "ready"),
        ("core.v1.ContainerStatus", "restartCount"),
        ("core.v1.ContainerStateTerminated", "exitCode"),
        ("core.v1.EnvVar", "name"),
        ("core.v1.ReplicationControllerStatus", "replicas"),
    }
)
"""Fields without `omitempty`: written even when zero."""

PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "bytes": (str,),
    "time": (str,),
    "microtime": (str,),
    "bool": (bool,),
    "int32": (int,),
    "int64": (int,),
    "quantity": (str, int, float),
    "intstr": (str, int),
    "fields": (dict,),
}
GO_TYPES = {"bytes": "[]uint8", "time": "v1.Time", "microtime": "v1.MicroTime", "quantity": "resource.Quantity"}
RANGES = {"int32": 1 << 31, "int64": 1 << 63, "intstr": 1 << 31}


class MistypedError(ValueError):
    """A value of the wrong JSON type; the text is Go's."""


def conform(value: dict[str, Any], type_name: str) -> tuple[dict[str, Any], list[str]]:
    """The value as that type, and the dotted paths of fields it does not have; raises MistypedError."""
    unknown: list[str] = []
    head = {key: value[key] for key in ("kind", "apiVersion") if value.get(key)}
    rest = {key: item for key, item in value.items() if key not in ("kind", "apiVersion")}
    return head | _struct(rest, struct_type(type_name), "", unknown), unknown


def _struct(value: Any, struct: StructType, path: str, unknown: list[str]) -> dict[str, Any]:
    _expect(isinstance(value, dict), value, struct.name.rsplit(".", 1)[-1], path)
    found: dict[str, Any] = {}
    for name, item in value.items():
        field = struct.by_name.get(name)
        at = f"{path}.{name}" if path else name
        if field is None:
            unknown.append(at)
        elif item is not None:
            found[name] = _field(item, field, at, unknown)
    present = {name: item for name, item in found.items() if not _omitted(struct, name, item)}
    return {name: present[name] for name in sorted(present, key=struct.order.__getitem__)}


def _omitted(struct: StructType, name: str, item: Any) -> bool:
    """Whether Go would leave the field out: empty lists, maps, and zero scalars without a pointer."""
    field = struct.by_name[name]
    if field.shape != "one":
        return not item
    zero = not field.is_struct and not field.pointer and field.kind != "any" and item in ("", 0, False)
    return zero and field.kind not in ("quantity", "intstr") and (struct.name, name) not in ALWAYS_WRITTEN


def _field(value: Any, field: Field, path: str, unknown: list[str]) -> Any:
    if field.shape == "list":
        _expect(isinstance(value, list), value, f"[]{_go_type(field)}", path)
        return [_one(item, field, f"{path}[{at}]", unknown) for at, item in enumerate(value)]
    if field.shape == "map":
        _expect(isinstance(value, dict), value, f"map[string]{_go_type(field)}", path)
        return {key: _one(value[key], field, f"{path}.{key}", unknown) for key in sorted(value)}
    return _one(value, field, path, unknown)


def _one(value: Any, field: Field, path: str, unknown: list[str]) -> Any:
    if field.is_struct:
        return _struct({} if value is None else value, struct_type(field.kind), path, unknown)
    if field.kind == "any":
        return value
    if value is None:
        return "" if str in PYTHON_TYPES[field.kind] else 0
    allowed = PYTHON_TYPES[field.kind]
    right = isinstance(value, allowed) and (bool in allowed or not isinstance(value, bool))
    _expect(right, value, _go_type(field), path)
    if isinstance(value, int) and field.kind in RANGES:
        limit = RANGES[field.kind]
        _expect(-limit <= value < limit, value, _go_type(field), path)
    return _base64(value) if field.kind == "bytes" else str(value) if field.kind == "quantity" else value


def _base64(value: str) -> str:
    try:
        return base64.b64encode(base64.b64decode(value.replace("\n", ""), validate=True)).decode()
    except binascii.Error as error:
        raise MistypedError("illegal base64 data at input byte 0") from error


def _go_type(field: Field) -> str:
    return GO_TYPES.get(field.kind, field.kind.rsplit(".", 1)[-1] if field.is_struct else field.kind)


def _expect(right: bool, value: Any, wanted: str, path: str) -> None:
    if not right:
        raise MistypedError(f"json: cannot unmarshal {_json_type(value)} into Go struct field {path} of type {wanted}")


def _json_type(value: Any) -> str:
    match value:
        case bool():
            return "bool"
        case int() | float():
            return f"number {value}" if isinstance(value, float) else "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"
