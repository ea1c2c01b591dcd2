"""Law: every client of this environment asks the gateway, and trusts the gateway beside the system."""

import shlex

import pytest

from gatehold.agent_environment.places import Place, forwarder_place
from gatehold.agent_environment.trust import TrustPaths
from gatehold.agent_environment.variables import Unwritable, variables

GATEWAY = Place(scheme="http", host="gateway", port=8080)
PATHS = TrustPaths(directory="/etc/gatehold")


def values(place: Place = GATEWAY, directory: str = "/etc/gatehold", **options: tuple[str, ...]) -> dict[str, str]:
    made = variables(place, TrustPaths(directory=directory), **options)
    assert len({each.name for each in made}) == len(made)
    return {each.name: each.filled("T") for each in made}


def test_proxies() -> None:
    """All spellings, with the token as the password; nothing is excepted but loopback and the gateway itself."""
    told = values(direct=("k8s.internal", "localhost"))
    assert {told[name] for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy")} == {
        "http://agent:T@gateway:8080"
    }
    assert {told["NO_PROXY"], told["no_proxy"]} == {"localhost,127.0.0.1,::1,k8s.internal"}
    assert "${GATEHOLD_TOKEN}" in variables(GATEWAY, PATHS)[0].filled()


def test_certificates() -> None:
    """Node extends its own trust and gets ours alone; all others replace theirs, by a bundle."""
    told = values()
    assert told["NODE_EXTRA_CA_CERTS"] == "/etc/gatehold/ca.pem"
    names = {name for name, value in told.items() if value == "/etc/gatehold/ca-bundle.pem"}
    assert names == {"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "GIT_PROXY_SSL_CAINFO", "PIP_CERT", "npm_config_cafile", "AWS_CA_BUNDLE", "CARGO_HTTP_CAINFO"}  # fmt: skip


def test_java() -> None:
    """Its own properties; a directory with a space is one option still; no proxy where Java could not speak with it."""
    told = values(Place(scheme="http", host="::1", port=1), "/my agents", direct=("k8s.internal",))["JAVA_TOOL_OPTIONS"]
    options = dict(option.removeprefix("-D").split("=", 1) for option in shlex.split(told))
    assert options["javax.net.ssl.trustStore"] == "/my agents/truststore.p12"
    assert (options["https.proxyHost"], options["https.proxyPort"]) == ("::1", "1")
    assert options["http.nonProxyHosts"] == "localhost|127.0.0.1|[::1]|k8s.internal"
    assert "proxy" not in values(Place(scheme="https", host="gateway", port=1))["JAVA_TOOL_OPTIONS"]


def test_a_forwarder_needs_no_token() -> None:
    made = variables(forwarder_place(8079), PATHS)
    assert all(each.then is None for each in made)
    assert made[0].filled() == "http://127.0.0.1:8079"


@pytest.mark.parametrize("directory", ["/it's", '/a"b', "/a\nb", "/a\\b", "/a\x00"])
def test_a_directory_that_some_client_misreads(directory: str) -> None:
    with pytest.raises(Unwritable, match="--out"):
        variables(GATEWAY, TrustPaths(directory=directory))
