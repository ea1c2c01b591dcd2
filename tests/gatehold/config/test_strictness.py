"""``check --strict`` tells of what works and should not be run like this where others can reach it."""

from pathlib import Path

import pytest

from gatehold.config import load
from gatehold.config.strictness import lenient

GATEWAY = """\
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {{name: default}}
spec:
  listen: [{listen}]
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {{name: crm}}
spec: {{family: http, hosts: ["crm.example:443"]}}
"""


def told(directory: Path, listen: str) -> list[str]:
    (directory / "gateway.yaml").write_text(GATEWAY.format(listen=listen))
    return [str(problem) for problem in lenient(load(directory))]


@pytest.mark.parametrize(
    "listen",
    [
        "{mode: regular, port: 8080}",
        "{mode: regular, port: 8080, host: '::1', tls: accept}",
        "{mode: regular, port: 8080, host: localhost}",
        "{mode: regular, port: 8080, host: 0.0.0.0, tls: require}",
        "{mode: reverse, port: 8443, host: 0.0.0.0, target: crm}",
    ],
)
def test_tokens_are_not_shown_in_the_open(tmp_path: Path, listen: str) -> None:
    """On this machine, or by TLS."""
    assert told(tmp_path, listen) == []


@pytest.mark.parametrize("listen", ["{mode: regular, port: 8080, host: 0.0.0.0}", "{mode: regular, port: 8080, host: 0.0.0.0, tls: accept}"])  # fmt: skip
def test_a_proxy_that_others_reach_without_tls(tmp_path: Path, listen: str) -> None:
    """One that takes both is one that takes tokens in the open."""
    [problem] = told(tmp_path, f"{{mode: reverse, port: 1, target: crm}}, {listen}")
    assert "gateway.yaml:4: listen[1]: agents show their tokens to 0.0.0.0:8080 in the open;" in problem
