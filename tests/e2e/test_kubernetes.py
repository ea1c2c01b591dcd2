"""Law: kubectl and client libraries work through the gateway as they do without it, but for what policy and masks say.

Real kubectl, in reverse mode by a kubeconfig and through HTTPS_PROXY under a real host name.
"""

import base64
import json
import subprocess
from collections.abc import Iterator

import pytest

from gatehold.demo.kubernetes.seed import PASSWORDS
from tests.e2e.harness import (
    CLUSTER_TOKEN,
    COMMANDS,
    GatewayProcess,
    Installation,
    clean_environment,
    installation,
    require,
    running,
)

WAYS = ("reverse", "proxy")


class Kubectl:
    """kubectl, set up to reach the cluster through the gateway in one of the two ways."""

    def __init__(self, installed: Installation, way: str, binary: str, token: str) -> None:
        self.binary = binary
        self.environment = clean_environment(HOME=str(installed.directory))
        if way == "reverse":
            self.kubeconfig = installed.kubeconfig(f"https://127.0.0.1:{installed.cluster_proxy_port}", token=token)
        else:
            # Without any credential kubectl asks for a user name; what it sends here is taken out.
            self.kubeconfig = installed.kubeconfig("https://kubernetes.corp.example", token="unused")
            self.environment["HTTPS_PROXY"] = f"http://agent:{token}@127.0.0.1:{installed.proxy_port}"

    def command(self, *arguments: str) -> list[str]:
        """The command line."""
        return [self.binary, f"--kubeconfig={self.kubeconfig}", f"--cache-dir={self.kubeconfig}.cache", *arguments]

    def __call__(self, *arguments: str, stdin: str | None = None, ok: bool = True) -> str:
        """Run it and return what it printed on both outputs."""
        done = subprocess.run(
            self.command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment,
            timeout=60,
            check=False,
        )
        output = done.stdout + done.stderr
        assert (done.returncode == 0) == ok, output
        return output

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Run it in the background, with its output to read."""
        return subprocess.Popen(self.command(*arguments), stdout=subprocess.PIPE, text=True, env=self.environment)


@pytest.fixture(params=WAYS)
def kubectl(request: pytest.FixtureRequest, gateway: GatewayProcess, installed: Installation) -> Kubectl:
    """kubectl with a fresh agent."""
    return Kubectl(installed, request.param, require("kubectl"), installed.token())


def manifest(name: str, replicas: int) -> str:
    """A deployment."""
    return json.dumps(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "namespace": "dev-1"},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "main", "image": "registry.example/app:1"}]},
                },
            },
        }
    )


def test_get_prints_tables(kubectl: Kubectl) -> None:
    """Discovery, Tables and JSON come through."""
    assert "web" in kubectl("get", "deployments", "-n", "prod")
    assert json.loads(kubectl("get", "deployment", "web", "-n", "prod", "-o", "json"))["spec"]["replicas"] >= 1
    assert "web" in kubectl("get", "pods", "-A")


def test_apply_scale_delete(kubectl: Kubectl) -> None:
    """The life of a deployment."""
    name = f"app-{kubectl.kubeconfig.stem[-8:]}"
    assert "created" in kubectl("apply", "-f", "-", stdin=manifest(name, 1))
    assert "configured" in kubectl("apply", "-f", "-", stdin=manifest(name, 2))
    assert "scaled" in kubectl("scale", f"deployment/{name}", "-n", "dev-1", "--replicas=3")
    assert "deleted" in kubectl("delete", f"deployment/{name}", "-n", "dev-1")


def test_a_denied_call_is_printed_as_kubectl_prints_it(kubectl: Kubectl) -> None:
    """The Status object carries the reason of the rule."""
    output = kubectl("delete", "secret", "db-credentials", "-n", "prod", ok=False)
    assert "Error from server (Forbidden)" in output
    assert "default-deny" in output
    output = kubectl("get", "--raw", "/api/v1/namespaces/prod/services/web/proxy/", ok=False)
    assert "Interactive access to pods is off for agents." in output


def test_exec_is_refused(kubectl: Kubectl, installed: Installation) -> None:
    """No way into a container."""
    pod = kubectl("get", "pods", "-n", "prod", "-o", "name").split()[0]
    assert kubectl("exec", "-n", "prod", pod, "--", "id", ok=False)
    assert not [each for each in installed.cluster.received if "/exec" in each.path]


def test_a_watch_comes_while_it_is_open(kubectl: Kubectl) -> None:
    """The first events reach kubectl before the watch ends."""
    with kubectl.start("get", "pods", "-n", "prod", "-w") as watch:
        assert watch.stdout is not None
        assert "NAME" in watch.stdout.readline()
        assert "web" in watch.stdout.readline()
        assert watch.poll() is None
        watch.terminate()


def test_followed_logs_come_while_they_are_open(kubectl: Kubectl) -> None:
    """The first lines reach kubectl before the log ends."""
    pod = kubectl("get", "pods", "-n", "prod", "-o", "name").split()[0]
    with kubectl.start("logs", "-f", "-n", "prod", pod) as logs:
        assert logs.stdout is not None
        for _ in range(3):
            assert logs.stdout.readline()
        assert logs.poll() is None
        logs.terminate()


TEMPLATE = "{{range .items}}{{.metadata.name}}{{range $k, $v := .data}} {{$k}}={{$v}}{{end}}{{end}}"
STREAMED = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
SHOWING: dict[str, list[str]] = {
    "yaml": ["get", "secrets", "-A", "-o", "yaml"],
    "json": ["get", "secrets", "-A", "-o", "json"],
    "table": ["get", "secrets", "-A"],
    "wide": ["get", "secrets", "-A", "-o", "wide", "--show-labels"],
    "jsonpath": ["get", "secrets", "-A", "-o", "jsonpath={.items[*].data}"],
    "template": ["get", "secrets", "-A", "-o", f"go-template={TEMPLATE}"],
    "columns": ["get", "secrets", "-A", "-o", "custom-columns=N:.metadata.name,D:.data,A:.metadata.annotations"],
    "managed fields": ["get", "secrets", "-n", "prod", "--show-managed-fields", "-o", "yaml"],
    "one": ["get", "secret", "db-credentials", "-n", "prod", "-o", "yaml"],
    "beside others": ["get", "secrets,configmaps", "-n", "prod", "-o", "yaml"],
    "in chunks": ["get", "secrets", "-A", "--chunk-size=1", "-o", "yaml"],
    "described": ["describe", "secrets", "-n", "prod"],
    "last applied": ["apply", "view-last-applied", "secret/db-credentials", "-n", "prod"],
    "raw": ["get", "--raw", "/api/v1/secrets"],
    "raw, one": ["get", "--raw", "/api/v1/namespaces/prod/secrets/db-credentials"],
    "raw, watched": ["get", "--raw", "/api/v1/secrets?watch=1&timeoutSeconds=1"],
    "raw, streamed": [
        "get", "--raw", f"/api/v1/secrets?watch=1&timeoutSeconds=1&{STREAMED}",
    ],
    "raw, watched of old": ["get", "--raw", "/api/v1/watch/namespaces/prod/secrets?timeoutSeconds=1"],
}  # fmt: skip


@pytest.mark.parametrize("arguments", SHOWING.values(), ids=SHOWING)
def test_secret_values_are_hidden(kubectl: Kubectl, arguments: list[str]) -> None:
    """No form of output shows a value of a Secret, raw or in base64."""
    output = kubectl(*arguments)
    assert "db-credentials" in output or "password" in output
    assert_hidden(output)


@pytest.mark.parametrize("form", [[], ["-o", "yaml"]], ids=["table", "yaml"])
def test_watched_secret_values_are_hidden(kubectl: Kubectl, form: list[str]) -> None:
    """What comes while the watch is open, and what has come when it ended."""
    with kubectl.start("get", "secrets", "-n", "prod", "-w", *form) as watch:
        assert watch.stdout is not None
        shown = watch.stdout.readline()
        while "db-credentials" not in shown.splitlines()[-1]:
            shown += watch.stdout.readline()
        assert watch.poll() is None
        watch.terminate()
        shown += watch.stdout.read()
    assert "db-credentials" in shown
    assert_hidden(shown)


SECRETS = "/api/v1/namespaces/prod/secrets"
WRITES: dict[str, tuple[str, str, str, str]] = {
    "merge": ("PATCH", "application/merge-patch+json", '{"metadata": {"labels": {"a": "b"}}}', "/db-credentials"),
    "strategic": (
        "PATCH", "application/strategic-merge-patch+json", '{"metadata": {"labels": {"a": "b"}}}', "/db-credentials",
    ),
    "operations": (
        "PATCH", "application/json-patch+json",
        '[{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]', "/db-credentials",
    ),
    "apply": (
        "PATCH", "application/apply-patch+yaml",
        '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db-credentials", "labels": {"a": "b"}}}',
        "/db-credentials?fieldManager=it&force=true",
    ),
    "merged value": (
        "PATCH", "application/merge-patch+json", '{"data": {"password": "@B@"}}', "/db-credentials",
    ),
    "replaced value": (
        "PATCH", "application/json-patch+json",
        '[{"op": "replace", "path": "/data/password", "value": "@B@"}]', "/db-credentials",
    ),
    "whole without kind": (
        "PUT", "application/json", '{"metadata": {"name": "db-credentials"}, "data": {"password": "@B@"}}',
        "/db-credentials",
    ),
    "whole": (
        "PUT", "application/json",
        '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db-credentials"}, "data": {"password": "@B@"}}',
        "/db-credentials",
    ),
    "new": (
        "POST", "application/json",
        '{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "made"}, "stringData": {"password": "@P@"}}', "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("dry", [True, False], ids=["dry", "real"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_the_answer_of_a_write_hides_values(secrets: Installation, write: tuple[str, ...], dry: bool) -> None:
    """Of a dry run, too: both answer with the whole object."""
    method, content_type, body, path = write
    password = PASSWORDS["prod"]
    for mark, value in (("@B@", base64.b64encode(password.encode()).decode()), ("@P@", password)):
        body = body.replace(mark, value)
    path += ("&" if "?" in path else "?") + "dryRun=All" if dry else ""
    options = ("-X", method, "-H", f"Content-Type: {content_type}", "--data-binary", body)
    answer = secrets.curl(f"https://kubernetes.corp.example{SECRETS}{path}", *options)
    assert answer.status in (200, 201), answer.body
    assert answer.json["kind"] == "Secret"
    assert answer.json["data"]["password"]
    assert_hidden(answer.body.decode())


READING = {
    "copy": {"op": "copy", "from": "/data/password", "path": "/metadata/annotations/x"},
    "copy to an open place": {
        "op": "copy", "from": "/data/password", "path": "/metadata/finalizers/0",
    },
    "copy of all": {"op": "copy", "from": "", "path": "/metadata/annotations/x"},
    "move": {"op": "move", "from": "/data/password", "path": "/metadata/labels/x"},
    "test": {"op": "test", "path": "/data/password", "value": base64.b64encode(PASSWORDS["prod"].encode()).decode()},
    "wrong test": {"op": "test", "path": "/data/password", "value": "bm8="},
    "test of all": {"op": "test", "path": "/data", "value": {}},
    "test of the manifest": {
        "op": "test", "path": "/metadata/annotations/kubectl.kubernetes.io~1last-applied-configuration", "value": "",
    },
}  # fmt: skip


@pytest.mark.parametrize("dry", ["?dryRun=All", ""], ids=["dry", "real"])
@pytest.mark.parametrize("operation", READING.values(), ids=READING)
def test_no_patch_reads_a_secret(secrets: Installation, operation: dict[str, str], dry: str) -> None:
    """Refused before the cluster is asked: the right guess and the wrong one alike."""
    secrets.cluster.received.clear()
    body = json.dumps([operation])
    options = ("-X", "PATCH", "-H", "Content-Type: application/json-patch+json", "--data-binary", body)
    answer = secrets.curl(f"https://kubernetes.corp.example{SECRETS}/db-credentials{dry}", *options)
    assert (answer.status, answer.json["kind"], answer.json["reason"]) == (403, "Status", "Forbidden")
    assert "dlp-blocked" in json.dumps(answer.json["details"]["causes"])
    assert not list(secrets.cluster.received)


def test_nothing_left_behind_shows_a_secret(secrets: Installation) -> None:
    """Recordings, journal, store and log: no value, in either spelling."""
    files = [path for path in secrets.data.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} >= {".flow", ".jsonl"}
    for password in PASSWORDS.values():
        for form in (password.encode(), base64.b64encode(password.encode())):
            assert [path.name for path in files if form in path.read_bytes()] == []


WRITERS = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: secret-writers}
rules:
  - name: planners-write-secrets
    effect: allow
    agents: {groups: [planners]}
    kubernetes: {targets: [main], namespaces: [prod], apiGroups: [""], resources: [secrets], verbs: [create, update, patch]}
"""


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def secrets(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A gateway whose agents may write secrets as well."""
    with installation(tmp_path_factory.mktemp("secrets")) as made:
        made.configure()
        made.write("writers.yaml", WRITERS)
        with running(made, request.param):
            yield made


def assert_hidden(text: str) -> None:
    """No planted password in either spelling."""
    for password in PASSWORDS.values():
        assert password not in text
        assert base64.b64encode(password.encode()).decode() not in text


def test_the_clusters_credential_is_the_gateways(kubectl: Kubectl, installed: Installation) -> None:
    """The agent's token never arrives; the gateway's does."""
    installed.cluster.received.clear()
    kubectl("get", "pods", "-n", "prod")
    assert {each.header("authorization") for each in installed.cluster.received} == {f"Bearer {CLUSTER_TOKEN}"}


def test_impersonation_is_refused(kubectl: Kubectl) -> None:
    """The gateway's account may impersonate; agents may not."""
    assert "Error from server (BadRequest)" in kubectl("get", "pods", "-n", "prod", "--as", "system:admin", ok=False)


def test_the_python_client_works(gateway: GatewayProcess, installed: Installation) -> None:
    """List, patch and watch by the official client library, through the reverse listener."""
    import kubernetes

    configuration = kubernetes.client.Configuration()
    configuration.host = f"https://127.0.0.1:{installed.cluster_proxy_port}"
    configuration.ssl_ca_cert = str(installed.ca)
    configuration.api_key = {"authorization": f"Bearer {installed.token()}"}
    with kubernetes.client.ApiClient(configuration) as client:
        core, apps = kubernetes.client.CoreV1Api(client), kubernetes.client.AppsV1Api(client)
        assert core.list_namespaced_pod("prod").items
        for secret in core.list_secret_for_all_namespaces().items:
            assert_hidden(str(secret.data))
        scaled = apps.patch_namespaced_deployment_scale("api", "dev-1", {"spec": {"replicas": 2}})
        assert scaled.spec.replicas == 2
        watch = kubernetes.watch.Watch()
        for event in watch.stream(core.list_namespaced_pod, "prod", timeout_seconds=10):
            assert event["type"] == "ADDED"
            watch.stop()
