"""What several laws of the matrix share."""

import pytest

from gatehold.demo.kubernetes.seed import PASSWORDS
from tests.clients.matrix import CLIENTS
from tests.clients.world import Said, World
from tests.e2e.harness import CLUSTER_TOKEN, CRM_TOKEN

each_client = pytest.mark.parametrize("client", CLIENTS, ids=[client.name for client in CLIENTS])


def arrived(around: World) -> bool:
    """Has anything come to any upstream?"""
    return bool(around.asked or len(around.installed.customers.received) or len(around.installed.cluster.received))


def holds_no_secret(said: Said) -> None:
    """Neither a credential of a target nor an address of a person is shown."""
    for secret in (CRM_TOKEN, CLUSTER_TOKEN, *PASSWORDS.values(), "@example.com"):
        assert secret not in said.all
