"""Whether a group and resource are those of a CustomResourceDefinition: what the API server stores itself.

Asked of the cluster with the gateway's own credential. A yes is kept for some minutes; a no is asked again every time,
so that a definition that was just made counts.
"""

import time
from collections.abc import Callable
from urllib.parse import quote

from gatehold.lookups.requests import KubernetesObject, OwnRequest, Purpose
from policy.actions.kubernetes import KubernetesAction
from policy.model import TargetName

KEPT = 300.0
"""Seconds for which a yes is kept."""
_MOST = 1024
_PATH = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"

type _Key = tuple[TargetName, str, str, str]


class Definitions:
    """The resources that are known to be custom ones."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: dict[_Key, float] = {}

    def knows(self, target: TargetName, action: KubernetesAction) -> bool:
        """Whether a yes is at hand."""
        return self._until.get(_key(target, action), 0.0) > self._clock()

    def keep(self, target: TargetName, action: KubernetesAction, definition: KubernetesObject) -> bool:
        """Whether this definition is the one of the action's resource, served in its version; a yes is kept."""
        if not _defines(definition, action):
            return False
        if len(self._until) >= _MOST:
            self._until.clear()
        self._until[_key(target, action)] = self._clock() + KEPT
        return True


def request_for(action: KubernetesAction) -> OwnRequest:
    """The call that asks for the definition."""
    name = quote(f"{action.resource}.{action.group}", safe="")
    return OwnRequest(purpose=Purpose.DEFINITION, method="GET", path=_PATH + name)


def _key(target: TargetName, action: KubernetesAction) -> _Key:
    return target, action.group, action.version, action.resource


def _defines(definition: KubernetesObject, action: KubernetesAction) -> bool:
    spec = definition.get("spec")
    if definition.get("kind") != "CustomResourceDefinition" or not isinstance(spec, dict):
        return False
    names, versions = spec.get("names"), spec.get("versions")
    if not isinstance(names, dict) or not isinstance(versions, list):
        return False
    served = {each.get("name") for each in versions if isinstance(each, dict) and each.get("served") is True}
    return (spec.get("group"), names.get("plural")) == (action.group, action.resource) and action.version in served
