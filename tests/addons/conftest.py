"""A gateway that was built from documents, without listeners: what the stages see of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from addons import chain
from addons.connections import Connections
from addons.runtime import Runtime
from gatehold import wiring
from gatehold.config import load
from gatehold.demo.serving import ServerCertificate, make_certificate
from gatehold.identity.keys import keygen
from gatehold.wiring import Gateway
from tests.gatehold.keeping.recorders import recorder_in_thread

CREDENTIAL = "crm-planted-credential-5f2a91"
DOCUMENTS = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  listen:
    - {mode: regular, host: 127.0.0.1, port: 18080}
    - {mode: reverse, host: 127.0.0.1, port: 18443, target: crm, names: [crm-gateway.internal]}
  identity:
    issuers:
      - {name: corp, issuer: "https://idp.test", audience: gatehold, jwks: {file: ../keys/jwks.json}, algorithms: [EdDSA]}
  limits: {maxRequestBody: 1KiB, maxMaskedBody: 4KiB}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: crm}
spec:
  family: http
  hosts: ["crm.corp.example:443", "127.0.0.1:443"]
  allowPrivate: true
  tls: {ca: ../upstream/ca.pem}
  credential: {header: X-Crm-Key, prefix: "Key ", value: "CREDENTIAL"}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: plain}
spec: {family: http, hosts: ["plain.corp.example:80"], scheme: http}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: main}
spec: {family: kubernetes, hosts: ["kubernetes.corp.example:6443"], impersonate: true}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: rules}
rules:
  - {name: read, effect: allow, http: {targets: [crm], methods: [GET], paths: ["/**"]}}
  - name: mask
    effect: constrain
    http: {targets: [crm], methods: ["*"], paths: ["/masked/**"]}
    mask: {profiles: [pii]}
  - {name: write, effect: allow, http: {targets: [crm], methods: [POST], paths: ["/blocked/**", "/cleaned/**"]}}
  - name: nothing-goes-out
    effect: constrain
    http: {targets: [crm], methods: ["*"], paths: ["/blocked/**"]}
    dlp: {profiles: [pii, secrets]}
  - name: cleaned-on-the-way
    effect: constrain
    http: {targets: [crm], methods: ["*"], paths: ["/cleaned/**"]}
    dlp: {profiles: [pii], action: mask}
  - name: searched-namespace
    effect: allow
    kubernetes: {targets: [main], namespaces: [searched], verbs: ["*"]}
    dlp: {profiles: [kubernetes]}
"""


@pytest.fixture
def upstream(tmp_path: Path) -> ServerCertificate:
    """The certificate of the target ``crm``."""
    return make_certificate(tmp_path / "upstream", ("crm.corp.example", "127.0.0.1"))


@pytest.fixture(autouse=True)
def recorder_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these tests has a gateway of its own, and there are too many for a process each."""
    monkeypatch.setattr(wiring, "recorder_of", recorder_in_thread)


@pytest.fixture
async def runtime(tmp_path: Path, upstream: ServerCertificate) -> AsyncIterator[Runtime]:
    """A gateway whose credentials are at hand and whose recorder runs."""
    keygen(tmp_path / "keys")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "all.yaml").write_text(DOCUMENTS.replace("CREDENTIAL", CREDENTIAL))
    gateway = Gateway.build(load(tmp_path / "config"))
    assert not await gateway.broker.prepare()
    gateway.recorder.start(asyncio.get_running_loop())
    yield Runtime(gateway=gateway, connections=Connections(gateway.listeners, chain.mode_specs(gateway)))
    await gateway.broker.close()
    await gateway.recorder.stop()
    gateway.store.close()


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> list[tuple[float, Callable[[], None]]]:
    """What was asked to be done later; these tests have no loop that runs."""
    asked: list[tuple[float, Callable[[], None]]] = []

    def remember(seconds: float, work: Callable[[], None]) -> Mock:
        asked.append((seconds, work))
        return Mock()

    monkeypatch.setattr(Runtime, "later", staticmethod(remember))
    return asked
