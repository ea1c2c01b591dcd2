"""A recorded request as an action again, and which variables are hidden in it.

What stands in place of something hidden is ours: it is put aside before the request is read, so that no rule matches
the text of a mask by accident.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import unquote_plus

from policy.actions.decoding import Action, decode
from policy.actions.http import HttpAction
from policy.actions.knowledge import KnownObjects
from policy.actions.kubernetes import KubernetesAction
from policy.errors import GateholdError
from policy.history.differences import WHOLE, Pointers, overlaps
from policy.history.inputs import Hidden, RecordedCall
from policy.model import UNKNOWN, TargetTraits, Wanted, WireRequest

MASKED: Final = "gatehold~masked"
"""Stands for a hidden segment or parameter; no pattern is about it."""
_OTHER: Final = "gatehold~other"
_KUBERNETES_PARAMETERS: Final[Mapping[str, tuple[str, ...]]] = {
    "labelSelector": ("k8s.labelSelector",),
    "fieldSelector": ("k8s.fieldSelector", "k8s.name"),
    "fieldManager": ("k8s.fieldManager",),
    "command": ("k8s.command",),
    "container": ("k8s.container",),
}
_DECISIVE: Final = frozenset({"watch", "dryRun", "force", "stdin", "tty", "limit", "timeoutSeconds"})
"""Parameters that say what the call is."""
_LABELS: Final = ("metadata", "labels")
_REPLICAS: Final = ("spec", "replicas")
_NAME: Final = ("metadata", "name")


class NotReadable(GateholdError):
    """What was recorded does not tell what was asked for; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reread:
    """A recorded request, read again for one target."""

    action: Action
    """As the request alone tells it."""
    known: KnownObjects
    """Objects that were looked up then."""
    hidden: Mapping[str, Pointers] = field(default_factory=dict)
    """By variable: places in it that are not what was judged."""
    segments: frozenset[int] = frozenset()
    """Numbers of hidden segments of the path."""


def reread(call: RecordedCall, traits: TargetTraits) -> Reread:
    """Read a recorded request again. Raises NotReadable, and Refusal (malformed) as the first time."""
    if call.input is None:
        raise NotReadable("recorded without the input of its decision")
    hidden = call.input.hidden
    if not hidden:
        return Reread(action=decode(traits, call.request), known=call.input.known)
    if _is_whole(hidden.get("path")) or _is_whole(hidden.get("query")):
        raise NotReadable("the path is masked")
    action = decode(traits, _without_masks(call.request, hidden, MASKED))
    if isinstance(action, HttpAction):
        return _http(action, hidden)
    other = decode(traits, _without_masks(call.request, hidden, _OTHER))
    if not isinstance(other, KubernetesAction):
        raise NotReadable("the path is masked")
    return Reread(action=action, known=call.input.known, hidden=_in_kubernetes(action, other, hidden))


def _is_whole(places: Pointers | None) -> bool:
    return places is not None and () in places


def _without_masks(request: WireRequest, hidden: Hidden, word: str) -> WireRequest:
    path, mark, query = request.path.partition("?")
    if places := hidden.get("path"):
        parts = path.split("/")
        for (number,) in places:
            parts[int(number) + 1] = word
        path = "/".join(parts)
    if places := hidden.get("query"):
        pairs = [pair.partition("=") for pair in query.split("&")]
        query = "&".join(
            f"{name}={word}" if (unquote_plus(name),) in places else name + sign + value for name, sign, value in pairs
        )
    body = None if _is_whole(hidden.get("body")) and request.body else request.body
    return replace(request, path=path + mark + query, body=body)


