"""The gateway's credential towards a cluster, as one target has it configured."""

import asyncio
import base64
import json
from pathlib import Path
from typing import Any

from gatehold.config.credentials import KubernetesCredentialSpec
from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials import certificates, plugins
from gatehold.credentials.injection import Bound, Injection, basic_header, bearer_header
from gatehold.credentials.kubeconfig import User, client_certificate, read_user, static_token
from gatehold.credentials.minting import Endpoint, ServiceAccountSource
from gatehold.credentials.sources import CredentialDelayed, Files, Source, TokenFileSource

IN_CLUSTER_TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")
"""Where the kubelet keeps the token of the gateway's own pod fresh."""


def kubernetes_source(
    spec: KubernetesCredentialSpec, bound: Bound, *, owner: str, keys: Path, endpoint: Endpoint
) -> Source:
    """The source for a ``kubernetes`` credential of the target ``owner``."""
    if spec.kubeconfig is not None:
        return KubeconfigSource(spec.kubeconfig, spec.context, bound, owner=owner, keys=keys)
    if spec.token_file is not None:
        return TokenFileSource(spec.token_file, bound)
    own = TokenFileSource(IN_CLUSTER_TOKEN, bound)
    return own if spec.service_account is None else ServiceAccountSource(spec.service_account, own, endpoint, bound)


class KubeconfigSource:
    """The credential of a kubeconfig's user: token, token file, client certificate, basic, exec plugin, OIDC."""

    def __init__(self, path: Path, context: str | None, bound: Bound, *, owner: str, keys: Path) -> None:
        self._path = path
        self._context = context
        self._bound = bound
        self._owner = owner
        self._keys = keys
        self._files = Files()

    async def obtain(self) -> Injection:
        """Read the kubeconfig and what it refers to; run its plugin if it has one."""
        self._files = Files()
        user = read_user(self._path, self._context, self._files)
        if "exec" in user.section:
            return self._of_plugin(await plugins.run(self._plugin(user)))
        if "auth-provider" in user.section:
            return self._of_token(*await _provider_token(user))
        return self._of_user(user)

    def changed(self) -> bool:
        """Whether the kubeconfig or a file that it names is another one now."""
        return self._files.changed()

    def _plugin(self, user: User) -> plugins.Plugin:
        section = user.section["exec"]
        if not isinstance(section, dict):
            raise CredentialUnavailable(f"user {user.name!r}: `exec` is not a mapping")
        return plugins.plugin_of(section, user.directory, user.cluster)

    def _of_user(self, user: User) -> Injection:
        pair = client_certificate(user, self._files)
        token = static_token(user, self._files)
        if token is not None:
            return self._of_token(token, None, pair)
        username, password = user.section.get("username"), user.section.get("password")
        if username and password:
            secret = Secret(str(password))
            return self._injection((basic_header(str(username), secret),), (secret,), None, pair)
        if pair is None:
            raise CredentialUnavailable(f"{self._path}: user {user.name!r} has no credential that is supported")
        return self._injection((), (), None, pair)

    def _of_plugin(self, given: plugins.PluginCredential) -> Injection:
        pair = (given.certificate, given.key) if given.certificate and given.key else None
        if given.token is not None:
            return self._of_token(given.token, given.expires_at, pair)
        return self._injection((), (), given.expires_at, pair)

    def _of_token(self, token: Secret, expires_at: float | None, pair: tuple[str, Secret] | None = None) -> Injection:
        return self._injection((bearer_header(token),), (token,), expires_at, pair)

    def _injection(
        self,
        headers: tuple[tuple[str, Secret], ...],
        secrets: tuple[Secret, ...],
        expires_at: float | None,
        pair: tuple[str, Secret] | None,
    ) -> Injection:
        file, ends = certificates.store(self._keys, self._owner, *pair) if pair else (None, None)
        return Injection(
            bound=self._bound,
            headers=headers,
            client_certificate=file,
            secrets=secrets,
            expires_at=min((moment for moment in (expires_at, ends) if moment is not None), default=None),
        )


async def _provider_token(user: User) -> tuple[Secret, float | None]:
    """The token of an ``auth-provider: oidc``, renewed by the ``kubernetes`` package in a thread."""
    provider = user.section["auth-provider"]
    settings = provider.get("config") if isinstance(provider, dict) else None
    if not isinstance(settings, dict) or provider.get("name") != "oidc":
        raise CredentialUnavailable(f"user {user.name!r}: of the auth providers only oidc is supported")
    if not {"idp-certificate-authority", "idp-certificate-authority-data"} & settings.keys():
        # The package would ask an issuer without a stated CA over unverified TLS.
        raise CredentialUnavailable(f"user {user.name!r}: the oidc provider needs idp-certificate-authority")
    token = await asyncio.to_thread(_load_provider_token, user)
    return Secret(token), _expiry(token)


def _load_provider_token(user: User) -> str:
    from kubernetes.client import Configuration  # noqa: PLC0415 - 74 MB, for one rare kind of user
    from kubernetes.config.kube_config import KubeConfigLoader  # noqa: PLC0415

    cluster = {"name": "of-the-target", "cluster": {}}
    context = {"name": user.context, "context": {"user": user.name, "cluster": cluster["name"]}}
    users = [{"name": user.name, "user": dict(user.section)}]
    document = {"current-context": user.context, "contexts": [context], "clusters": [cluster], "users": users}
    configuration = Configuration()
    try:
        loader = KubeConfigLoader(document, config_base_path=str(user.directory))  # type: ignore[no-untyped-call]
        loader.load_and_set(configuration)  # type: ignore[no-untyped-call]
        value = str(configuration.api_key["BearerToken"])
    except Exception:  # noqa: BLE001 - whatever that package and its own raise, the call is refused
        raise CredentialDelayed(f"user {user.name!r}: the oidc provider gives no token") from None
    return value.removeprefix("Bearer ")


def _expiry(token: str) -> float | None:
    """``exp`` of a token that is the gateway's own; it is for the cluster to verify."""
    try:
        body = token.split(".")[1]
        payload: Any = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return float(payload["exp"])
    except (IndexError, ValueError, TypeError, KeyError):
        return None
