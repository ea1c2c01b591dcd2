"""``credential.from``: who is asked for a target's credential, and by what the gateway shows itself there.

Every source gives **fields**, texts with names: those of a Vault secret, what a command prints; one that makes tokens
gives the field ``token``.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from gatehold.config.addresses import is_fetchable
from gatehold.config.shape import Part, Text
from gatehold.config.values import ConfigPath, Duration, SecretRef


def _fetchable(url: str) -> str:
    if not is_fetchable(url):
        # Not repeated: the userinfo that it must not have is a secret.
        raise ValueError("secrets come over https, or http from this machine, from an address without userinfo")
    return url


def _plain_path(path: str) -> str:
    if not all(step not in {"", ".", ".."} for step in path.split("/")):
        raise ValueError(f"{path!r}: a path in Vault is names with `/` between them")
    return path


def _command(command: str) -> str:
    if "/" in command and not command.startswith("/"):
        raise ValueError(f"{command!r}: write an absolute path, or a name that is looked for in PATH")
    return command


_Url = Annotated[Text, AfterValidator(_fetchable)]
_VaultPath = Annotated[Text, AfterValidator(_plain_path)]


class AppRoleSpec(Part):
    """Vault's auth method ``approle``."""

    mount: _VaultPath = "approle"
    role_id: SecretRef
    secret_id: SecretRef | None = None


class VaultKubernetesSpec(Part):
    """Vault's auth method ``kubernetes``: by the token of the gateway's own ServiceAccount."""

    mount: _VaultPath = "kubernetes"
    role: Text
    token_file: ConfigPath = Field(default="/var/run/secrets/kubernetes.io/serviceaccount/token", validate_default=True)


class VaultAuthSpec(Part):
    """How the gateway signs in to Vault; exactly one way."""

    approle: AppRoleSpec | None = None
    kubernetes: VaultKubernetesSpec | None = None
    token: SecretRef | None = None
    """A token that somebody else keeps alive, as in ``${file:/vault/token}``."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.approle, self.kubernetes, self.token)) != 1:
            raise ValueError("give exactly one of `approle`, `kubernetes` and `token`")
        return self


class VaultSpec(Part):
    """One secret of a Vault (KV version 2); its keys are the fields."""

    address: _Url
    ca: ConfigPath | None = None
    namespace: Text | None = None
    auth: VaultAuthSpec
    mount: _VaultPath = "secret"
    path: _VaultPath
    """Without the mount and without ``data/``."""
    version: Annotated[int, Field(strict=True, ge=1)] | None = None
    """Left out: the newest."""
    refresh: Duration = 300.0
    """How long what was read is used."""


class ExecSpec(Part):
    """A command that prints fields: see docs/credentials.md for the formats."""

    command: Annotated[Text, AfterValidator(_command)]
    args: tuple[str, ...] = ()
    env: dict[Text, str] = Field(default_factory=dict)
    timeout: Duration = 30.0
    refresh: Duration = 300.0
    """How long what it printed is used where it does not say when it ends."""


class OAuthClientSpec(Part):
    """The gateway as a client of an authorization server (RFC 6749, 2.3; RFC 7523)."""

    token_url: _Url
    ca: ConfigPath | None = None
    client_id: Text
    client_secret: SecretRef | None = None
    client_key: ConfigPath | None = None
    """PEM file of a private key, for ``private_key_jwt`` instead of a secret."""
    client_key_id: Text | None = None
    auth: Literal["basic", "post"] = "basic"
    """How the secret is shown."""
    scopes: tuple[Text, ...] = ()
    audience: Text | None = None
    resource: Text | None = None

    @model_validator(mode="after")
    def _one_proof(self) -> Self:
        if (self.client_secret is None) == (self.client_key is None):
            raise ValueError("give exactly one of `clientSecret` and `clientKey`")
        if self.client_key_id is not None and self.client_key is None:
            raise ValueError("`clientKeyId` belongs to `clientKey`")
        return self


class ExchangedSpec(OAuthClientSpec):
    """The agent's own token exchanged for one that the target takes (RFC 8693). One credential for each agent token."""

    subject_token_type: Text = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name
    """What the agents' tokens are to the server."""
    requested_token_type: Text = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a name


class GitHubAppSpec(Part):
    """Installation tokens of a GitHub App, for an hour each."""

    app_id: Text
    """Its id or client id."""
    installation_id: Annotated[int, Field(strict=True, ge=1)]
    private_key: ConfigPath
    """PEM file."""
    api_url: _Url = "https://api.github.com"
    ca: ConfigPath | None = None
    repositories: tuple[Text, ...] = ()
    """Names without the owner; left out: all of the installation."""
    permissions: dict[Text, Literal["read", "write", "admin"]] = Field(default_factory=dict)


class FromSpec(Part):
    """Who is asked; exactly one."""

    vault: VaultSpec | None = None
    exec: ExecSpec | None = None
    oauth: OAuthClientSpec | None = None
    """Client credentials (RFC 6749, 4.4)."""
    exchange: ExchangedSpec | None = None
    github_app: GitHubAppSpec | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(getattr(self, name) is not None for name in type(self).model_fields) != 1:
            raise ValueError("give exactly one of `vault`, `exec`, `oauth`, `exchange` and `githubApp`")
        return self

    @property
    def kind(self) -> str:
        """Its name in the configuration."""
        fields = type(self).model_fields
        return next(field.alias or name for name, field in fields.items() if getattr(self, name) is not None)

    @property
    def templates(self) -> tuple[SecretRef, ...]:
        """By what the gateway shows itself to the source."""
        return tuple(template for template in self._templates() if template is not None)

    @property
    def files(self) -> tuple[Path, ...]:
        """Files that must be there for it."""
        return tuple(path for path in self._files() if path is not None)

    def _templates(self) -> Iterator[SecretRef | None]:
        if self.vault is not None:
            auth = self.vault.auth
            yield auth.token
            if auth.approle is not None:
                yield from (auth.approle.role_id, auth.approle.secret_id)
        for client in (self.oauth, self.exchange):
            if client is not None:
                yield client.client_secret

    def _files(self) -> Iterator[Path | None]:
        if self.vault is not None:
            yield self.vault.ca
            if self.vault.auth.kubernetes is not None:
                yield self.vault.auth.kubernetes.token_file
        for client in (self.oauth, self.exchange):
            if client is not None:
                yield from (client.ca, client.client_key)
        if self.github_app is not None:
            yield from (self.github_app.ca, self.github_app.private_key)
