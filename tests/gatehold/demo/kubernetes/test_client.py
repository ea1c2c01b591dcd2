"""The Python client against the double."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, stream, watch
from kubernetes.client.exceptions import ApiException

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.resources import PODS


@pytest.fixture
def api(kubeconfig: Path) -> Iterator[Any]:
    with config.new_client_from_config(str(kubeconfig)) as api:
        yield api
        api.rest_client.pool_manager.clear()  # the client's own close leaves connections open


def test_lists_and_reads(api: Any) -> None:
    """Every kind the double seeds deserialises into the client's models."""
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    assert len(core.list_namespaced_pod("prod").items) == 3
    assert len(core.list_pod_for_all_namespaces(limit=2).items) == 2
    assert apps.read_namespaced_deployment("web", "prod").status.ready_replicas == 3
    assert {item.metadata.name for item in core.list_namespace().items} >= {"default", "dev-1", "prod"}
    batch, scaling = client.BatchV1Api(api), client.AutoscalingV2Api(api)
    for listing in (
        core.list_node,
        core.list_service_for_all_namespaces,
        core.list_event_for_all_namespaces,
        core.list_secret_for_all_namespaces,
        core.list_config_map_for_all_namespaces,
        core.list_service_account_for_all_namespaces,
        apps.list_stateful_set_for_all_namespaces,
        batch.list_job_for_all_namespaces,
        scaling.list_horizontal_pod_autoscaler_for_all_namespaces,
    ):
        assert listing().metadata.resource_version
    assert apps.list_namespaced_replica_set("prod").items[0].status.replicas == 3
    with pytest.raises(ApiException) as error:
        core.read_namespaced_pod("nope", "prod")
    assert error.value.status == 404


def test_writes(api: Any) -> None:
    """create, patch of the scale, replace, delete."""
    core, apps = client.CoreV1Api(api), client.AppsV1Api(api)
    body = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="made"), data={"a": "1"})
    created = core.create_namespaced_config_map("prod", body)
    created.data = {"a": "2"}
    assert core.replace_namespaced_config_map("made", "prod", created).data == {"a": "2"}
    core.delete_namespaced_config_map("made", "prod")
    with pytest.raises(ApiException):
        core.read_namespaced_config_map("made", "prod")
    scale = apps.patch_namespaced_deployment_scale("api", "dev-1", {"spec": {"replicas": 5}})
    assert (scale.spec.replicas, scale.status.selector) == (5, "app=api")


def test_watches(api: Any) -> None:
    """Events come as models; the watch ends with its time."""
    core = client.CoreV1Api(api)
    seen = []
    watching = watch.Watch()
    for event in watching.stream(core.list_namespaced_pod, "prod", timeout_seconds=30):
        seen.append((event["type"], event["object"].kind))
        if len(seen) == 3:
            watching.stop()
    assert seen == [("ADDED", "Pod")] * 3
    assert not list(watch.Watch().stream(core.list_namespaced_pod, "nowhere", timeout_seconds=1))


def test_logs_and_exec(api: Any, cluster: Cluster) -> None:
    """The log as text; a command over WebSocket with the older protocol."""
    core = client.CoreV1Api(api)
    pod = cluster.store.items(PODS, "prod")[0]["metadata"]["name"]
    assert len(core.read_namespaced_pod_log(pod, "prod", tail_lines=3).splitlines()) == 3
    session = stream.stream(
        core.connect_get_namespaced_pod_exec, pod, "prod", command=["echo", "hi"], stdout=True, _preload_content=False
    )
    with closing(session.sock.sock), closing(session):  # the client's own close leaves a closed peer's socket open
        session.run_forever(timeout=30)
        assert (session.read_stdout(), session.returncode) == ("hi\n", 0)
