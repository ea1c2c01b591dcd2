"""Law: what is printed fits the configuration; what would not work is not printed."""

from pathlib import Path

import pytest
import yaml

from gatehold.agent_environment.places import Unreachable
from gatehold.agent_environment.printing import Wanted, cluster_access, environment
from gatehold.config import Configuration, load

DOCUMENTS = """\
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {{name: default}}
spec:
  listen: [{listen}]
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {{name: main}}
spec: {{family: kubernetes, hosts: ["k8s.corp.example:6443"], identity: {identity}}}
"""
REGULAR = "{mode: regular, port: 8080}"


def configured(directory: Path, listen: str = REGULAR, identity: str = "either") -> Configuration:
    (directory / "gateway.yaml").write_text(DOCUMENTS.format(listen=listen, identity=identity))
    return load(directory)


def test_a_token_file_only_where_clients_show_it_inside(tmp_path: Path) -> None:
    """A proxy's address has no file, so a target that looks at the proxy's token alone would never see one."""
    access = cluster_access(configured(tmp_path), Wanted(), target=None, token_file="/run/token")
    assert "proxy-url: http://127.0.0.1:8080\n" in access
    with pytest.raises(Unreachable, match="identity: proxy"):
        cluster_access(configured(tmp_path, identity="proxy"), Wanted(), target=None, token_file="/run/token")
    assert cluster_access(configured(tmp_path, identity="proxy"), Wanted(forwarder=1), target=None, token_file="/run/token")  # fmt: skip


def test_a_forwarder_comes_before_a_reverse_listener(tmp_path: Path) -> None:
    """It was asked for, and shows the token."""
    configuration = configured(tmp_path, f"{REGULAR}, {{mode: reverse, port: 8443, target: main}}")
    for wanted, server in ((Wanted(), "https://127.0.0.1:8443"), (Wanted(forwarder=1), "https://k8s.corp.example:6443")):  # fmt: skip
        access = yaml.safe_load(cluster_access(configuration, wanted, target="main", token_file=None))
        assert access["clusters"][0]["cluster"]["server"] == server


def test_no_proxy_no_environment(tmp_path: Path) -> None:
    """Nor files for one."""
    configuration = configured(tmp_path, "{mode: reverse, port: 8443, target: main}")
    with pytest.raises(Unreachable, match="mode: regular"):
        environment(configuration, Wanted())
    assert not (tmp_path / "data" / "agents").exists()
    assert "8443" in cluster_access(configuration, Wanted(), target=None, token_file=None)
