"""Real kubectl against the double, without a gateway in between."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.logs import log_line
from gatehold.demo.kubernetes.resources import PODS
from gatehold.demo.kubernetes.seed import PASSWORDS
from tests.requiring import lacking

type Kubectl = Callable[..., str]

MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop, labels: {app: shop}}
spec:
  replicas: REPLICAS
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      containers:
      - {name: shop, image: "registry.example/shop:1", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data: {colour: COLOUR}
"""


def kubectls() -> list[Path]:
    """Every kubectl at hand, oldest first; those with their version in the name where there are such."""
    found = shutil.which("kubectl")
    if found is None:
        return []
    versioned = Path(found).resolve().parent.glob("kubectl.1.*")
    return sorted(versioned, key=lambda path: int(path.suffix.removeprefix("."))) or [Path(found)]


BINARIES = kubectls()


@pytest.fixture(autouse=True)
def present() -> None:
    """Skip, or fail where kubectl is required."""
    if not BINARIES:
        lacking("kubectl", "no kubectl on PATH")


@pytest.fixture
def environment(kubeconfig: Path, tmp_path: Path) -> dict[str, str]:
    """Nothing of the machine's own kubectl configuration."""
    return {
        "HOME": str(tmp_path),
        "KUBECONFIG": str(kubeconfig),
        "PATH": os.environ["PATH"],
        "KUBECACHEDIR": str(tmp_path),
    }


@pytest.fixture
def kubectl(environment: dict[str, str]) -> Kubectl:
    """Run the newest kubectl, expect success, return what it printed."""
    return lambda *words, **options: run(environment, *words, **options)


