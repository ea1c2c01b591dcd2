"""Kubernetes actions for the tests of look-ups."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from policy.actions.decoding import decode
from policy.actions.kubernetes import KubernetesAction
from policy.model import Family, TargetName, TargetTraits, WireRequest

TRAITS = TargetTraits(name=TargetName("main"), family=Family.KUBERNETES)
DEPLOYMENT = "/apis/apps/v1/namespaces/prod/deployments/web"

type MakeAction = Callable[..., KubernetesAction]


def make_action(method: str, path: str, body: Any = None, content_type: str = "application/json") -> KubernetesAction:
    """The action of a request; a body that is not bytes is sent as JSON."""
    raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = (("Content-Type", content_type),) if raw else ()
    action = decode(TRAITS, WireRequest(method=method, path=path, headers=headers, body=raw))
    assert isinstance(action, KubernetesAction)
    return action


@pytest.fixture(name="make_action")
def _make_action() -> MakeAction:
    return make_action
