"""The credential towards a cluster, in each of its forms."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from gatehold.config.credentials import KubernetesCredentialSpec
from gatehold.config.values import CredentialUnavailable
from gatehold.credentials.injection import Injection, origins
from gatehold.credentials.kubernetes import kubernetes_source
from gatehold.credentials.minting import Endpoint, ServiceAccountSource
from gatehold.credentials.sources import CredentialDelayed, Source

BOUND = origins("https", [("kubernetes.default.svc", 443)])
V1 = "client.authentication.k8s.io/v1"


@pytest.fixture
def source(tmp_path: Path) -> Callable[..., Source]:
    """Makes the source for a ``kubernetes`` credential."""

    def make(**keys: Any) -> Source:
        spec = KubernetesCredentialSpec.model_validate(keys, context={"base": str(tmp_path)})
        endpoint = Endpoint(scheme="https", host="kubernetes.default.svc:443")
        return kubernetes_source(spec, BOUND, owner="main", keys=tmp_path / "keys", endpoint=endpoint)

    return make


def kubeconfig(directory: Path, user: dict[str, Any]) -> Path:
    document = {
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": "https://elsewhere.example"}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": user}],
    }
    file = directory / "kubeconfig.yaml"
    file.write_text(yaml.safe_dump(document))
    return file


def headers_of(injection: Injection) -> dict[str, str]:
    return {name: value.reveal() for name, value in injection.headers}


async def test_token_file(source: Callable[..., Source], tmp_path: Path) -> None:
    """Read anew when the kubelet replaces it."""
    (tmp_path / "token").write_text("planted-1")
    made = source(tokenFile="token")
    assert headers_of(await made.obtain()) == {"Authorization": "Bearer planted-1"}
    (tmp_path / "token").write_text("planted-22")
    assert made.changed()
    assert headers_of(await made.obtain()) == {"Authorization": "Bearer planted-22"}


async def test_in_cluster(source: Callable[..., Source], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The token of the gateway's own pod."""
    monkeypatch.setattr("gatehold.credentials.kubernetes.IN_CLUSTER_TOKEN", tmp_path / "own")
    (tmp_path / "own").write_text("planted-own")
    assert headers_of(await source(inCluster=True).obtain()) == {"Authorization": "Bearer planted-own"}


def test_service_account(source: Callable[..., Source]) -> None:
    """Is minted."""
    assert isinstance(source(serviceAccount={"namespace": "gatehold", "name": "gateway"}), ServiceAccountSource)


async def test_kubeconfig_token(source: Callable[..., Source], tmp_path: Path) -> None:
    """A change of the kubeconfig is noticed; where it says the cluster is plays no part."""
    kubeconfig(tmp_path, {"token": "planted-1"})
    made = source(kubeconfig="kubeconfig.yaml", context="x")
    injection = await made.obtain()
    assert headers_of(injection) == {"Authorization": "Bearer planted-1"}
    assert injection.bound == BOUND
    assert not made.changed()
    kubeconfig(tmp_path, {"token": "planted-2-longer"})
    assert made.changed()


async def test_kubeconfig_basic(source: Callable[..., Source], tmp_path: Path) -> None:
    """User name and password."""
    kubeconfig(tmp_path, {"username": "gate", "password": "planted-1"})
    injection = await source(kubeconfig="kubeconfig.yaml").obtain()
    assert headers_of(injection) == {"Authorization": "Basic " + base64.b64encode(b"gate:planted-1").decode()}
    assert [secret.reveal() for secret in injection.secrets] == ["planted-1"]


