"""Law: whatever way the gateway has to show itself to a cluster, the cluster sees the gateway (or the agent in its name)
on every call, look-ups included, never the agent's token; and the credential is found nowhere else.

One gateway with a cluster for each way. Each takes nothing but its own credential: the certificate that its authority
signed, the tokens that it was told of or minted, as long as they last.
"""

import base64
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from gatehold.demo.certificates import ClientCertificate, ClientUser, make_certificate, make_client_certificates
from gatehold.demo.kubernetes.app import kubernetes_app
from gatehold.demo.kubernetes.audit import AuditEvent
from gatehold.demo.kubernetes.cluster import Cluster
from gatehold.demo.kubernetes.identities import Identity, account
from gatehold.demo.kubernetes.resources import CONFIGMAPS
from gatehold.demo.serving import serve
from tests.e2e.harness import Answer, GatewayProcess, Installation, clean_environment, installation, require

CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  agentApi: {host: 127.0.0.1, port: @AGENT_API@}
  console: {host: 127.0.0.1, port: @CONSOLE@}
  packs: [kubernetes-discovery]
  listen: [{mode: regular, host: 127.0.0.1, port: @PROXY@}]
  identity:
    issuers:
      - {name: corp, issuer: "https://idp.test", audience: gatehold, jwks: {file: "@JWKS@"}, algorithms: [EdDSA]}
  approvals: {hold: 1s, expire: 15m}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: credentials}
rules:
  - name: all
    effect: allow
    agents: {groups: [planners]}
    kubernetes: {targets: ["*"], namespaces: ["*"], apiGroups: ["*"], resources: ["*"], verbs: ["*"]}
  - name: scale-up
    effect: constrain
    kubernetes:
      {targets: ["*"], namespaces: [prod], apiGroups: [apps], resources: [deployments/scale], verbs: [update, patch]}
    when: k8s.oldReplicas > 100
    approval: {groups: [sre]}
"""
TARGET = """
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {{name: {name}}}
spec:
  family: kubernetes
  hosts: ["{name}.corp.example:443"]
  connect: 127.0.0.1:{port}
  allowPrivate: true
  impersonate: {impersonate}
  tls: {{ca: "{authority}"}}
  credential: {{kubernetes: {credential}}}
"""
PLUGIN = """#!/bin/sh
echo run >> "$RUNS"
printf '{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status":
  {"token": "planted-plugin-token-%s", "expirationTimestamp": "%s"}}' \\
  "$(wc -l < "$RUNS" | tr -d ' ')" "$(date -u -d "+6 seconds" +%Y-%m-%dT%H:%M:%SZ)"
