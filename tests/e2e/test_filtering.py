"""Law: through a door for some objects an agent sees these and no others, by any client, in any form of answer.

Real kubectl and curl against a real gateway; the cluster's labels change while watches are open.
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from gatehold.demo.kubernetes.population import populate, relabel
from gatehold.demo.kubernetes.resources import PODS
from tests.e2e.harness import COMMANDS, STANDARD, GatewayProcess, Installation, installation, require
from tests.e2e.test_kubernetes import Kubectl, assert_hidden

GATEWAY = (STANDARD / "gateway.yaml").read_text()
POLICY = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: filtering}
rules:
  - name: checkouts-pods
    effect: allow
    agents: {groups: [planners]}
    kubernetes:
      targets: [main]
      namespaces: [load]
      resources: [pods]
      verbs: [get, list, watch]
      labels: {team: checkout}
  - name: settings-by-name
    effect: allow
    agents: {groups: [planners]}
    kubernetes:
      targets: [main]
      namespaces: [prod]
      resources: [configmaps, secrets]
      verbs: [get, list, watch]
      names: ["shop-*", db-credentials]
"""
VISIBLE = ["load-0000", "load-0003", "load-0006"]
"""Of nine pods the team checkout has every third one."""
HIDDEN = "load-0004"
"""A pod that no test names, so that nothing but a leak could write its name down."""
SERVER = "https://kubernetes.corp.example"
LOAD = f"{SERVER}/api/v1/namespaces/load/pods"


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A cluster with pods of three teams, of which the agent sees one; once for each way to run."""
    with installation(tmp_path_factory.mktemp("filtering")) as made:
        made.way = request.param
        made.write("gateway.yaml", GATEWAY)
        made.write("policy.yaml", POLICY)
        populate(made.cluster.store, 9)
        yield made


@pytest.fixture
def kubectl(gateway: GatewayProcess, installed: Installation) -> Kubectl:
    """kubectl of a fresh agent."""
    return Kubectl(installed, "reverse", require("kubectl"), installed.token())


@pytest.fixture
def labels(installed: Installation) -> Iterator[None]:
    """Puts the labels back that a test changes."""
    yield
    for name, team in (("load-0000", "checkout"), ("load-0001", "search")):
        relabel(installed.cluster.store, PODS, "load", name, {"team": team})


def _names(listed: str) -> list[str]:
    return [each["metadata"]["name"] for each in json.loads(listed)["items"]]


@pytest.mark.parametrize("options", [[], ["--chunk-size=2"], ["--chunk-size=0"], ["-o", "wide"], ["--show-labels"]])
def test_tables(kubectl: Kubectl, options: list[str]) -> None:
    """In one piece or many."""
    rows = kubectl("get", "pods", "-n", "load", *options).splitlines()
    assert rows[0].startswith("NAME")
    assert [row.split()[0] for row in rows[1:]] == VISIBLE


@pytest.mark.parametrize("options", [[], ["--chunk-size=2"], ["--chunk-size=1"]])
def test_lists(kubectl: Kubectl, options: list[str]) -> None:
    """As JSON, and by name."""
    assert _names(kubectl("get", "pods", "-n", "load", "-o", "json", *options)) == VISIBLE
    assert kubectl("get", "pods", "-n", "load", "-o", "name", *options).split() == [f"pod/{name}" for name in VISIBLE]


def test_selectors_choose_among_what_is_visible(kubectl: Kubectl) -> None:
    """A label or field of a hidden object cannot be asked for."""
    assert _names(kubectl("get", "pods", "-n", "load", "-o", "json", "-l", "app=app-3")) == ["load-0003"]
    assert _names(kubectl("get", "pods", "-n", "load", "-o", "json", "-l", "team=search")) == []
    assert (
        _names(kubectl("get", "pods", "-n", "load", "-o", "json", "--field-selector", "metadata.name=load-0001")) == []
    )


def test_lists_by_name(kubectl: Kubectl) -> None:
    """A door may be narrowed by names; what it shows is still masked."""
    assert _names(kubectl("get", "configmaps", "-n", "prod", "-o", "json")) == ["shop-settings"]
    for form in ("json", "yaml", "wide"):
        output = kubectl("get", "secrets", "-n", "prod", "-o", form)
        assert "db-credentials" in output
        assert_hidden(output)


def test_a_hidden_object_is_one_that_is_not_there(kubectl: Kubectl) -> None:
    """As a Table, as JSON, and described: the words differ in the decision's id only."""
    for form in ([], ["-o", "json"]):
        assert "load-0000" in kubectl("get", "pod", "load-0000", "-n", "load", *form)
        answers = {
            kubectl("get", "pod", name, "-n", "load", *form, ok=False).replace(name, "X").partition("decision ")[0]
            for name in ("load-0001", "nothing", "load-0002")
        }
        assert len(answers) == 1
        (answer,) = answers
        assert "default-deny" in answer
        assert "Forbidden" in answer
    assert "default-deny" in kubectl("describe", "pod", "load-0001", "-n", "load", ok=False)


