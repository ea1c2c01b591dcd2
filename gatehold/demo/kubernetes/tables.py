"""Tables: which columns kubectl prints for a kind, and the row of an object."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gatehold.demo.kubernetes import cells
from gatehold.demo.kubernetes.objects import KubernetesObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a Table."""

    name: str
    type: str = "string"
    format: str = ""
    description: str = ""
    priority: int = 0
    """1 for columns of the wide output."""

    def definition(self) -> dict[str, Any]:
        """The TableColumnDefinition."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": self.description,
            "priority": self.priority,
        }


type Cells = Callable[[KubernetesObject, datetime], list[Any]]


def columns_of(kind: str) -> list[dict[str, Any]]:
    """The column definitions for objects of a kind."""
    return [column.definition() for column in PRINTERS.get(kind, FALLBACK)[0]]


def cells_of(item: KubernetesObject, moment: datetime) -> list[Any]:
    """The cells of an object's row."""
    return PRINTERS.get(item["kind"], FALLBACK)[1](item, moment)


DESCRIPTIONS = {"Name": "Name must be unique within a namespace.", "Age": "Time since the object was created."}


def _columns(*names: str, integers: str = "", wide: str = "") -> tuple[Column, ...]:
    """Columns by name; those named in `integers` hold numbers, those in `wide` show in the wide output only."""
    numbers, late = integers.split("|"), wide.split("|")
    return tuple(
        Column(
            name=name,
            type="integer" if name in numbers else "string",
            format="name" if name == "Name" else "",
            description=DESCRIPTIONS.get(name, f"{name} of the object."),
            priority=1 if name in late else 0,
        )
        for name in names
    )


FALLBACK: tuple[tuple[Column, ...], Cells] = (_columns("Name", "Age"), cells.default)
WORKLOAD = "Containers|Images|Selector"
PRINTERS: dict[str, tuple[tuple[Column, ...], Cells]] = {
    "ConfigMap": (_columns("Name", "Data", "Age", integers="Data"), cells.config_map),
    "Deployment": (
        _columns(
            *("Name", "Ready", "Up-to-date", "Available", "Age", "Containers", "Images", "Selector"), wide=WORKLOAD
        ),
        cells.deployment,
    ),
    "Event": (
        _columns(
            *("Last Seen", "Type", "Reason", "Object", "Subobject", "Source", "Message", "First Seen", "Count", "Name"),
            integers="Count",
            wide="Subobject|Source|First Seen|Count|Name",
        ),
        cells.event,
    ),
    "HorizontalPodAutoscaler": (
        _columns(
            *("Name", "Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"),
            integers="Replicas",
        ),
        cells.autoscaler,
    ),
    "Job": (
        _columns("Name", "Status", "Completions", "Duration", "Age", "Containers", "Images", wide=WORKLOAD),
        cells.job,
    ),
    "Namespace": (_columns("Name", "Status", "Age"), cells.namespace),
    "Node": (
        _columns(
            *("Name", "Status", "Roles", "Age", "Version", "Internal-IP", "External-IP", "OS-Image"),
            *("Kernel-Version", "Container-Runtime"),
            wide="Internal-IP|External-IP|OS-Image|Kernel-Version|Container-Runtime",
        ),
        cells.node,
    ),
    "Pod": (
        _columns(
            *("Name", "Ready", "Status", "Restarts", "Age", "IP", "Node", "Nominated Node", "Readiness Gates"),
            wide="IP|Node|Nominated Node|Readiness Gates",
        ),
        cells.pod,
    ),
    "ReplicaSet": (
        _columns(
            *("Name", "Desired", "Current", "Ready", "Age", "Containers", "Images", "Selector"),
            integers="Desired|Current|Ready",
            wide=WORKLOAD,
        ),
        cells.replica_set,
    ),
    "Secret": (_columns("Name", "Type", "Data", "Age", integers="Data"), cells.secret),
    "Service": (
        _columns("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "Selector", wide="Selector"),
        cells.service,
    ),
    "ServiceAccount": (_columns("Name", "Secrets", "Age", integers="Secrets"), cells.service_account),
    "StatefulSet": (_columns("Name", "Ready", "Age", "Containers", "Images", wide=WORKLOAD), cells.stateful_set),
}