"""
WITH_OWN_POD = """
import sys
from pathlib import Path
from gatehold.credentials import kubernetes
kubernetes.IN_CLUSTER_TOKEN = Path(sys.argv.pop(1))
from gatehold.cli.main import main
main()
"""
"""``gatehold``, with the file that the kubelet mounts somewhere else."""

PODS = "/api/v1/namespaces/prod/pods"
SCALE = "/apis/apps/v1/namespaces/prod/deployments/web/scale"
MERGE = "application/merge-patch+json"
PATIENCE = 40.0
TOKEN_LIFE = 6.0
"""Seconds of a minted token."""

KUBECONFIG_TOKEN = "planted-kubeconfig-token-31e0"
FILE_TOKENS = ("planted-file-token-a9c1", "planted-file-token-b7d2")
POD_TOKEN = "planted-pod-token-55ad"
OWNER_TOKEN = "planted-owner-token-9f0b"
PLUGIN_TOKENS = tuple(f"planted-plugin-token-{number}" for number in range(1, 60))
POD = account("system:serviceaccount:gatehold:in-cluster")
MINTED_USER = "system:serviceaccount:prod:default"
USERS = {
    "certificate": "gateway-by-certificate",
    "token": "gateway-by-token",
    "plugin": "gateway-by-plugin",
    "file": "gateway-by-file",
    "pod": POD.user,
    "account": MINTED_USER,
    "person": "agent:corp:planner-1",
}
"""Whom the cluster has to see, by target."""


def _user(name: str) -> Identity:
    return Identity(user=name, groups=("system:authenticated",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One gateway and the clusters behind it."""

    installed: Installation
    process: GatewayProcess
    clusters: dict[str, Cluster]
    """By target; ``certificate`` lets nobody in without one."""
    ports: dict[str, int]
    certificates: list[ClientCertificate]
    files: Path

    def clear(self) -> None:
        """Forget what was received."""
        for each in self.clusters.values():
            each.received.clear()
            each.audit.clear()

    def curl(self, target: str, path: str, *options: str, token: str = "") -> Answer:
        """A call by curl."""
        return self.installed.curl(f"https://{target}.corp.example{path}", *options, token=token)

    def scale(self, target: str, token: str = "") -> Answer:
        """A write that is judged by what the object is now."""
        body = json.dumps({"spec": {"replicas": 2}})
        return self.curl(
            target, SCALE, "-X", "PATCH", "-H", f"Content-Type: {MERGE}", "--data-binary", body, token=token
        )

    def kubectl(self, target: str, *arguments: str, ok: bool = True, token: str = "") -> str:
        """What kubectl prints, on both outputs."""
        config = self.installed.kubeconfig(f"https://{target}.corp.example", token="unused")
        user = f"agent:{token or self.installed.token()}"
        environment = clean_environment(
            HOME=str(self.installed.directory), HTTPS_PROXY=f"http://{user}@127.0.0.1:{self.installed.proxy_port}"
        )
        command = [require("kubectl"), f"--kubeconfig={config}", f"--cache-dir={config}.cache", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
        assert (done.returncode == 0) == ok, done.stdout + done.stderr
        return done.stdout + done.stderr


def _kubeconfig(path: Path, user: dict[str, Any]) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": "https://unused.corp.example"}}],
        "users": [{"name": "gateway", "user": user}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "gateway"}}],
    }
    new = path.with_suffix(".new")
    new.write_text(json.dumps(document))
    return new.replace(path)


def _with_certificate(certificate: ClientCertificate) -> dict[str, str]:
    """A user as `kubectl config set-credentials --embed-certs` writes it."""
    return {
        "client-certificate-data": base64.b64encode(certificate.certificate.read_bytes()).decode(),
        "client-key-data": base64.b64encode(certificate.key.read_bytes()).decode(),
    }


def _credentials(files: Path, certificates: list[ClientCertificate]) -> dict[str, dict[str, Any]]:
    """What each target's configuration says, with the files that it names."""
    plugin = files / "plugin.sh"
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    environment = [{"name": "RUNS", "value": str(files / "runs")}]
    section = {"apiVersion": "client.authentication.k8s.io/v1", "command": "./plugin.sh", "env": environment}
    section |= {"interactiveMode": "Never"}
    (files / "file.token").write_text(FILE_TOKENS[0])
    (files / "owner.token").write_text(OWNER_TOKEN)
    (files / "pod.token").write_text(POD_TOKEN)
    users = {
        "certificate": _with_certificate(certificates[0]),
        "token": {"token": KUBECONFIG_TOKEN},
        "plugin": {"exec": section},
        "broken": {"exec": section | {"command": "/bin/false"}},
    }
    kubeconfigs = {name: _kubeconfig(files / f"{name}.kubeconfig", user) for name, user in users.items()}
    return {name: {"kubeconfig": str(path), "context": "it"} for name, path in kubeconfigs.items()} | {
        "file": {"tokenFile": str(files / "file.token")},
        "pod": {"inCluster": True},
        "account": {"serviceAccount": {"namespace": "prod", "name": "default", "ttl": "10m"}},
        "person": {"tokenFile": str(files / "owner.token")},
    }


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    with ExitStack() as stack:
        installed = stack.enter_context(installation(tmp_path_factory.mktemp("credentials")))
        files = installed.directory / "credentials"
        users = [ClientUser(name=USERS["certificate"], groups=("gateways",)), ClientUser(name="gateway-renewed")]
        authority, certificates = make_client_certificates(files, users)
        credentials = _credentials(files, certificates)
        server = make_certificate(files / "server", tuple(f"{name}.corp.example" for name in credentials))
        clusters = {name: _cluster(name) for name in credentials}
        ports = {
            name: stack.enter_context(
                serve(
                    kubernetes_app(cluster),
                    certificate=server.pair,
                    clients=authority if name == "certificate" else None,
                )
            ).port
            for name, cluster in clusters.items()
        }
        text = CONFIGURATION + "".join(
            TARGET.format(
                name=name,
                port=ports[name],
                impersonate=str(name == "person").lower(),
                authority=server.authority,
                credential=json.dumps(credential),
            )
            for name, credential in credentials.items()
        )
        installed.write("all.yaml", text)
        command = [sys.executable, "-c", WITH_OWN_POD, files / "pod.token", "run", "--config", installed.config]
        process = GatewayProcess(installed, command)
        stack.callback(process.stop)
        process.wait_ready()
        yield Fleet(
            installed=installed,
            process=process,
            clusters=clusters,
            ports=ports,
            certificates=certificates,
            files=files,
        )