def test_what_is_hidden_cannot_be_told_from_the_answer(gateway: GatewayProcess, installed: Installation) -> None:
    """Not by the status, the headers, or the body, by GET or HEAD."""
    for method in ("GET", "HEAD"):
        hidden, missing = (
            installed.curl(f"{LOAD}/{name}", *(["-I"] if method == "HEAD" else [])) for name in ("load-0001", "none")
        )
        assert hidden.status == missing.status == 403
        assert hidden.headers.keys() == missing.headers.keys()
        assert "gatehold-rule" not in hidden.headers
        assert len(hidden.body) == len(missing.body)


def test_pages_name_nothing(gateway: GatewayProcess, installed: Installation) -> None:
    """The token to go on is sealed, bound to the session, and the number of what is left is not told."""
    token = installed.token()
    page, seen = installed.curl(f"{LOAD}?limit=2", token=token).json, []
    while True:
        assert "remainingItemCount" not in page["metadata"]
        seen += [each["metadata"]["name"] for each in page["items"]]
        sealed = page["metadata"].get("continue")
        if not sealed:
            break
        assert b"load" not in base64.urlsafe_b64decode(sealed + "==")
        stolen = installed.curl(f"{LOAD}?limit=2&continue={sealed}", token=installed.token("planner-2"))
        assert (stolen.status, stolen.json["details"]["causes"][0]["message"]) == (400, "malformed")
        page = installed.curl(f"{LOAD}?limit=2&continue={sealed}", token=token).json
    assert seen == VISIBLE
    clear = base64.urlsafe_b64encode(b'{"v":"meta.k8s.io/v1","rv":1,"start":"load-0004\\u0000"}').decode().rstrip("=")
    assert installed.curl(f"{LOAD}?limit=2&continue={clear}", token=token).status == 400


