"""``Gateway.spec.console``: the web pages for approvers, and how people sign in to them."""

from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator, model_validator

from gatehold.config.addresses import check_host, is_fetchable, is_loopback
from gatehold.config.shape import Part, Port, Text
from gatehold.config.values import ConfigPath, Duration, SecretRef

CONSOLE_PORT = 8081

_Host = Annotated[str, AfterValidator(check_host)]


class OidcSpec(Part):
    """An OpenID provider by which people sign in."""

    issuer: Text
    """Its ``iss``; the rest is read from its discovery document."""
    client_id: Text
    client_secret: SecretRef | None = None
    """Left out: a public client, held by PKCE alone."""
    scopes: tuple[Text, ...] = Field(default_factory=lambda: ("openid", "profile", "email"))
    groups: Text = "groups"
    """Path of the claim with a person's groups."""
    allow: tuple[Text, ...] = Field(min_length=1)
    """Globs of groups; who is in none of them is not let in, and other groups do not count."""
    name: Text = "preferred_username"
    """Claim that names a person when they come for the first time."""
    ca: ConfigPath | None = None

    @field_validator("issuer")
    @classmethod
    def _fetchable(cls, issuer: str) -> str:
        if not is_fetchable(issuer) or urlsplit(issuer).query:
            raise ValueError(f"{issuer!r}: an OpenID provider has an https address (http only on this machine)")
        return issuer

    @field_validator("scopes")
    @classmethod
    def _asks_for_an_id_token(cls, scopes: tuple[str, ...]) -> tuple[str, ...]:
        if "openid" not in scopes:
            raise ValueError("without `openid` a provider does not say who somebody is")
        return scopes


class LoginSpec(Part):
    """The ways in."""

    password: bool = True
    oidc: OidcSpec | None = None

    @model_validator(mode="after")
    def _some_way(self) -> Self:
        if not self.password and self.oidc is None:
            raise ValueError("nobody could sign in: allow `password`, or give `oidc`")
        return self


class SessionSpec(Part):
    """How long somebody stays signed in."""

    max: Duration = 12 * 3600.0
    idle: Duration = 3600.0

    @model_validator(mode="after")
    def _lasts(self) -> Self:
        if self.idle <= 0 or self.max <= 0:
            raise ValueError("a session that lasts no time lets nobody in")
        return self


class ConsoleSpec(Part):
    """The web pages for approvers."""

    host: _Host = "127.0.0.1"
    port: Port = CONSOLE_PORT
    url: Text | None = None
    """The address that people use, where it differs."""
    login: LoginSpec = Field(default_factory=LoginSpec)
    session: SessionSpec = Field(default_factory=SessionSpec)

    @field_validator("url")
    @classmethod
    def _web_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if not url.startswith(("https://", "http://")):
            raise ValueError(f"{url!r} is not a web address; write it as in https://gatehold.corp.example")
        parts = urlsplit(url)
        if not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
            raise ValueError(f"{url!r}: the console has a whole host of its own, as in https://gatehold.corp.example")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _cookies_stay_secret(self) -> Self:
        plain = self.url is not None and not self.url.startswith("https://")
        if plain and not is_loopback(urlsplit(self.url or "").hostname or ""):
            raise ValueError("`url`: people's cookies would cross the network in the clear; put https in front of it")
        if not is_loopback(self.host) and (self.url is None or plain):
            raise ValueError(
                f"`host` {self.host} is reached from other machines; give the https address of the proxy in front of "
                "it, as in url: https://gatehold.corp.example"
            )
        return self

    @property
    def secure(self) -> bool:
        """Whether browsers reach it by https."""
        return self.url is not None and self.url.startswith("https://")