def _cluster(name: str) -> Cluster:
    """A cluster that takes what its target has to show, and nothing else."""
    tokens = {
        "token": dict.fromkeys([KUBECONFIG_TOKEN], _user(USERS["token"])),
        "plugin": dict.fromkeys(PLUGIN_TOKENS, _user(USERS["plugin"])),
        "file": dict.fromkeys(FILE_TOKENS, _user(USERS["file"])),
        "pod": {POD_TOKEN: POD},
        "account": {POD_TOKEN: POD},
    }
    owner = OWNER_TOKEN if name == "person" else f"of-nobody-{name}"
    return Cluster(token=owner, settle=0.02, token_life=TOKEN_LIFE, tokens=tokens.get(name, {}))


@pytest.fixture(autouse=True)
def _fresh(fleet: Fleet) -> None:
    fleet.clear()


def _events(cluster: Cluster) -> list[AuditEvent]:
    """What was asked of a cluster for the agent; minting is the gateway's own affair."""
    return [each for each in cluster.audit if each.attributes is None or each.attributes.subresource != "token"]


@pytest.mark.parametrize("target", USERS)
def test_kubectl_works_and_the_cluster_sees_the_gateway(fleet: Fleet, target: str) -> None:
    """The right user on every request; the agent's token on none."""
    token = fleet.installed.token()
    assert "web" in fleet.kubectl(target, "get", "pods", "-n", "prod", token=token)
    cluster = fleet.clusters[target]
    assert {each.user for each in _events(cluster)} == {USERS[target]}
    assert {each.code for each in _events(cluster)} == {200}
    for each in cluster.received:
        assert not any(token in value for _, value in each.headers)
    _assert_shown(fleet, target)


def _assert_shown(fleet: Fleet, target: str) -> None:
    """By the certificate alone, or by a token."""
    shown = {each.header("authorization") for each in fleet.clusters[target].received}
    if target == "certificate":
        assert shown == {None}
        assert {each.groups for each in _events(fleet.clusters["certificate"])} == {
            ("gateways", "system:authenticated")
        }
    else:
        assert all(value and value.startswith("Bearer ") for value in shown)


@pytest.mark.parametrize("target", USERS)
def test_what_is_looked_up_is_asked_by_the_same_user(fleet: Fleet, target: str) -> None:
    """A write that is judged by the object as it is: first the look, then the write, both by the same credential."""
    answer = fleet.scale(target)
    assert answer.status == 200, answer.body
    events = _events(fleet.clusters[target])
    assert [each.verb for each in events] == ["get", "patch"]
    assert {each.user for each in events} == {USERS[target]}
    _assert_shown(fleet, target)


def test_no_certificate_no_way_in(fleet: Fleet) -> None:
    """The cluster demands it: without one the handshake fails, and the agent is told no more than that."""
    done = subprocess.run(
        ["curl", "-sS", "-k", "--max-time", "10", f"https://127.0.0.1:{fleet.ports['certificate']}{PODS}"],
        capture_output=True, env=clean_environment(), check=False,
    )  # fmt: skip
    assert done.returncode != 0
    assert not list(fleet.clusters["certificate"].received)


