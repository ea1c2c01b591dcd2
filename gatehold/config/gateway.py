"""``kind: Gateway``: listeners, issuers, and where things are kept. There is one in a configuration."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, field_validator, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from gatehold.config.addresses import check_host
from gatehold.config.channels import NotifySpec
from gatehold.config.console import CONSOLE_PORT, ConsoleSpec
from gatehold.config.issuers import IdentitySpec
from gatehold.config.recordings import AuditSpec, RecordingsSpec, ReloadSpec
from gatehold.config.shape import Name, Part, Port, Text
from gatehold.config.values import ConfigPath, Duration, Size
from policy.rules.schema import PackUse

_Host = Annotated[str, AfterValidator(check_host)]

AGENT_API_PORT = CONSOLE_PORT + 1


class _OrName:
    """For editors: a pack's entry may be its name alone."""

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


class ListenSpec(Part):
    """One address at which agents are served."""

    mode: Literal["regular", "reverse"]
    """``regular``: a forward proxy. ``reverse``: it stands in for one target, with the gateway's own certificate."""
    host: _Host = "127.0.0.1"
    port: Port
    """0 takes any free port."""
    target: Name | None = None
    names: tuple[_Host, ...] = ()
    """Names, besides ``host``, by which agents reach this listener over TLS."""
    tls: Literal["accept", "require"] | None = None
    """Of a forward proxy: whether agents may, or must, speak TLS with the proxy itself; left out: they may."""

    @model_validator(mode="after")
    def _reverse_has_a_target(self) -> Self:
        if self.mode == "reverse" and self.target is None:
            raise ValueError("a reverse listener stands in for one target and needs `target`")
        if self.mode == "regular" and self.target is not None:
            raise ValueError("`target` belongs to listeners with mode: reverse")
        if self.mode == "reverse" and self.tls is not None:
            raise ValueError("`tls` belongs to listeners with mode: regular; reverse ones speak nothing else")
        return self


class StoreSpec(Part):
    """Where approvals, grants and budgets are kept."""

    url: Text = Field(default="sqlite", repr=False)
    """``sqlite`` (under the data directory) or ``postgresql://...``."""

    @field_validator("url")
    @classmethod
    def _known_store(cls, url: str) -> str:
        if url == "sqlite" or url.startswith(("sqlite:///", "postgresql://", "postgresql+")):
            return url
        raise ValueError("a store is sqlite or postgresql://user@host/database")


class ApprovalsSpec(Part):
    """How long calls are held, and who may answer where."""

    hold: Duration = 50.0
    """How long a call waits before its agent is told to come again."""
    expire: Duration = 900.0
    """How long an approval can be answered."""
    spend_within: Duration = 300.0
    """How long after the answer a call can be made with it."""
    max_open_per_agent: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 20
    local: Literal["users", "off"] = "users"
    """Whether known users may answer on the gateway's own machine."""
    on_disconnect: Literal["keep", "withdraw"] = "keep"
    """What becomes of an approval whose agent hung up while it waited."""
    break_glass: tuple[Text, ...] = ()
    """Groups whose members may approve alone in an emergency, with a reason; each time is told loudly."""
    max_grant: Duration = 28800.0
    """How long a grant can last at most, whatever rules and agents ask for."""

    @field_validator("local", mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        return "off" if value is False else value

    @model_validator(mode="after")
    def _hold_ends_first(self) -> Self:
        if self.hold > self.expire:
            raise ValueError("`hold` is longer than `expire`: calls would wait for approvals that are over")
        return self


class AgentApiSpec(Part):
    """Where agents ask what they may do, and why they were refused."""

    host: _Host = "127.0.0.1"
    port: Port = AGENT_API_PORT


def _beside_the_console(valid: dict[str, Any]) -> AgentApiSpec:
    console = valid.get("console", ConsoleSpec())
    return AgentApiSpec(port=min(console.port + 1, 65535))


def _one_proxy() -> tuple[ListenSpec, ...]:
    return (ListenSpec(mode="regular", port=8080),)


class LimitsSpec(Part):
    """How large things may be."""

    max_request_body: Size = 10 * 1024 * 1024
    max_masked_body: Size = 32 * 1024 * 1024


class GatewaySpec(Part):
    """Everything that there is once in a gateway."""

    data_dir: ConfigPath = Field(default="data", validate_default=True)
    """The CA, the store, recordings and the journal live here."""
    packs: tuple[Annotated[PackUse, _OrName], ...] = ()
    policies: tuple[Name, ...] = ()
    """Policies without which nothing starts or reloads."""
    listen: tuple[ListenSpec, ...] = Field(
        default_factory=lambda: (ListenSpec(mode="regular", port=8080),), min_length=1
    )
    identity: IdentitySpec = Field(default_factory=IdentitySpec)
    store: StoreSpec = Field(default_factory=StoreSpec)
    approvals: ApprovalsSpec = Field(default_factory=ApprovalsSpec)
    recordings: RecordingsSpec = Field(default_factory=RecordingsSpec)
    audit: AuditSpec = Field(default_factory=AuditSpec)
    reload: ReloadSpec = Field(default_factory=ReloadSpec)
    console: ConsoleSpec = Field(default_factory=ConsoleSpec)
    agent_api: AgentApiSpec = Field(default_factory=_beside_the_console)
    """Left out: on the loopback interface, at the port after the console's."""
    notify: tuple[NotifySpec, ...] = ()
    """Channels that tell people what waits for them."""
    limits: LimitsSpec = Field(default_factory=LimitsSpec)