def _http(action: HttpAction, hidden: Hidden) -> Reread:
    found = _of_caller(hidden)
    found |= {f"http.{part}": hidden[part] for part in ("query", "headers") if hidden.get(part)}
    found |= {"body": hidden["body"]} if hidden.get("body") else {}
    segments = frozenset(int(number) for (number,) in hidden.get("path", ()))
    if segments:
        found["http.path"] = WHOLE
    if ("content-type",) in hidden.get("headers", ()):
        found |= {"http.contentType": WHOLE, "body": WHOLE}
    return Reread(action=action, known=KnownObjects(), hidden=found, segments=segments)


def _of_caller(hidden: Hidden) -> dict[str, Pointers]:
    named = {"agent.claims": hidden.get("claims", ()), "agent.purpose": hidden.get("purpose", ())}
    return {name: places for name, places in named.items() if places}


def _in_kubernetes(action: KubernetesAction, other: KubernetesAction, hidden: Hidden) -> dict[str, Pointers]:
    """Hidden variables; ``other`` is the same request with another word in place of what is hidden in the path."""
    found = _of_caller(hidden)
    if _shape(action) != _shape(other) or not _DECISIVE.isdisjoint(name for (name,) in hidden.get("query", ())):
        raise NotReadable("what is asked for is masked")
    if ("content-type",) in hidden.get("headers", ()):
        raise NotReadable("the content type is masked")
    if action.info.name != other.info.name:
        found["k8s.name"] = WHOLE
    for (name,) in hidden.get("query", ()):
        found |= dict.fromkeys(_KUBERNETES_PARAMETERS.get(name, ()), WHOLE)
    of_body, of_objects = _of_body(action, hidden.get("body", ())), _of_objects(hidden)
    joined = {name: (*of_body.get(name, ()), *of_objects.get(name, ())) for name in of_body | of_objects}
    return found | joined


def _shape(action: KubernetesAction) -> tuple[object, ...]:
    """What a call is about, but for the name of an object."""
    info = action.info
    where = (info.group, info.version, info.resource, info.subresource, info.namespace)
    parts = () if info.resource_request else (info.path,)
    return (info.verb, *where, info.resource_request, *parts, action.also_verbs, action.upgrade)


def _of_body(action: KubernetesAction, places: Pointers) -> dict[str, Pointers]:
    if not places:
        return {}
    if () in places or (action.verb == "patch" and isinstance(action.payload().patch, list)):
        names = ("name", "labels", "images", "replicas", "dryRun")
        return {"object": WHOLE} | {f"k8s.{name}": WHOLE for name in names}
    found: dict[str, Pointers] = {"object": places}
    touched = {"k8s.name": _NAME, "k8s.labels": _LABELS, "k8s.replicas": _REPLICAS, "k8s.dryRun": ("dryRun",)}
    found |= {name: WHOLE for name, place in touched.items() if overlaps(places, place)}
    if any(place[-1:] == ("image",) for place in places):
        found["k8s.images"] = WHOLE
    return found


def _of_objects(hidden: Hidden) -> dict[str, Pointers]:
    """What is hidden in objects that were looked up; one of them may tell each of these."""
    found: dict[str, Pointers] = {}
    for part, variable in (("old", "oldObject"), ("new", "object"), ("parent", "")):
        places = hidden.get(part, ())
        if variable and places:
            found[variable] = places
        if overlaps(places, _LABELS):
            found["k8s.labels"] = WHOLE
        if overlaps(places, _REPLICAS):
            found |= {"k8s.replicas": WHOLE, "k8s.oldReplicas": WHOLE}
        if any(place[-1:] in {("image",), ()} for place in places):
            found["k8s.images"] = WHOLE
    return found


def known_so_far(known: KnownObjects, wanted: frozenset[Wanted]) -> KnownObjects | None:
    """The objects that were asked for, of those that are known; None where one of them is not.

    To see what a write makes of an object, a gateway looks at the object first.
    """
    found = {each: getattr(known, each) for each in wanted}
    if any(value is UNKNOWN for value in found.values()):
        return None
    return KnownObjects(**({Wanted.OLD: known.old} if Wanted.NEW in wanted else {}) | found)