def test_a_renewed_certificate_is_used(fleet: Fleet) -> None:
    """The kubeconfig is another one: calls and look-ups come by the new certificate, without an error between."""
    config = fleet.files / "certificate.kubeconfig"
    _kubeconfig(config, _with_certificate(fleet.certificates[1]))
    try:
        _until(fleet, "certificate", lambda event: event.user == "gateway-renewed")
        fleet.clear()
        assert fleet.scale("certificate").status == 200
        assert {each.user for each in _events(fleet.clusters["certificate"])} == {"gateway-renewed"}
    finally:
        _kubeconfig(config, _with_certificate(fleet.certificates[0]))
    _until(fleet, "certificate", lambda event: event.user == USERS["certificate"])


def _until(fleet: Fleet, target: str, seen: Any) -> int:
    """Call until a call is seen as it should be; every one has to work. Gives their number."""
    deadline, token, number = time.monotonic() + PATIENCE, fleet.installed.token(), 0
    while time.monotonic() < deadline:
        answer = fleet.curl(target, PODS, token=token)
        assert answer.status == 200, answer.body
        number += 1
        if seen(_events(fleet.clusters[target])[-1]):
            return number
    raise AssertionError("never seen")


def _tokens(cluster: Cluster) -> list[str]:
    """The different tokens that came, the latest last."""
    shown = [(each.header("authorization") or "").removeprefix("Bearer ") for each in cluster.received]
    return [each for each in dict.fromkeys(reversed(shown)) if each][::-1]


def test_a_token_file_is_read_again(fleet: Fleet) -> None:
    """A fresh token is in use soon; a token that is gone is not used from memory."""
    path = fleet.files / "file.token"
    _replace(path, FILE_TOKENS[1])
    _until(fleet, "file", lambda _: _tokens(fleet.clusters["file"])[-1] == FILE_TOKENS[1])
    path.unlink()
    try:
        deadline = time.monotonic() + PATIENCE
        while (answer := fleet.curl("file", PODS)).status == 200 and time.monotonic() < deadline:
            pass
        _assert_unavailable(answer)
    finally:
        _replace(path, FILE_TOKENS[0])
    deadline = time.monotonic() + PATIENCE
    while (answer := fleet.curl("file", PODS)).status != 200 and time.monotonic() < deadline:
        _assert_unavailable(answer)
    assert answer.status == 200
    assert _tokens(fleet.clusters["file"])[-1] == FILE_TOKENS[0]


