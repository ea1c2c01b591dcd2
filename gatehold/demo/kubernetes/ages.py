"""How old things are, in kubectl's words."""

from datetime import datetime
from typing import Any

from gatehold.demo.kubernetes.objects import KubernetesObject, lookup, parse_timestamp

UNKNOWN = "<unknown>"


def age(item: KubernetesObject, moment: datetime) -> str:
    """How old an object is, as kubectl shows it."""
    return since(lookup(item, "metadata.creationTimestamp"), moment)


def since(text: Any, moment: datetime) -> str:
    """The time since a timestamp (k8s.io/apimachinery/pkg/util/duration.HumanDuration)."""
    if not text:
        return UNKNOWN
    seconds = int((moment - parse_timestamp(str(text))).total_seconds())
    if seconds < -1:
        return "<invalid>"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if seconds < 120:
        return f"{max(seconds, 0)}s"
    if minutes < 10:
        return _parts(minutes, "m", seconds % 60, "s")
    if hours < 3:
        return f"{minutes}m"
    if hours < 8:
        return _parts(hours, "h", minutes % 60, "m")
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return _parts(days, "d", hours % 24, "h")
    return f"{days}d" if days < 730 else _parts(days // 365, "y", days % 365, "d")


def _parts(big: int, big_unit: str, small: int, small_unit: str) -> str:
    return f"{big}{big_unit}{small}{small_unit}" if small else f"{big}{big_unit}"
