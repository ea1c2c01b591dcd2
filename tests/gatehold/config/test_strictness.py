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
spec: {{family: http, {target}}}
"""
BEARER = "credential: {bearer: '${env:CRM_TOKEN}'}"


def told(directory: Path, listen: str, target: str = "hosts: ['crm.example:443']") -> list[str]:
    (directory / "gateway.yaml").write_text(GATEWAY.format(listen=listen, target=target))
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


@pytest.mark.parametrize(
    "target",
    [
        f"hosts: ['crm.example:443'], {BEARER}",
        "hosts: ['crm.example:80'], scheme: http",
        f"hosts: ['localhost:80', '127.0.0.1:80', '127.9.9.9:80', '[::1]:80'], scheme: http, {BEARER}",
        f"hosts: ['crm.example:80'], connect: '127.0.0.1:8000', scheme: http, {BEARER}",
        f"hosts: ['crm.example:80'], connect: '[::1]:8000', scheme: http, {BEARER}",
    ],
)
def test_credentials_are_not_shown_in_the_open(tmp_path: Path, target: str) -> None:
    """By TLS, or to this machine; what matters is what is dialled."""
    assert told(tmp_path, "{mode: regular, port: 8080}", target) == []


@pytest.mark.parametrize(
    ("target", "seen"),
    [
        ("hosts: ['localhost:80', 'crm.example:80', '10.0.0.7:80']", "crm.example:80, 10.0.0.7:80"),
        ("hosts: ['localhost:80'], connect: '[fd00::7]:8000'", "[fd00::7]:8000"),
        ("hosts: ['localhost.example:80']", "localhost.example:80"),
    ],
)
@pytest.mark.parametrize("form", [BEARER, "credential: {query: key, value: '${env:KEY}'}", "credential: {basic: {username: a, password: '${env:KEY}'}}"])  # fmt: skip
def test_a_credential_that_others_can_read_on_its_way(tmp_path: Path, target: str, seen: str, form: str) -> None:
    """Told at the line of the target, whatever carries it; a name is not resolved."""
    [problem] = told(tmp_path, "{mode: regular, port: 8080}", f"{target}, scheme: http, {form}")
    assert f"gateway.yaml:10: target crm: the credential goes to {seen} in the open; write scheme: https" in problem
