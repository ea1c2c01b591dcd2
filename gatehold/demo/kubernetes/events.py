"""Events: what controllers say about objects."""

from gatehold.demo.kubernetes.objects import KubernetesObject, name_of, namespace_of, timestamp, uid_of, version_of
from gatehold.demo.kubernetes.resources import EVENTS
from gatehold.demo.kubernetes.storage import Store


def record_event(store: Store, about: KubernetesObject, reason: str, message: str, *, component: str) -> None:
    """Add an event about an object, in its namespace."""
    moment = timestamp(store.clock())
    item = {
        "kind": "Event",
        "apiVersion": "v1",
        "metadata": {
            "name": f"{name_of(about)}.{store.revision:x}{store.name_suffix()}",
            "namespace": namespace_of(about) or "default",
        },
        "involvedObject": {
            "kind": about["kind"],
            "namespace": namespace_of(about),
            "name": name_of(about),
            "uid": uid_of(about),
            "apiVersion": about["apiVersion"],
            "resourceVersion": version_of(about),
        },
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "firstTimestamp": moment,
        "lastTimestamp": moment,
        "count": 1,
        "type": "Normal",
        "reportingComponent": component,
    }
    store.create(EVENTS, item)
