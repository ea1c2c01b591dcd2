"""``Target.spec.credential``: what shows the gateway to a target, where it is put, and where it comes from.

One **form** says where in a call it stands (``header``, ``bearer``, ``basic``, ``query``, ``cookie``, ``aws``), its
values are templates, and ``from`` is a **source** that is asked for fields: ``${from:FIELD}`` in a template stands for
one of them. A client certificate goes with any form, or alone.
"""

import re
from collections.abc import Iterator
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from gatehold.config.credential_sources import FromSpec
from gatehold.config.shape import Part, Text
from gatehold.config.values import ConfigPath, Duration, SecretRef

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_NOT_FOR_CREDENTIALS = frozenset(
    ("host", "content-length", "content-type", "transfer-encoding", "connection", "te", "trailer", "upgrade", "expect")
)
_MIN_TTL = 600.0
"""The shortest life that Kubernetes gives a requested token."""


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


class AwsSpec(Part):
    """Calls are signed anew (AWS Signature Version 4). Needs the extra ``aws``."""

    service: Text
    """As in the credential scope: ``s3``, ``execute-api``."""
    region: Text
    access_key_id: SecretRef
    secret_access_key: SecretRef
    session_token: SecretRef | None = None


class ClientCertificateSpec(Part):
    """A certificate for TLS with the target (PEM files, read again when they change)."""

    certificate: ConfigPath
    """The certificate, intermediate ones after it."""
    key: ConfigPath
    """Its private key, without a passphrase."""


_FORMS = ("header", "bearer", "basic", "query", "cookie", "aws", "kubernetes")


class CredentialSpec(Part):
    """The target's credential: at most one form, a source where the form needs one, a client certificate."""

    header: Text | None = None
    prefix: str = Field(default="", max_length=64)
    query: Text | None = None
    """Name of a query parameter; it replaces what the agent sends under that name."""
    cookie: Text | None = None
    """Name of a cookie."""
    value: SecretRef | None = None
    """Of the header, query parameter or cookie."""
    bearer: SecretRef | None = None
    """Left out together with all other forms where there is a source: its field ``token``."""
    basic: BasicSpec | None = None
    aws: AwsSpec | None = None
    kubernetes: KubernetesCredentialSpec | None = None
    client_certificate: ClientCertificateSpec | None = None
    source: FromSpec | None = Field(default=None, alias="from")

    @field_validator("header")
    @classmethod
    def _header_name(cls, name: str | None) -> str | None:
        if name is not None and (not _TOKEN.fullmatch(name) or name.lower() in _NOT_FOR_CREDENTIALS):
            raise ValueError(f"{name!r} is not a header that can carry a credential")
        return name

    @field_validator("cookie")
    @classmethod
    def _cookie_name(cls, name: str | None) -> str | None:
        if name is not None and not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is not the name of a cookie")
        return name

    @field_validator("prefix")
    @classmethod
    def _plain_prefix(cls, prefix: str) -> str:
        if not prefix.isascii() or not prefix.isprintable():
            raise ValueError('a prefix is plain text, as in "Bearer "')
        return prefix

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = [name for name in _FORMS if getattr(self, name) is not None]
        if len(forms) > 1 or not (forms or self.source or self.client_certificate):
            raise ValueError(
                "give exactly one of `header` (with `value`), `bearer`, `basic`, `query`, `cookie`, `aws` and "
                "`kubernetes`; or `from` alone, for a bearer token; or `clientCertificate`"
            )
        if (self.value is None) == any(form in forms for form in ("header", "query", "cookie")):
            raise ValueError("`value` belongs to `header`, `query` or `cookie`")
        if self.prefix and self.header is None:
            raise ValueError("`prefix` belongs to `header`")
        if self.kubernetes is not None and (self.source or self.client_certificate):
            raise ValueError(f"`{'from' if self.source else 'clientCertificate'}` does not go with `kubernetes`")
        return self

    @model_validator(mode="after")
    def _fields_have_a_source(self) -> Self:
        fields = [name for template in self.templates for name in template.fields]
        if fields and self.source is None:
            raise ValueError(f"`${{from:{fields[0]}}}` needs a source; say where it comes from under `from`")
        if self.source is not None and self.templates and not fields:
            raise ValueError("`from` is never used; write ${from:FIELD} where a field of it belongs")
        return self

    @property
    def http_only(self) -> str:
        """The form's name if it is one that clusters are not called with; else empty."""
        return next((name for name in ("query", "cookie", "aws") if getattr(self, name) is not None), "")

    @property
    def templates(self) -> tuple[SecretRef, ...]:
        """The templates of the form, in no certain order."""
        return tuple(template for template in self._templates() if template is not None)

    def _templates(self) -> Iterator[SecretRef | None]:
        yield from (self.value, self.bearer)
        if self.basic is not None:
            yield from (self.basic.username, self.basic.password)
        if self.aws is not None:
            yield from (self.aws.access_key_id, self.aws.secret_access_key, self.aws.session_token)