@pytest.mark.parametrize(
    "accept",
    ["application/yaml", "application/vnd.kubernetes.protobuf", "application/cbor", "*/*", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"],
)  # fmt: skip
def test_every_form_is_filtered(gateway: GatewayProcess, installed: Installation, accept: str) -> None:
    """What cannot be read here is not asked for."""
    answer = installed.curl(LOAD, "-H", f"Accept: {accept}", "-H", "Range: bytes=0-99")
    assert answer.status == 200
    assert _names(answer.body.decode()) == VISIBLE


@pytest.mark.parametrize("include", ["None", "Metadata", "Object"])
def test_tables_without_objects_are_filtered(gateway: GatewayProcess, installed: Installation, include: str) -> None:
    """The gateway asks for what it needs to judge rows by."""
    accept = "Accept: application/json;as=Table;g=meta.k8s.io;v=v1"
    answer = installed.curl(f"{LOAD}?includeObject={include}", "-H", accept)
    assert [row["cells"][0] for row in answer.json["rows"]] == VISIBLE


def _event(watch: subprocess.Popen[str]) -> tuple[str, dict[str, Any]]:
    """The next event; kubectl prints one a line."""
    assert watch.stdout is not None
    event = json.loads(watch.stdout.readline())
    return event["type"], event["object"]


@pytest.mark.usefixtures("labels")
def test_a_watch_follows_the_labels(kubectl: Kubectl, installed: Installation) -> None:
    """Events come while it is open: what becomes hidden is deleted, what becomes visible is added, the rest is not there."""
    store = installed.cluster.store
    with kubectl.start("get", "pods", "-n", "load", "-w", "-o", "json", "--output-watch-events") as watch:
        assert [_event(watch)[1]["metadata"]["name"] for _ in VISIBLE] == VISIBLE
        assert watch.poll() is None
        relabel(store, PODS, "load", HIDDEN, {"note": "1"})
        relabel(store, PODS, "load", "load-0000", {"team": "search", "note": "planted"})
        kind, gone = _event(watch)
        assert (kind, gone["metadata"]["name"]) == ("DELETED", "load-0000")
        assert "labels" not in gone["metadata"]
        assert "spec" not in gone
        relabel(store, PODS, "load", "load-0000", {"note": "2"})
        relabel(store, PODS, "load", "load-0001", {"team": "checkout"})
        kind, added = _event(watch)
        assert (kind, added["metadata"]["name"]) == ("ADDED", "load-0001")
        relabel(store, PODS, "load", "load-0001", {"note": "3"})
        assert _event(watch)[0] == "MODIFIED"
        watch.terminate()


@pytest.mark.usefixtures("labels")
def test_a_watched_table_follows_the_labels(kubectl: Kubectl, installed: Installation) -> None:
    """The form in which people watch."""
    store = installed.cluster.store
    with kubectl.start("get", "pods", "-n", "load", "-w", "--output-watch-events") as watch:
        assert watch.stdout is not None
        lines = iter(watch.stdout.readline, "")
        assert next(lines).startswith("EVENT")
        assert [next(lines).split()[1] for _ in VISIBLE] == VISIBLE
        relabel(store, PODS, "load", HIDDEN, {"note": "4"})
        relabel(store, PODS, "load", "load-0000", {"team": "search"})
        assert next(lines).split() == ["DELETED", "load-0000"]
        relabel(store, PODS, "load", "load-0001", {"team": "checkout"})
        assert next(lines).split()[:3] == ["ADDED", "load-0001", "1/1"]
        watch.terminate()


def test_a_watch_that_begins_with_all_objects(gateway: GatewayProcess, installed: Installation) -> None:
    """Informers need no list any more: initial events are filtered, and the bookmark that ends them comes."""
    query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1"
    answer = installed.curl(f"{LOAD}?{query}")
    events = [json.loads(line) for line in answer.body.splitlines()]
    assert [each["object"]["metadata"]["name"] for each in events if each["type"] == "ADDED"] == VISIBLE
    marks = [each["object"]["metadata"].get("annotations", {}) for each in events if each["type"] == "BOOKMARK"]
    assert {"k8s.io/initial-events-end": "true"} in marks
    assert b"load-0001" not in answer.body


def test_the_python_client_sees_the_same(gateway: GatewayProcess, installed: Installation) -> None:
    """Lists and watches of the official library."""
    import kubernetes

    configuration = kubernetes.client.Configuration()
    configuration.host = f"https://127.0.0.1:{installed.cluster_proxy_port}"
    configuration.ssl_ca_cert = str(installed.ca)
    configuration.api_key = {"authorization": f"Bearer {installed.token()}"}
    with kubernetes.client.ApiClient(configuration) as client:
        core = kubernetes.client.CoreV1Api(client)
        listed = core.list_namespaced_pod("load")
        assert [pod.metadata.name for pod in listed.items] == VISIBLE
        events = kubernetes.watch.Watch().stream(core.list_namespaced_pod, "load", timeout_seconds=1)
        assert {event["object"].metadata.name for event in events} == set(VISIBLE)


def test_no_record_holds_what_was_hidden(kubectl: Kubectl, installed: Installation) -> None:
    """Answers are recorded as the agent got them."""
    kubectl("get", "pods", "-n", "load", "-o", "yaml")
    installed.curl(f"{LOAD}?watch=1&timeoutSeconds=1")
    written = [path for path in installed.data.rglob("*") if path.is_file()]
    assert any(b"load-0003" in path.read_bytes() for path in written)
    assert not [path for path in written if HIDDEN.encode() in path.read_bytes()]
