"""``check --resolve`` finds what is named and not there."""

from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.config.resolving import missing

DOCUMENTS = """\
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  identity:
    issuers: [{name: a, issuer: x, audience: g, jwks: {file: jwks.json}, algorithms: [EdDSA]}]
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: crm}
spec:
  family: http
  hosts: ["crm.example:443"]
  tls: {ca: ca.pem}
  credential:
    basic: {username: "${env:GH_TEST_USER}", password: "${file:password}"}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: main}
spec:
  family: kubernetes
  hosts: ["k8s.example:443"]
  credential: {kubernetes: {tokenFile: token}}
"""


def test_everything_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GH_TEST_USER", raising=False)
    file = tmp_path / "all.yaml"
    file.write_text(DOCUMENTS)
    configuration = load(tmp_path)
    gone = "No such file or directory"
    assert [str(problem) for problem in missing(configuration)] == [
        f"{file}:5: {tmp_path}/jwks.json: {gone}",
        f"{file}:15: {tmp_path}/ca.pem: {gone}",
        f"{file}:15: target crm: ${{env:GH_TEST_USER}} is not set",
        f"{file}:15: target crm: ${{file:{tmp_path}/password}}: {gone}",
        f"{file}:24: {tmp_path}/token: {gone}",
    ]
    monkeypatch.setenv("GH_TEST_USER", "bot")
    for name in ("jwks.json", "ca.pem", "password", "token"):
        (tmp_path / name).write_text("x")
    assert missing(configuration) == ()


SOURCES = """\
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec: {}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: crm}
spec:
  family: http
  hosts: ["crm.example:443"]
  credential:
    bearer: "${from:key}"
    from:
      vault: {address: "https://vault.example", ca: ca.pem, path: crm, auth: {approle: {roleId: "${file:role}"}}}
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: api}
spec: {family: http, hosts: ["api.example:443"], credential: {from: {exec: {command: no-such-command-anywhere}}}}
"""


def test_what_sources_need_is_told(tmp_path: Path) -> None:
    """Files and templates by which the gateway shows itself, commands; not the fields: nobody is asked."""
    file = tmp_path / "all.yaml"
    file.write_text(SOURCES)
    gone = "No such file or directory"
    assert [str(problem) for problem in missing(load(tmp_path))] == [
        f"{file}:12: {tmp_path}/ca.pem: {gone}",
        f"{file}:12: target crm: ${{file:{tmp_path}/role}}: {gone}",
        f"{file}:20: target api: no-such-command-anywhere: there is no such command",
    ]
