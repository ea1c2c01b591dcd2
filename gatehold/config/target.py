"""``kind: Target``: one registered upstream, how it is reached, and with what credential."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PlainValidator, WithJsonSchema, field_validator, model_validator

from gatehold.config.addresses import check_address
from gatehold.config.shape import Name, Part, Text
from gatehold.config.values import ConfigPath, Duration, SecretRef
from policy.model import Family, PathOptions

_Address = Annotated[str, AfterValidator(check_address)]

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_FOR_CREDENTIALS = frozenset(
    ("host", "content-length", "content-type", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect")
)
_MIN_TTL = 600.0
"""The shortest life that Kubernetes gives a requested token."""


_NETWORKS = {"anyOf": [{"type": "boolean"}, {"type": "array", "items": {"type": "string"}}]}

type Network = IPv4Network | IPv6Network


def _networks(value: object) -> bool | tuple[Network, ...]:
    if isinstance(value, bool):
        return value
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("should be true, false, or a list of networks, as in [10.0.0.0/8]")
    return tuple(ip_network(item) for item in value)


class BasicSpec(Part):
    """User name and password (RFC 7617)."""

    username: SecretRef
    password: SecretRef


class ServiceAccountSpec(Part):
    """Tokens that the gateway requests for a ServiceAccount."""

    namespace: Text
    name: Text
    ttl: Duration = _MIN_TTL

    @field_validator("ttl")
    @classmethod
    def _long_enough(cls, ttl: float) -> float:
        if ttl < _MIN_TTL:
            raise ValueError("Kubernetes makes no tokens that live shorter than 10m")
        return ttl


class KubernetesCredentialSpec(Part):
    """How the gateway shows itself to a cluster; exactly one of four ways."""

    kubeconfig: ConfigPath | None = None
    context: Text | None = None
    """Of the kubeconfig; left out: its current one."""
    token_file: ConfigPath | None = None
    in_cluster: Literal[True] | None = None
    service_account: ServiceAccountSpec | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = (self.kubeconfig, self.token_file, self.in_cluster, self.service_account)
        if sum(way is not None for way in ways) != 1:
            raise ValueError("give exactly one of `kubeconfig`, `tokenFile`, `inCluster: true` and `serviceAccount`")
        if self.context is not None and self.kubeconfig is None:
            raise ValueError("`context` belongs to `kubeconfig`")
        return self


class CredentialSpec(Part):
    """The target's credential and how it is put in; exactly one form."""

    header: Text | None = None
    prefix: str = Field(default="", max_length=64)
    value: SecretRef | None = None
    bearer: SecretRef | None = None
    basic: BasicSpec | None = None
    kubernetes: KubernetesCredentialSpec | None = None

    @field_validator("header")
    @classmethod
    def _header_name(cls, name: str | None) -> str | None:
        if name is not None and (not _TOKEN.fullmatch(name) or name.lower() in _NOT_FOR_CREDENTIALS):
            raise ValueError(f"{name!r} is not a header that can carry a credential")
        return name

    @field_validator("prefix")
    @classmethod
    def _plain_prefix(cls, prefix: str) -> str:
        if not prefix.isascii() or not prefix.isprintable():
            raise ValueError('a prefix is plain text, as in "Bearer "')
        return prefix

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if sum(form is not None for form in (self.header, self.bearer, self.basic, self.kubernetes)) != 1:
            raise ValueError("give exactly one of `header` (with `value`), `bearer`, `basic` and `kubernetes`")
        if (self.header is None) != (self.value is None):
            raise ValueError("`header` and `value` belong together")
        if self.prefix and self.header is None:
            raise ValueError("`prefix` belongs to `header`")
        return self


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
        elif self.impersonate or (self.credential and self.credential.kubernetes):
            raise ValueError(f"`{'impersonate' if self.impersonate else 'kubernetes'}` is for family kubernetes")
        return self

    @model_validator(mode="after")
    def _fits_the_scheme(self) -> Self:
        if self.scheme == "http" and self.tls is not None:
            raise ValueError("`tls` means nothing with scheme: http")
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
