"""``Gateway.spec.recordings`` and ``Gateway.spec.audit``: what is kept, where, for how long, and who is told."""

import re
from collections.abc import Iterator
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from gatehold.config.addresses import check_address, is_fetchable
from gatehold.config.shape import Name, Part, Text
from gatehold.config.values import ConfigPath, Duration, SecretRef, Size

_BUCKET = re.compile(r"(s3|gs|az)://[a-z0-9][a-z0-9._-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()-]+)*/?")

_Address = Annotated[str, AfterValidator(check_address)]


def bucket_url(url: str) -> str:
    """``s3://``, ``gs://`` or ``az://``, and a prefix. Raises ValueError."""
    if not _BUCKET.fullmatch(url):
        raise ValueError(f"{url!r} is no bucket; write it as in s3://bucket/prefix (or gs://, az://)")
    return url.rstrip("/")


_Bucket = Annotated[Text, AfterValidator(bucket_url)]


class RolloverSpec(Part):
    """When a flow file is full; journal files have the same bounds."""

    size: Size = 64 * 1024 * 1024
    age: Duration = 86400.0

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.size < 64 * 1024 or self.age < 60:
            raise ValueError("a file holds at least 64KiB and a minute")
        return self


class ObjectStoreSpec(Part):
    """How the bucket is reached; what is left out comes from the environment, as that store's own tools read it."""

    endpoint: Text | None = None
    """Of a store that is not the vendor's own."""
    region: Text | None = None
    access_key_id: SecretRef | None = None
    secret_access_key: SecretRef | None = None
    ca: ConfigPath | None = None
    delete_local: bool = False
    """Whether sealed files are removed here once they are there."""

    @field_validator("endpoint")
    @classmethod
    def _fetchable(cls, url: str | None) -> str | None:
        if url is not None and not is_fetchable(url):
            raise ValueError(f"{url!r}: recordings travel over https, or http on this machine, without userinfo")
        return url

    @model_validator(mode="after")
    def _whole_key(self) -> Self:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("`accessKeyId` and `secretAccessKey` belong together")
        return self


class RecordingsSpec(Part):
    """What is kept of every call."""

    mode: Literal["required", "best-effort"] = "required"
    """``required``: a call that cannot be recorded is refused."""
    sync: Literal["interval", "always"] = "interval"
    """``interval``: writes and approved calls wait for the disk, all else follows within a second; ``always``: all."""
    rollover: RolloverSpec = Field(default_factory=RolloverSpec)
    retain: Duration | None = None
    """Recordings older than this are deleted; left out: none."""
    keep: Size | None = None
    """Bytes of recordings here; the oldest are deleted when there are more. Left out: no bound."""
    url: Text = "file"
    """``file``: under the data directory; a bucket: copied there too."""
    object_store: ObjectStoreSpec = Field(default_factory=ObjectStoreSpec)

    @field_validator("url")
    @classmethod
    def _known_place(cls, url: str) -> str:
        return url if url == "file" else bucket_url(url)

    @model_validator(mode="after")
    def _bucket_is_named(self) -> Self:
        if self.url == "file" and self.object_store.model_fields_set:
            raise ValueError("`objectStore` belongs to a `url` that names a bucket")
        return self


class SyslogSpec(Part):
    """A syslog server (RFC 5424), over TLS, or over plain TCP where it is this machine."""

    address: _Address
    ca: ConfigPath | None = None
    plain: bool = False
    """Without TLS; for a relay on this machine."""

    @model_validator(mode="after")
    def _stays_here(self) -> Self:
        host = self.address.rpartition(":")[0].strip("[]")
        if self.plain and host not in {"127.0.0.1", "::1", "localhost"}:
            raise ValueError("`plain`: audit events cross no network in the clear")
        return self


class SinkWebhookSpec(Part):
    """An address to which events are posted as JSON Lines, signed as Standard Webhooks are."""

    url: Text
    secret: SecretRef | None = None
    ca: ConfigPath | None = None

    @field_validator("url")
    @classmethod
    def _fetchable(cls, url: str) -> str:
        if not is_fetchable(url):
            raise ValueError(f"{url!r}: events travel over https, or http on this machine, without userinfo")
        return url


class SinkSpec(Part):
    """Where audit events go besides the journal, each at least once; exactly one place."""

    name: Name
    stdout: Literal[True] | None = None
    file: ConfigPath | None = None
    """JSON Lines, appended to."""
    syslog: SyslogSpec | None = None
    webhook: SinkWebhookSpec | None = None
    kinds: tuple[Text, ...] = ()
    """Kinds of journal lines; left out: all but those about files."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(place is not None for place in (self.stdout, self.file, self.syslog, self.webhook)) != 1:
            raise ValueError("give exactly one of `stdout: true`, `file`, `syslog` and `webhook`")
        return self


class AnchorSpec(Part):
    """Where copies of checkpoints are kept, so that a roll-back of the data directory is found; exactly one."""

    name: Name
    directory: ConfigPath | None = None
    """On another machine's disk, or one that only grows."""
    url: _Bucket | None = None
    every: Duration = 600.0

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.directory is None) == (self.url is None):
            raise ValueError("give exactly one of `directory` and `url`")
        return self


class AuditSpec(Part):
    """Who is told of audit events besides the journal, and who keeps its checkpoints."""

    sinks: tuple[SinkSpec, ...] = ()
    anchors: tuple[AnchorSpec, ...] = ()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        for what, names in (("sinks", [each.name for each in self.sinks]), ("anchors", [a.name for a in self.anchors])):
            if len(set(names)) != len(names):
                raise ValueError(f"`{what}`: two have the same name")
        return self

    @property
    def secrets(self) -> Iterator[SecretRef]:
        """By which sinks are signed."""
        return (each.webhook.secret for each in self.sinks if each.webhook and each.webhook.secret)


class ReloadSpec(Part):
    """Whether changed files of the configuration come into force by themselves."""

    watch: Literal["on", "off"] = "on"

    @field_validator("watch", mode="before")
    @classmethod
    def _on_and_off_are_words(cls, value: object) -> object:
        return {True: "on", False: "off"}.get(value, value) if isinstance(value, bool) else value
