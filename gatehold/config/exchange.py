"""``identity.saml`` and ``identity.exchange``: assertions and foreign tokens in, short tokens of the gateway out."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from gatehold.config.shape import Name, Part, Text
from gatehold.config.values import ConfigPath, Duration

LONGEST_TTL = 3600.0


class SamlClaimsSpec(Part):
    """Which attributes say what."""

    subject: Text | None = None
    """Attribute that names the agent; left out: the NameID."""
    groups: Text = "groups"
    purpose: Text | None = None


class SamlSpec(Part):
    """A SAML 2.0 identity provider whose assertions are exchanged for tokens (RFC 7522)."""

    name: Name
    """As rules and the record call it; no issuer has the same."""
    entity_id: Text
    """The exact value of ``Issuer``."""
    certificate: ConfigPath
    """PEM: the certificates whose keys sign its assertions, one or, while they are changed, several."""
    audience: Text
    recipient: Text
    """The exact value of ``Recipient``: the address of the token endpoint as the provider knows it."""
    claims: SamlClaimsSpec = Field(default_factory=SamlClaimsSpec)
    groups: Annotated[tuple[Text, ...], Field(min_length=1)] | None = None
    """Globs of the groups that it may assert; left out: none."""
    require: dict[Text, Annotated[tuple[Text, ...], Field(min_length=1)]] = Field(default_factory=dict)
    """Attribute to globs, one of which its value must match."""
    max_age: Duration = 300.0
    """Since ``IssueInstant``."""


class ExchangeSpec(Part):
    """Tokens that the gateway makes itself."""

    ttl: Duration = 900.0

    @model_validator(mode="after")
    def _short(self) -> Self:
        if not 1 <= self.ttl <= LONGEST_TTL:
            raise ValueError("`ttl`: tokens of the gateway live for an hour at most")
        return self
