"""Law: what is shipped for deployments lets agents reach the gateway and DNS, and nothing else, and says what it is."""

from pathlib import Path
from typing import Any

import yaml

DEPLOY = Path(__file__).resolve().parents[1] / "deploy" / "kubernetes"
POLICY = DEPLOY / "agents-network-policy.yaml"


def policy() -> dict[str, Any]:
    [found] = [each for each in yaml.safe_load_all(POLICY.read_text()) if each["kind"] == "NetworkPolicy"]
    spec: dict[str, Any] = found["spec"]
    return spec


def test_agents_reach_the_gateway_and_dns_only() -> None:
    """Every rule names namespace and pods in one peer (two peers would be either), and ports."""
    spec = policy()
    assert spec["podSelector"] == {}
    assert set(spec["policyTypes"]) == {"Ingress", "Egress"}
    assert spec["ingress"] == []
    opened = set()
    for rule in spec["egress"]:
        [peer] = rule["to"]
        assert set(peer) == {"namespaceSelector", "podSelector"}
        [namespace] = peer["namespaceSelector"]["matchLabels"].values()
        assert peer["podSelector"]["matchLabels"]
        opened |= {(namespace, port["protocol"], port["port"]) for port in rule["ports"]}
    assert opened == {
        ("gatehold", "TCP", 8080),
        ("gatehold", "TCP", 8082),
        ("kube-system", "UDP", 53),
        ("kube-system", "TCP", 53),
    }


def test_it_says_what_it_is() -> None:
    """Nobody is to believe that proxy variables hold an agent, or that more is claimed than is."""
    said = " ".join(POLICY.read_text().replace("#", " ").split())
    assert "This is part of the control" in said
    assert "holds no credential that the gateway holds" in said
    assert "must enforce NetworkPolicy" in said


def test_agents_are_restricted() -> None:
    """On the host's network, or privileged, a pod is not bound by it."""
    [namespace] = [each for each in yaml.safe_load_all(POLICY.read_text()) if each["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert namespace["metadata"]["name"] == "agents"
