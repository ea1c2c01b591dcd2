"""``kind: Target``: one registered upstream, how it is reached, and with what credential."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, model_validator

from gatehold.config.addresses import check_address
from gatehold.config.credentials import CredentialSpec
from gatehold.config.shape import Name, Part
from gatehold.config.values import ConfigPath
from policy.model import Family, PathOptions

_Address = Annotated[str, AfterValidator(check_address)]

_NETWORKS = {"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}]}

type Network = IPv4Network | IPv6Network


def _networks(value: object) -> bool | tuple[Network, ...]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("should be true, false, or a list of networks, as in [10.0.0.0/8]")
    return tuple(ip_network(item) for item in value)


class TlsSpec(Part):
    """Which certificates of the target are trusted. Verification cannot be switched off."""

    ca: ConfigPath | None = None
    """PEM; left out: the system's store."""


class TargetMaskSpec(Part):
    """What is hidden in every answer of a target."""

    profiles: tuple[Name, ...] = Field(min_length=1)
    on_unmaskable: Literal["block", "drop", "pass"] = "block"


class TargetDlpSpec(Part):
    """What no request to a target may carry, and what is done about it."""

    profiles: tuple[Name, ...] = Field(min_length=1)
    action: Literal["block", "mask"] = "block"


class PathsSpec(Part):
    """What a target's paths may hold that is refused elsewhere."""

    encoded_slash: Literal["refuse", "segment"] = "refuse"
    semicolon: Literal["refuse", "allow"] = "refuse"
    double_encoding: Literal["refuse", "allow"] = "refuse"


class TargetSpec(Part):
    """One registered upstream."""

    family: Family
    hosts: tuple[_Address, ...] = Field(min_length=1)
    """``host:port`` as agents name it."""
    scheme: Literal["https", "http"] = "https"
    connect: _Address | None = None
    """Dialled instead of what the name resolves to."""
    allow_private: Annotated[bool | tuple[Network, ...], PlainValidator(_networks), WithJsonSchema(_NETWORKS)] = False
    """Whether private addresses may be dialled: all of them, or those in these networks."""
    identity: Literal["proxy", "inner", "either"] = Field(default_factory=lambda valid: _identity(valid.get("family")))
    """Where agents may show their token."""
    mask: TargetMaskSpec | None = None
    dlp: TargetDlpSpec | None = None
    tls: TlsSpec | None = None
    credential: CredentialSpec | None = None
    openapi: ConfigPath | None = None
    impersonate: bool = False
    """Let the cluster's own RBAC and audit see the agent."""
    paths: PathsSpec = Field(default_factory=PathsSpec)
    case_insensitive_paths: bool = False
    trailing_slash: Literal["ignore", "significant"] = "ignore"
    suffixes: tuple[Annotated[str, Field(pattern=r"^\.[A-Za-z0-9]{1,16}$")], ...] = ()

    @model_validator(mode="after")
    def _fits_the_family(self) -> Self:
        if self.family is Family.KUBERNETES:
            http_only = {"openapi", "paths", "case_insensitive_paths", "trailing_slash", "suffixes"}
            if wrong := sorted(self.model_fields_set & http_only):
                raise ValueError(f"`{type(self).model_fields[wrong[0]].alias}` is for targets of family http")
            if self.credential and (form := self.credential.http_only):
                raise ValueError(f"`{form}` is for targets of family http")
        elif self.impersonate or (self.credential and self.credential.kubernetes):
            raise ValueError(f"`{'impersonate' if self.impersonate else 'kubernetes'}` is for family kubernetes")
        return self

    @model_validator(mode="after")
    def _fits_the_scheme(self) -> Self:
        if self.scheme == "http" and self.tls is not None:
            raise ValueError("`tls` means nothing with scheme: http")
        if self.scheme == "http" and self.credential and self.credential.client_certificate:
            raise ValueError("`clientCertificate` means nothing with scheme: http")
        return self

    @property
    def path_options(self) -> PathOptions:
        """How policy reads this target's paths."""
        return PathOptions(
            encoded_slash=self.paths.encoded_slash,
            semicolon=self.paths.semicolon,
            double_encoding=self.paths.double_encoding,
            case_insensitive=self.case_insensitive_paths,
            trailing_slash=self.trailing_slash,
            suffixes=self.suffixes,
        )


def _identity(family: Family | None) -> Literal["proxy", "either"]:
    return "either" if family is Family.KUBERNETES else "proxy"