def _replace(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def _assert_unavailable(answer: Answer) -> None:
    """A Status with the reason, and when to ask again."""
    assert answer.status == 503
    status = answer.json
    assert (status["kind"], status["reason"]) == ("Status", "ServiceUnavailable")
    assert "credential-unavailable" in json.dumps(status["details"]["causes"])
    assert int(answer.headers["retry-after"]) >= 1


def test_a_credential_that_cannot_be_had_refuses(fleet: Fleet) -> None:
    """Reads and judged writes alike; nothing reaches the cluster."""
    _assert_unavailable(fleet.curl("broken", PODS))
    assert fleet.scale("broken").status in (403, 503)
    assert not list(fleet.clusters["broken"].received)


def test_a_plugin_runs_again_before_its_credential_ends(fleet: Fleet) -> None:
    """Beside the traffic: every call works, and there are far fewer runs than calls."""
    before = len((fleet.files / "runs").read_text().split())
    calls = _until(fleet, "plugin", lambda _: len(_tokens(fleet.clusters["plugin"])) >= 3)
    runs = len((fleet.files / "runs").read_text().split()) - before
    assert 2 <= runs <= 4 < calls


def test_a_minted_token_is_kept_and_renewed(fleet: Fleet) -> None:
    """Asked for with the pod's own token, cached, replaced before it ends; the minted one is what arrives."""
    cluster = fleet.clusters["account"]
    calls = _until(fleet, "account", lambda _: len(set(_tokens(cluster)) & cluster.minted) >= 3)
    minting = [each for each in cluster.audit if each.attributes and each.attributes.subresource == "token"]
    assert {(each.user, each.code, each.verb) for each in minting} == {(POD.user, 201, "create")}
    assert 2 <= len(minting) <= 4 < calls
    assert {each.user for each in _events(cluster)} == {MINTED_USER}


def test_the_agent_is_a_user_of_the_cluster(fleet: Fleet) -> None:
    """Under our prefix, groups too, in what is looked up as well; by the gateway's own token."""
    token = fleet.installed.token(subject="planner-1", groups=["planners", "ops"])
    assert fleet.scale("person", token=token).status == 200
    events = _events(fleet.clusters["person"])
    assert [each.verb for each in events] == ["get", "patch"]
    assert {each.user for each in events} == {"agent:corp:planner-1"}
    assert {each.groups for each in events} == {("agent:ops", "agent:planners", "system:authenticated")}
    assert _tokens(fleet.clusters["person"]) == [OWNER_TOKEN]


@pytest.mark.parametrize(
    ("subject", "groups"),
    [
        ("planner-1", ["planners", "system:masters"]),
        ("planner-1", ["planners", "System:masters"]),
        ("system:admin", ["planners"]),
        ("planner-1", ["planners", "ops\r\nImpersonate-Group: system:masters"]),
        ("planner-1", ["planners", "ops\x00"]),
        ("planner-1", ["planners", " ops"]),
        ("ünï", ["planners"]),
    ],
    ids=["masters", "masters, another case", "admin", "line break", "NUL", "space", "not ASCII"],
)
def test_a_claim_becomes_no_user_of_the_cluster(fleet: Fleet, subject: str, groups: list[str]) -> None:
    """Refused, look-ups too: nothing arrives."""
    token = fleet.installed.token(subject=subject, groups=groups)
    for answer in (fleet.curl("person", PODS, token=token), fleet.scale("person", token=token)):
        # A claim that no text is allowed to be is refused with its token, at CONNECT already.
        if answer.status == 0:
            assert "407" in answer.errors
        else:
            assert (answer.status, answer.json["kind"]) == (400, "Status")
    assert not list(fleet.clusters["person"].received)


def test_a_cluster_that_tells_the_credential_is_not_believed(fleet: Fleet) -> None:
    """Every credential stands in an object of the cluster; what agents read of it holds none."""
    for target in USERS:
        cluster = fleet.clusters[target]
        assert fleet.curl(target, PODS).status == 200
        shown = _tokens(cluster)
        assert bool(shown) is (target != "certificate")
        encoded = base64.b64encode(" ".join(shown).encode()).decode() or "none"
        item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "echo", "namespace": "prod"}}
        cluster.store.create(CONFIGMAPS, item | {"data": {"plain": " ".join(shown), "encoded": encoded}})
        output = fleet.kubectl(target, "get", "configmap", "echo", "-n", "prod", "-o", "yaml")
        assert "encoded" in output
        assert not [token for token in shown if token in output]
        assert encoded == "none" or encoded not in output


def _planted(fleet: Fleet) -> list[str]:
    """Everything that must not be found anywhere."""
    keys = [each.key.read_text().strip().splitlines()[1] for each in fleet.certificates]
    return [
        KUBECONFIG_TOKEN,
        *FILE_TOKENS,
        POD_TOKEN,
        OWNER_TOKEN,
        "planted-plugin-token",
        *fleet.clusters["account"].minted,
        *keys,
    ]


def test_no_credential_is_left_behind(fleet: Fleet) -> None:
    """Not in the journal, the recordings, the store, the log; client certificates lie where only their owner reads."""
    files = [path for path in fleet.installed.data.rglob("*") if path.is_file()]
    kept = [path for path in files if path.name.startswith("client-certificate-")]
    assert kept
    assert {path.stat().st_mode & 0o777 for path in kept} == {0o600}
    assert {path.suffix for path in files} >= {".flow", ".jsonl"}
    for text in _planted(fleet):
        for form in (text.encode(), base64.b64encode(text.encode()).rstrip(b"=")):
            assert [path.name for path in files if path not in kept and form in path.read_bytes()] == [], text
        assert text not in fleet.process.output