async def test_kubeconfig_client_certificate(source: Callable[..., Source], tmp_path: Path, pair: Any) -> None:
    """Written where TLS finds it, with its end as the credential's; beside a token where there is one."""
    (tmp_path / "c.pem").write_text(pair.certificate)
    (tmp_path / "k.pem").write_text(pair.key)
    user = {"client-certificate": "c.pem", "client-key": "k.pem"}
    kubeconfig(tmp_path, user)
    made = source(kubeconfig="kubeconfig.yaml")
    injection = await made.obtain()
    assert injection.headers == ()
    assert injection.client_certificate is not None
    assert injection.client_certificate.parent == tmp_path / "keys"
    assert injection.expires_at == 1_800_000_000.0 + 86400
    (tmp_path / "k.pem").write_text("")
    assert made.changed()
    (tmp_path / "k.pem").write_text(pair.key)
    kubeconfig(tmp_path, {**user, "token": "planted-1"})
    both = await made.obtain()
    assert headers_of(both) == {"Authorization": "Bearer planted-1"}
    assert both.client_certificate == injection.client_certificate


async def test_kubeconfig_exec_plugin(source: Callable[..., Source], tmp_path: Path, pair: Any) -> None:
    """Its token, its certificate, and the earlier of the two ends."""
    status = {
        "token": "planted-1",
        "clientCertificateData": pair.certificate,
        "clientKeyData": pair.key,
        "expirationTimestamp": "2027-01-15T09:00:00Z",
    }
    (tmp_path / "out.json").write_text(json.dumps({"apiVersion": V1, "kind": "ExecCredential", "status": status}))
    kubeconfig(tmp_path, {"exec": {"apiVersion": V1, "command": "cat", "args": ["out.json"]}})
    injection = await source(kubeconfig="kubeconfig.yaml").obtain()
    assert headers_of(injection) == {"Authorization": "Bearer planted-1"}
    assert injection.client_certificate is not None
    assert injection.expires_at == 1_800_000_000.0 + 3600


def unsigned(**claims: Any) -> str:
    parts = ({"alg": "RS256"}, claims)
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts) + ".c2ln"
    )


async def test_kubeconfig_oidc(source: Callable[..., Source], tmp_path: Path) -> None:
    """By the ``kubernetes`` package; the end is the token's own."""
    ends = int(time.time()) + 3600
    token = unsigned(exp=ends)
    settings = {"id-token": token, "idp-issuer-url": "https://idp.example", "idp-certificate-authority-data": "AAAA"}
    kubeconfig(tmp_path, {"auth-provider": {"name": "oidc", "config": settings}})
    injection = await source(kubeconfig="kubeconfig.yaml").obtain()
    assert headers_of(injection) == {"Authorization": f"Bearer {token}"}
    assert injection.expires_at == ends


@pytest.mark.parametrize(
    ("user", "problem"),
    [
        ({"auth-provider": {"name": "gcp", "config": {"access-token": "planted"}}}, "only oidc"),
        ({"auth-provider": "planted"}, "only oidc"),
        ({"auth-provider": {"name": "oidc", "config": {"id-token": "planted"}}}, "idp-certificate-authority"),
        ({"exec": "planted"}, "not a mapping"),
        ({"exec": {"command": "planted"}}, "apiVersion v1"),
        ({"colour": "planted"}, "no credential that is supported"),
    ],
)
async def test_users_that_are_not_supported(
    source: Callable[..., Source], tmp_path: Path, user: dict[str, Any], problem: str
) -> None:
    """They are refused by name, not called without a credential."""
    kubeconfig(tmp_path, user)
    with pytest.raises(CredentialUnavailable, match=problem) as error:
        await source(kubeconfig="kubeconfig.yaml").obtain()
    assert "planted" not in str(error.value)


async def test_an_oidc_provider_that_fails(source: Callable[..., Source], tmp_path: Path) -> None:
    """Whatever goes wrong inside of that package is a credential that is not there for the moment."""
    settings = {
        "id-token": unsigned(exp=1),
        "idp-issuer-url": "http://127.0.0.1:9",
        "idp-certificate-authority": "no.pem",
    }
    kubeconfig(tmp_path, {"auth-provider": {"name": "oidc", "config": settings}})
    with pytest.raises(CredentialDelayed, match="gives no token"):
        await source(kubeconfig="kubeconfig.yaml").obtain()
