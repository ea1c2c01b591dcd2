"""Old and new of an object: the difference for people, and a digest to which their answer is bound.

What the server keeps for itself is left out: status (unless it is what is written), managed fields, versions and times.
So are values that it chooses anew for every try at making an object (uids, generated names, a Service's addresses):
with them, no two tries would make the same. Pure.
"""

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any, Final

import yaml

from gatehold.approvals.model import Change
from gatehold.lookups.requests import KubernetesObject

MOST_LINES: Final = 400
MOST_CHARACTERS: Final = 300
"""Of one line; a longer one goes on in the next, so that nothing hides behind its end."""
MOST_BYTES: Final = 256 * 1024
"""Of an object, as JSON; to compare larger ones takes seconds."""

_NOISE = ("resourceVersion", "generation", "uid", "creationTimestamp", "managedFields", "selfLink")
_CHOSEN_FOR_SERVICES = ("clusterIP", "clusterIPs", "healthCheckNodePort")
_TOKEN_VOLUME = re.compile(r"kube-api-access-[a-z0-9]{5}")
_DUMPER: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

type Mask = Callable[[KubernetesObject], KubernetesObject]
type Side = KubernetesObject | None


def essence(value: KubernetesObject, *, made: bool = False, status: bool = False) -> KubernetesObject:
    """An object without what the server keeps for itself; ``made``: also without what it chose for a new one."""
    kept = deepcopy({key: part for key, part in value.items() if status or key != "status"})
    metadata = kept.get("metadata")
    if not isinstance(metadata, dict):
        return kept
    uid = metadata.get("uid")
    kept["metadata"] = metadata = {key: part for key, part in metadata.items() if key not in _NOISE}
    if not made:
        return kept
    if metadata.get("generateName"):
        metadata.pop("name", None)
    if value.get("kind") == "Service" and isinstance(kept.get("spec"), dict):
        _without_addresses(kept["spec"])
    without_chosen: KubernetesObject = _replaced(kept, uid if isinstance(uid, str) and uid else None)
    return without_chosen


def digest(old: Side, new: Side, *, status: bool = False) -> str:
    """SHA-256, in hexadecimal, of a change from one object (None: none) to another (None: it goes)."""
    metadata = old.get("metadata") if old else None
    uid = metadata.get("uid") if isinstance(metadata, dict) else None
    sides = [None if each is None else essence(each, made=old is None, status=status) for each in (old, new)]
    return hashlib.sha256(json.dumps([uid, *sides], sort_keys=True).encode()).hexdigest()


def change(old: Side, new: Side, mask: Mask, *, status: bool = False) -> Change:
    """The difference as people see it. ``mask`` raises ValueError for what cannot be masked."""
    sides = [{} if each is None else essence(each, status=status) for each in (old, new)]
    if any(len(json.dumps(each)) > MOST_BYTES for each in sides):
        return Change(problem="the object is too large to be compared")
    try:
        masked = [mask(each) if each else {} for each in sides]
    except ValueError:
        return Change(problem="the object could not be masked")
    names = ("nothing" if old is None else "now", "nothing" if new is None else "after the call")
    # What is hidden comes first: the end of a long difference is cut.
    lines = [f"! {path}: a value that is hidden here changes" for path in _hidden("", sides, masked)]
    lines += difflib.unified_diff(_lines(masked[0]), _lines(masked[1]), *names, lineterm="")
    if not lines:
        return Change(diff="nothing changes")
    wrapped = [piece for line in lines for piece in _wrapped(line)]
    shown = wrapped[:MOST_LINES]
    return Change(diff="\n".join(shown), cut=len(wrapped) - len(shown))


def _wrapped(line: str) -> Iterator[str]:
    """A line in pieces, each with the sign that the line begins with."""
    yield line[:MOST_CHARACTERS]
    for at in range(MOST_CHARACTERS, len(line), MOST_CHARACTERS):
        yield f"{line[:1]}[...] {line[at : at + MOST_CHARACTERS]}"


def _lines(value: KubernetesObject) -> list[str]:
    if not value:
        return []
    text = str(yaml.dump(value, Dumper=_DUMPER, default_flow_style=False, allow_unicode=True, width=1_000_000))
    return text.split("\n")[:-1]


def _hidden(path: str, sides: list[Any], masked: list[Any]) -> Iterator[str]:
    """Where two values differ, and their masked forms do not."""
    old, new = sides
    if old == new:
        return
    everything = [old, new, *masked]
    if all(isinstance(each, dict) for each in everything):
        for key in sorted({*old, *new}, key=str):
            yield from _hidden(
                f"{path}.{key}".lstrip("."), [each.get(key) for each in sides], [each.get(key) for each in masked]
            )
    elif (
        all(isinstance(each, list) for each in everything) and len(old) == len(masked[0]) and len(new) == len(masked[1])
    ):
        for index in range(min(len(old), len(new))):
            yield from _hidden(f"{path}[{index}]", [each[index] for each in sides], [each[index] for each in masked])
    elif masked[0] == masked[1]:
        yield path


def _without_addresses(spec: dict[str, Any]) -> None:
    for key in _CHOSEN_FOR_SERVICES:
        spec.pop(key, None)
    ports = spec.get("ports")
    for port in ports if isinstance(ports, list) else ():
        if isinstance(port, dict):
            port.pop("nodePort", None)


def _replaced(value: Any, uid: str | None) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(part, uid) for key, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, uid) for part in value]
    if not isinstance(value, str):
        return value
    return "(chosen by the server)" if value == uid else _TOKEN_VOLUME.sub("kube-api-access-*", value)
