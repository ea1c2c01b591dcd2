"""Who may say who an agent is: ``Gateway.spec.identity``."""

from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from gatehold.config import issuer_urls
from gatehold.config.addresses import is_fetchable
from gatehold.config.exchange import ExchangeSpec, SamlSpec
from gatehold.config.open_audiences import chooses_audience, tied
from gatehold.config.shape import Name, Part, Text
from gatehold.config.values import ConfigPath, Duration

ASYMMETRIC = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
SYMMETRIC = ("HS256", "HS384", "HS512")

_MAIL = frozenset({"email", "mail"})


class JwksSpec(Part):
    """Where an issuer's keys come from; exactly one of them, and whom to trust there."""

    discovery: Literal[True] | None = None
    url: Text | None = None
    file: ConfigPath | None = None
    cluster: Name | None = None
    """Target of family kubernetes: its ServiceAccount issuer's keys, asked for by the gateway's credential there."""
    ca: ConfigPath | None = None
    """PEM, for ``discovery`` and ``url``; left out: the system's store."""

    @field_validator("url")
    @classmethod
    def _safe_address(cls, url: str | None) -> str | None:
        if url is not None and not is_fetchable(url):
            raise ValueError(f"{url!r}: keys are fetched over https, or http from this machine, without userinfo")
        return url

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.discovery, self.url, self.file, self.cluster)) != 1:
            raise ValueError("give exactly one of `discovery: true`, `url`, `file` and `cluster`")
        if self.ca is not None and not (self.discovery or self.url):
            raise ValueError("`ca` belongs to `discovery` and `url`")
        return self


class ClaimsSpec(Part):
    """Which claims say what; each a name, a dotted path, or a JSON Pointer."""

    subject: Text = "sub"
    groups: Text = "groups"
    session: Text = "sid"
    purpose: Text | None = None
    """What the agent is there for; people who approve its calls see it."""


class GroupsSpec(Part):
    """Which groups an issuer may assert."""

    allow: tuple[Text, ...] | None = Field(default=None, min_length=1)
    """Globs. Left out: any, where nobody else gives groups; none beside other issuers, SAML providers, or API keys."""


class IssuerSpec(Part):
    """One issuer of agent tokens."""

    name: Name
    issuer: Text
    """The exact value of ``iss``. ``{claim}`` in it stands for each value that ``require`` names for that claim."""
    audience: Text
    jwks: JwksSpec
    algorithms: tuple[Literal[*ASYMMETRIC, *SYMMETRIC], ...] = Field(min_length=1)  # type: ignore[valid-type]
    claims: ClaimsSpec = Field(default_factory=ClaimsSpec)
    groups: GroupsSpec = Field(default_factory=GroupsSpec)
    require: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Claim to globs, one of which its value must match."""
    clients: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Globs of the clients (``azp``, ``client_id``, ``appid``, ``cid``) that tokens may have been made for."""
    max_age: Duration | None = None
    """Left out: a token is good until it expires."""
    token_review: Name | None = None
    """Target of family kubernetes, which is asked whether the token still counts (its pod may be gone)."""
    use: Literal["calls", "exchange", "any"] = "any"
    """Whether its tokens may be shown with calls, only be exchanged for a token of the gateway, or both."""
    dev: bool = False
    """A local issuer for development: shared keys (HS256) are accepted."""

    @model_validator(mode="after")
    def _shared_keys_stay_local(self) -> Self:
        shared = [name for name in self.algorithms if name in SYMMETRIC]
        if shared and not self.dev:
            raise ValueError(f"`algorithms`: {shared[0]} has one key for making and checking; only with `dev: true`")
        if shared and (len(shared) != len(self.algorithms) or self.jwks.file is None):
            raise ValueError("`algorithms`: shared keys come from a jwks file and do not mix with key pairs")
        return self

    @model_validator(mode="after")
    def _audience_proves_something(self) -> Self:
        if chooses_audience(self.issuer) and not tied(self.require):
            raise ValueError(
                "`require` is missing: with this issuer anyone can ask for this audience; "
                "name the claim that ties tokens to you, as in require: {repository_owner: [acme]}"
            )
        return self

    @model_validator(mode="after")
    def _tenants_are_named(self) -> Self:
        issuer_urls.check(self.issuer, self.require)
        return self

    @model_validator(mode="after")
    def _addresses_are_verified(self) -> Self:
        if self.claims.subject.removeprefix("/") in _MAIL and self.require.get("email_verified") != ("true",):
            raise ValueError(
                "`claims.subject`: an e-mail address names nobody unless its owner was asked; "
                'use sub, or add require: {email_verified: ["true"]}'
            )
        return self

    @model_validator(mode="after")
    def _discovery_has_an_address(self) -> Self:
        if self.jwks.discovery and issuer_urls.is_template(self.issuer):
            raise ValueError("`jwks`: an issuer with placeholders has no one address to discover; give `url` or `file`")
        if self.jwks.discovery and not is_fetchable(self.issuer):
            raise ValueError("`issuer` is no https address, so its keys cannot be discovered; give jwks a url or file")
        return self


class IdentitySpec(Part):
    """Who may say who an agent is."""

    issuers: tuple[IssuerSpec, ...] = ()
    api_keys: Literal["on", "off"] = "on"
    """Whether keys of ``gatehold keys`` are accepted."""
    saml: tuple[SamlSpec, ...] = ()
    exchange: ExchangeSpec = Field(default_factory=ExchangeSpec)

    @field_validator("api_keys", mode="before")
    @classmethod
    def _on_and_off_are_words(cls, value: object) -> object:
        return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