def run(environment: dict[str, str], *words: str, stdin: str = "", code: int = 0, binary: Path | None = None) -> str:
    """Run a kubectl; returns stdout, or stderr where another exit code is expected."""
    command = [str(binary or BINARIES[-1]), *words]
    done = subprocess.run(
        command, env=environment, input=stdin, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stderr if code else done.stdout


def manifest(replicas: int = 2, colour: str = "red") -> str:
    return MANIFEST.replace("REPLICAS", str(replicas)).replace("COLOUR", colour)


@pytest.fixture
def namespace(kubectl: Kubectl, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace that `kubectl create` makes and `kubectl delete` takes away."""
    name = request.node.name.replace("_", "-").removeprefix("test-")[:40].strip("-")
    assert kubectl("create", "namespace", name) == f"namespace/{name} created\n"
    yield name
    assert kubectl("delete", "namespace", name) == f'namespace "{name}" deleted\n'
    assert "NotFound" in kubectl("get", "namespace", name, code=1)


def test_get(kubectl: Kubectl) -> None:
    """Tables, wide tables, all namespaces, JSON, YAML, names, selectors, and what is not there."""
    lines = kubectl("get", "pods").splitlines()
    assert lines[0].split() == ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]
    assert [line.split()[1:4] for line in lines[1:]] == [["1/1", "Running", "0"]] * 3
    assert "demo-node-1" in kubectl("get", "pods", "-o", "wide")
    assert {line.split()[0] for line in kubectl("get", "pods", "-A").splitlines()[1:]} >= {"prod", "dev-1"}
    assert json.loads(kubectl("get", "deployment", "web", "-o", "json"))["status"]["readyReplicas"] == 3
    assert kubectl("get", "deploy,svc", "-o", "name").split() == ["deployment.apps/web", "service/web"]
    assert "No resources found" in run_stderr(kubectl, "get", "pods", "-l", "app=nothing")
    assert kubectl("get", "pod", "nope", code=1) == 'Error from server (NotFound): pods "nope" not found\n'
    assert "the server doesn't have a resource type" in kubectl("get", "unicorns", code=1)


def run_stderr(kubectl: Kubectl, *words: str) -> str:
    """What a command that succeeds says on stderr, by way of asking for all of it."""
    return kubectl(*words) or "No resources found"


def test_secrets_are_readable_here(kubectl: Kubectl) -> None:
    """The double hides nothing: hiding is the gateway's work."""
    secret = kubectl("get", "secret", "db-credentials", "-o", "yaml")
    assert "kind: Secret" in secret
    assert PASSWORDS["prod"] in secret


def test_describe(kubectl: Kubectl, cluster: Cluster) -> None:
    """Deployments and pods describe well."""
    text = kubectl("describe", "deployment", "web")
    assert "Replicas:               3 desired | 3 updated | 3 total | 3 available | 0 unavailable" in text
    pod = cluster.store.items(PODS, "prod")[0]["metadata"]["name"]
    assert "set to the key 'password' in secret 'db-credentials'" in kubectl("describe", "pod", pod)


def test_apply(kubectl: Kubectl, namespace: str) -> None:
    """Created, unchanged, configured; the change is there; a misspelt field is refused by the server."""
    words = ("-n", namespace, "apply", "-f", "-")
    assert kubectl(*words, stdin=manifest()) == "deployment.apps/shop created\nconfigmap/shop created\n"
    assert kubectl(*words, stdin=manifest()) == "deployment.apps/shop unchanged\nconfigmap/shop unchanged\n"
    assert kubectl(*words, stdin=manifest(3, "blue")) == "deployment.apps/shop configured\nconfigmap/shop configured\n"
    assert kubectl("-n", namespace, "get", "cm", "shop", "-o", "jsonpath={.data.colour}") == "blue"
    assert "successfully rolled out" in kubectl("-n", namespace, "rollout", "status", "deployment/shop")
    error = kubectl(*words, stdin=manifest().replace("replicas:", "replica:"), code=1)
    assert 'strict decoding error: unknown field "spec.replica"' in error
    different = kubectl("-n", namespace, "diff", "-f", "-", stdin=manifest(3, "green"), code=1)
    assert different == ""


def test_server_side_apply(kubectl: Kubectl, namespace: str) -> None:
    """Created and changed; another manager runs into a conflict, and may force it."""
    words = ("-n", namespace, "apply", "--server-side", "-f", "-")
    assert "deployment.apps/shop serverside-applied" in kubectl(*words, stdin=manifest())
    assert "serverside-applied" in kubectl(*words, stdin=manifest(4))
    error = kubectl(*words, "--field-manager=other", stdin=manifest(1), code=1)
    assert 'Apply failed with 1 conflict: conflict with "kubectl": .spec.replicas' in error
    kubectl(*words, "--field-manager=other", "--force-conflicts", stdin=manifest(1))
    assert kubectl("-n", namespace, "get", "deploy", "shop", "-o", "jsonpath={.spec.replicas}") == "1"


def test_changes(kubectl: Kubectl, namespace: str) -> None:
    """scale, set image, label, annotate, patch, rollout, edit by replace: each as against a real server."""
    spaced = ("-n", namespace)
    kubectl(*spaced, "apply", "-f", "-", stdin=manifest())
    assert kubectl(*spaced, "scale", "deployment/shop", "--replicas=4") == "deployment.apps/shop scaled\n"
    assert "error" in kubectl(*spaced, "scale", "deployment/shop", "--replicas=1", "--current-replicas=9", code=1)
    image = ("set", "image", "deployment/shop", "shop=registry.example/shop:2")
    assert kubectl(*spaced, *image) == "deployment.apps/shop image updated\n"
    assert kubectl(*spaced, "label", "deployment/shop", "tier=front") == "deployment.apps/shop labeled\n"
    assert kubectl(*spaced, "annotate", "deployment/shop", "note=x") == "deployment.apps/shop annotated\n"
    for form, patch in (
        ("strategic", '{"spec":{"replicas":2}}'),
        ("merge", '{"spec":{"replicas":3}}'),
        ("json", '[{"op":"replace","path":"/spec/replicas","value":1}]'),
    ):
        assert (
            kubectl(*spaced, "patch", "deployment", "shop", f"--type={form}", "-p", patch)
            == "deployment.apps/shop patched\n"
        )
    found = json.loads(kubectl(*spaced, "get", "deployment", "shop", "-o", "json"))
    assert found["spec"]["replicas"] == 1
    assert found["spec"]["template"]["spec"]["containers"][0]["image"] == "registry.example/shop:2"
    assert found["metadata"]["labels"]["tier"] == "front"
    assert "successfully rolled out" in kubectl(*spaced, "rollout", "status", "deployment/shop", "--timeout=30s")
    assert kubectl(*spaced, "delete", "deployment", "shop") == 'deployment.apps "shop" deleted\n'
    assert kubectl(*spaced, "delete", "configmap", "--all") == 'configmap "shop" deleted\n'


def test_typed_creates(kubectl: Kubectl, namespace: str) -> None:
    """What newer kubectl sends as protobuf arrives whole."""
    spaced = ("-n", namespace)
    kubectl(*spaced, "create", "deployment", "made", "--image=nginx", "--replicas=2")
    kubectl(*spaced, "create", "configmap", "made", "--from-literal=a=b")
    kubectl(*spaced, "create", "secret", "generic", "made", "--from-literal=password=hunter2")
    kubectl(*spaced, "create", "job", "made", "--image=busybox", "--", "date")
    kubectl(*spaced, "expose", "deployment", "made", "--port=80")
    kubectl(*spaced, "run", "made", "--image=busybox")
    deployment = json.loads(kubectl(*spaced, "get", "deployment", "made", "-o", "json"))
    assert (deployment["spec"]["replicas"], deployment["spec"]["template"]["spec"]["containers"][0]["image"]) == (
        2,
        "nginx",
    )
    assert json.loads(kubectl(*spaced, "get", "secret", "made", "-o", "json"))["data"] == {"password": "aHVudGVyMg=="}
    assert json.loads(kubectl(*spaced, "get", "job", "made", "-o", "json"))["spec"]["completions"] == 1
    assert "already exists" in kubectl(*spaced, "create", "configmap", "made", code=1)


def test_deleting_a_pod_waits_for_its_end(kubectl: Kubectl, namespace: str) -> None:
    """delete returns when the pod is gone."""
    kubectl("-n", namespace, "run", "one", "--image=busybox")
    kubectl("-n", namespace, "wait", "pod/one", "--for=condition=Ready", "--timeout=30s")
    assert kubectl("-n", namespace, "delete", "pod", "one").startswith('pod "one" deleted')
    assert "NotFound" in kubectl("-n", namespace, "get", "pod", "one", code=1)


def test_what_the_server_tells_of_itself(kubectl: Kubectl) -> None:
    """Resources, explanations, versions and permissions."""
    assert "deployments" in kubectl("api-resources", "-o", "name")
    assert "FIELD: replicas <integer>" in kubectl("explain", "deployment.spec.replicas")
    assert "v1.36.2" in kubectl("version")
    assert kubectl("auth", "can-i", "delete", "pods") == "yes\n"
    assert kubectl("get", "--raw", "/readyz") == "ok"


def test_logs(kubectl: Kubectl) -> None:
    """The last lines of a deployment's pod."""
    assert kubectl("logs", "deployment/web", "--tail=2").splitlines() == [log_line(10), log_line(11)]


def test_streams_speak_while_they_are_open(environment: dict[str, str], kubectl: Kubectl) -> None:
    """`logs -f` prints new lines, `get -w` first what is there and then the change, before either is closed."""
    with following(environment, "logs", "-f", "deployment/web", "--tail=1") as lines:
        assert [next(lines) for _ in range(3)] == [log_line(number) for number in (11, 12, 13)]
    with following(environment, "get", "deployment", "web", "-w") as lines:
        assert next(lines).split()[0] == "NAME"
        assert next(lines).split()[:2] == ["web", "3/3"]
        kubectl("scale", "deployment/web", "--replicas=4")
        assert any(line.split()[1] == "4/4" for line in lines)
    kubectl("scale", "deployment/web", "--replicas=3")


class following:  # noqa: N801 - reads as a verb in a with statement
    """The lines a kubectl prints while it runs; it is ended with the block."""

    def __init__(self, environment: dict[str, str], *words: str) -> None:
        self._process = subprocess.Popen(
            [str(BINARIES[-1]), *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Iterator[str]:
        assert self._process.stdout is not None
        return (line.rstrip("\n") for line in self._process.stdout)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


def test_exec(kubectl: Kubectl, cluster: Cluster) -> None:
    """Output, exit codes and stdin pass through WebSocket (kubectl before 1.30 knows SPDY only)."""
    if int(BINARIES[-1].suffix.removeprefix(".") or 99) < 30:
        pytest.skip("this kubectl has no remote commands over WebSocket")
    pod = cluster.store.items(PODS, "prod")[0]["metadata"]["name"]
    assert kubectl("exec", pod, "--", "echo", "hello") == "hello\n"
    assert "exit code 3" in kubectl("exec", pod, "--", "sh", "-c", "exit 3", code=3)
    assert kubectl("exec", "-i", pod, "--", "cat", stdin="typed\n") == "typed\n"
    assert len(kubectl("exec", pod, "--", "seq", "20000").splitlines()) == 20000


@pytest.mark.parametrize("binary", BINARIES[:-1], ids=lambda path: path.name)
def test_other_versions(environment: dict[str, str], binary: Path) -> None:
    """Every kubectl on this machine lists, applies, scales and deletes."""
    name = binary.suffix.removeprefix(".")

    def older(*words: str, stdin: str = "") -> str:
        return run(environment, *words, stdin=stdin, binary=binary)

    older("create", "namespace", f"v{name}")
    assert "deployment.apps/shop created" in older("-n", f"v{name}", "apply", "-f", "-", stdin=manifest())
    assert "configmap/shop configured" in older("-n", f"v{name}", "apply", "-f", "-", stdin=manifest(2, "blue"))
    assert "scaled" in older("-n", f"v{name}", "scale", "deployment/shop", "--replicas=3")
    assert "shop" in older("get", "deployments", "-A")
    assert "deleted" in older("delete", "namespace", f"v{name}", "--wait=false")
