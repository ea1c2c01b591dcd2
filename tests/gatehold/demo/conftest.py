"""What the tests of the demo's upstreams share."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from gatehold.demo.kubernetes.app import kubernetes_app
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.seed import seeded_store
from gatehold.demo.serving import RunningServer, ServerCertificate, make_certificate, serve

TOKEN = "demo-cluster-token"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> ServerCertificate:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """A cluster of its own for each test module; things happen quickly in it."""
    return Cluster(token=TOKEN, settle=0.02, log_interval=0.02, bookmark_interval=0.2)


@pytest.fixture(scope="module")
def server(cluster: Cluster, certificate: ServerCertificate) -> Iterator[RunningServer]:
    with serve(kubernetes_app(cluster), certificate=certificate.pair) as running:
        yield running


@pytest.fixture
def client(server: RunningServer, certificate: ServerCertificate) -> Iterator[httpx2.Client]:
    """An HTTP client that presents the token."""
    import ssl

    trust = ssl.create_default_context(cafile=certificate.authority)
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with httpx2.Client(base_url=server.url, verify=trust, headers=headers, trust_env=False, timeout=30) as client:
        yield client


@pytest.fixture
def ticking_cluster() -> Cluster:
    """A cluster without a server, whose clock moves a second with every look at it."""
    return Cluster(token=TOKEN, store=seeded_store(ticking()))


def ticking() -> Callable[[], datetime]:
    """A clock that goes one second further each time it is read."""
    moment = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)

    def tick() -> datetime:
        nonlocal moment
        moment += timedelta(seconds=1)
        return moment

    return tick


@pytest.fixture
def kubeconfig(server: RunningServer, certificate: ServerCertificate, tmp_path: Path) -> Path:
    """A kubeconfig for the running cluster."""
    path = tmp_path / "kubeconfig"
    path.write_text(
        f"""\
apiVersion: v1
kind: Config
current-context: demo
clusters: [{{name: demo, cluster: {{server: "{server.url}", certificate-authority: "{certificate.authority}"}}}}]
users: [{{name: agent, user: {{token: {TOKEN}}}}}]
contexts: [{{name: demo, context: {{cluster: demo, user: agent, namespace: prod}}}}]
"""
    )
    return path
