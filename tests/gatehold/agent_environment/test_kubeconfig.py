"""Law: kubectl and client libraries reach the cluster by the gateway alone, with the agent's token alone."""

import base64
from typing import Any

import yaml

from gatehold.agent_environment.kubeconfig import through_proxy, through_reverse
from gatehold.agent_environment.places import Place, forwarder_place

AUTHORITY = b"-----BEGIN CERTIFICATE-----\n"
REVERSE = Place(scheme="https", host="gateway", port=8443)
PROXY = Place(scheme="http", host="::1", port=8080)


def read(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """The cluster and the user of the current context."""
    document: dict[str, Any] = yaml.safe_load(text)
    [context] = [each["context"] for each in document["contexts"] if each["name"] == document["current-context"]]
    [cluster] = [each["cluster"] for each in document["clusters"] if each["name"] == context["cluster"]]
    [user] = [each["user"] for each in document["users"] if each["name"] == context["user"]]
    assert base64.b64decode(cluster.pop("certificate-authority-data")) == AUTHORITY
    return cluster, user


def test_a_reverse_listener() -> None:
    """Stands for the API server."""
    cluster, user = read(through_reverse("main", REVERSE, authority=AUTHORITY))
    assert (cluster, user) == ({"server": "https://gateway:8443"}, {"token": "${GATEHOLD_TOKEN}"})


def test_a_token_in_a_file() -> None:
    """Is read by the client, as often as it likes; nothing is left to fill in."""
    text = through_reverse("main", REVERSE, authority=AUTHORITY, token_file="/var/run/token")
    assert read(text)[1] == {"tokenFile": "/var/run/token"}
    text += through_proxy("main", "k8s.corp.example:443", PROXY, authority=AUTHORITY, token_file="/var/run/token")
    assert "GATEHOLD_TOKEN" not in text


def test_the_proxy() -> None:
    """The cluster's own name, and the token for the proxy as well as inside."""
    cluster, user = read(through_proxy("main", "k8s.corp.example:443", PROXY, authority=AUTHORITY))
    assert cluster == {
        "server": "https://k8s.corp.example:443",
        "proxy-url": "http://agent:${GATEHOLD_TOKEN}@[::1]:8080",
    }
    assert user == {"token": "${GATEHOLD_TOKEN}"}


def test_a_forwarder() -> None:
    """Shows the token itself; kubectl still wants some credential."""
    cluster, user = read(through_proxy("main", "k8s.corp.example:443", forwarder_place(8079), authority=AUTHORITY))
    assert cluster["proxy-url"] == "http://127.0.0.1:8079"
    assert user == {"token": "unused"}
