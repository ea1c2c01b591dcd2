"""Law: the official Python client works through the gateway, by its reverse listener and as a proxy.

It reads, creates, patches in every form it knows, watches, follows logs and deletes; it is refused and masked like
any other agent.
"""

import base64
import time
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
from kubernetes import client as kubernetes
from kubernetes import watch as kubernetes_watch

from gatehold.demo.kubernetes.objects import lookup
from gatehold.demo.kubernetes.resources import CONFIGMAPS, DEPLOYMENTS
from gatehold.demo.kubernetes.seed import PASSWORDS
from tests.e2e.harness import CLUSTER_TOKEN, GatewayProcess, Installation

WAYS = ("reverse", "proxy")


@pytest.fixture(params=WAYS)
def api(request: pytest.FixtureRequest, gateway: GatewayProcess, installed: Installation) -> Iterator[Any]:
    """A client of a fresh agent; as a proxy the gateway gets the token in its own header, and the cluster none."""
    configuration, token = kubernetes.Configuration(), installed.token()
    configuration.ssl_ca_cert = str(installed.ca)
    configuration.retries = False
    if request.param == "reverse":
        configuration.host = f"https://127.0.0.1:{installed.cluster_proxy_port}"
        configuration.api_key = {"authorization": f"Bearer {token}"}
    else:
        configuration.host = "https://kubernetes.corp.example"
        configuration.proxy = f"http://127.0.0.1:{installed.proxy_port}"
        configuration.proxy_headers = urllib3.make_headers(proxy_basic_auth=f"agent:{token}")
        configuration.no_proxy = None
    with kubernetes.ApiClient(configuration) as opened:
        yield opened


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name that no other test uses."""
    return f"py-{abs(hash((request.node.name, time.monotonic_ns()))) % 10**9}"


def deployment(name: str, replicas: int) -> Any:
    """A deployment as the client builds it."""
    labels = {"app": name}
    container = kubernetes.V1Container(name="main", image="registry.example/app:1")
    template = kubernetes.V1PodTemplateSpec(
        metadata=kubernetes.V1ObjectMeta(labels=labels), spec=kubernetes.V1PodSpec(containers=[container])
    )
    spec = kubernetes.V1DeploymentSpec(
        replicas=replicas, selector=kubernetes.V1LabelSelector(match_labels=labels), template=template
    )
    return kubernetes.V1Deployment(metadata=kubernetes.V1ObjectMeta(name=name, labels=labels), spec=spec)


def stored(installed: Installation, name: str) -> Any:
    return installed.cluster.store.get(DEPLOYMENTS, "dev-1", name)


def test_the_life_of_a_deployment(api: Any, installed: Installation, name: str) -> None:
    """Created, read, replaced, patched in three ways, scaled, deleted."""
    apps = kubernetes.AppsV1Api(api)
    assert apps.create_namespaced_deployment("dev-1", deployment(name, 1)).spec.replicas == 1
    found = apps.read_namespaced_deployment(name, "dev-1")
    found.spec.replicas, found.metadata.resource_version = 2, None  # its controller changes it meanwhile
    assert apps.replace_namespaced_deployment(name, "dev-1", found).spec.replicas == 2
    labelled = apps.patch_namespaced_deployment(name, "dev-1", {"metadata": {"labels": {"tier": "web"}}})
    assert labelled.metadata.labels == {"app": name, "tier": "web"}
    operations = [{"op": "replace", "path": "/spec/replicas", "value": 3}]
    assert apps.patch_namespaced_deployment(name, "dev-1", operations).spec.replicas == 3
    assert apps.patch_namespaced_deployment_scale(name, "dev-1", {"spec": {"replicas": 4}}).spec.replicas == 4
    assert lookup(stored(installed, name), "spec.replicas") == 4
    apps.delete_namespaced_deployment(name, "dev-1")
    assert installed.cluster.store.find(DEPLOYMENTS, "dev-1", name) is None


def test_lists_come_in_chunks(api: Any, installed: Installation) -> None:
    """All pages together are the list."""
    core, found, token = kubernetes.CoreV1Api(api), list[str](), None
    while token != "":
        page = core.list_namespaced_pod("prod", limit=2, _continue=token)
        found += [pod.metadata.name for pod in page.items]
        token = page.metadata._continue or ""
    assert found == [pod.metadata.name for pod in core.list_namespaced_pod("prod").items]
    assert len(found) >= 3


def test_a_watch_tells_what_happens(api: Any, installed: Installation, name: str) -> None:
    """What is created while it is open comes through at once, and so does its end."""
    core, watch = kubernetes.CoreV1Api(api), kubernetes_watch.Watch()
    since = core.list_namespaced_config_map("dev-1").metadata.resource_version
    core.create_namespaced_config_map("dev-1", {"metadata": {"name": name}, "data": {"a": "b"}})
    seen = []
    for event in watch.stream(core.list_namespaced_config_map, "dev-1", resource_version=since, timeout_seconds=30):
        if event["object"].metadata.name == name:
            seen.append(event["type"])
            if event["type"] == "ADDED":
                installed.cluster.store.remove(CONFIGMAPS, "dev-1", name)
            else:
                watch.stop()
    assert seen == ["ADDED", "DELETED"]


def test_logs_are_read(api: Any) -> None:
    """The whole log, and its last line."""
    core = kubernetes.CoreV1Api(api)
    pod = core.list_namespaced_pod("prod").items[0].metadata.name
    assert len(core.read_namespaced_pod_log(pod, "prod").splitlines()) > 1
    assert len(core.read_namespaced_pod_log(pod, "prod", tail_lines=1).splitlines()) == 1


def test_secrets_are_masked(api: Any) -> None:
    """Listed, read or watched, no value is shown."""
    core, watch = kubernetes.CoreV1Api(api), kubernetes_watch.Watch()
    told = [str(core.list_secret_for_all_namespaces().to_dict())]
    told.append(str(core.read_namespaced_secret("db-credentials", "prod").to_dict()))
    for event in watch.stream(core.list_namespaced_secret, "prod", timeout_seconds=10):
        told.append(str(event["raw_object"]))
        watch.stop()
    for password in PASSWORDS.values():
        for spelling in (password, base64.b64encode(password.encode()).decode()):
            assert all(spelling not in text for text in told)


def test_a_refusal_is_an_api_exception(api: Any) -> None:
    """With the Status that names the code."""
    with pytest.raises(kubernetes.ApiException) as error:
        kubernetes.CoreV1Api(api).delete_namespaced_secret("db-credentials", "prod")
    assert error.value.status == 403
    assert "default-deny" in error.value.body


def test_a_held_call_is_told_when_to_come_back(api: Any, installed: Installation) -> None:
    """429 with Retry-After and the approval; nothing has happened."""
    scale = {"spec": {"replicas": 40}}
    with pytest.raises(kubernetes.ApiException) as error:
        kubernetes.AppsV1Api(api).patch_namespaced_deployment_scale("web", "prod", scale)
    assert error.value.status == 429
    assert int(error.value.headers["Retry-After"]) > 0
    assert lookup(installed.cluster.store.get(DEPLOYMENTS, "prod", "web"), "spec.replicas") < 40


def test_the_cluster_sees_the_gateway_only(api: Any, installed: Installation) -> None:
    """Its own credential arrives, never an agent's."""
    installed.cluster.received.clear()
    kubernetes.CoreV1Api(api).list_namespaced_pod("prod")
    assert {each.header("authorization") for each in installed.cluster.received} == {f"Bearer {CLUSTER_TOKEN}"}
    assert all(each.header("proxy-authorization") is None for each in installed.cluster.received)
