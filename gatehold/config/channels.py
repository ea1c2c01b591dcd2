"""``Gateway.spec.notify``: channels that tell people what waits for them."""

from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from gatehold.config.addresses import is_fetchable
from gatehold.config.shape import Name, Part, Text
from gatehold.config.values import ConfigPath, SecretRef


def _reference_only(value: SecretRef | None) -> SecretRef | None:
    if value is not None and not value.references:
        raise ValueError("name where it is kept: ${env:NAME} or ${file:PATH}")
    return value


class WebhookSpec(Part):
    """An address that is told, with signatures by Standard Webhooks."""

    url: Text = Field(repr=False)
    """https; http to this machine only. It is often a secret itself, so it is shown by its host alone."""
    secret: SecretRef
    """``whsec_`` and base64; two with a space between them while one is replaced."""
    allow_private: bool = False
    """Whether its name may lead to private addresses. Those of this machine, where the URL says so, always may."""
    ca: ConfigPath | None = None
    """Certificates that it is verified by, instead of the system's."""

    _secret = field_validator("secret")(_reference_only)

    @field_validator("url")
    @classmethod
    def _tellable(cls, url: str) -> str:
        if not is_fetchable(url):
            raise ValueError("a webhook has an https address without user and fragment (http only on this machine)")
        return url

    @property
    def host(self) -> str:
        """For people: the rest of the address may be secret."""
        return urlsplit(self.url).hostname or ""


class SlackSpec(Part):
    """A Slack app that posts to a channel and takes answers there."""

    bot_token: SecretRef
    """``xoxb-...``, with the scopes chat:write and commands."""
    app_token: SecretRef | None = None
    """``xapp-...``, with the scope connections:write: answers come by Socket Mode, without an inbound port."""
    signing_secret: SecretRef | None = None
    """Answers come by HTTP to ``/hooks/slack/NAME`` of the console."""
    channel: Text
    """Its id, as in C0123456789; the app is a member."""
    api_url: Text = "https://slack.com/api/"

    _secrets = field_validator("bot_token", "app_token", "signing_secret")(_reference_only)

    @field_validator("api_url")
    @classmethod
    def _callable(cls, url: str) -> str:
        if not is_fetchable(url) or urlsplit(url).query:
            raise ValueError(f"{url!r}: Slack's API has an https address (http only on this machine)")
        return url if url.endswith("/") else f"{url}/"

    @model_validator(mode="after")
    def _one_way_back(self) -> Self:
        if (self.app_token is None) == (self.signing_secret is None):
            raise ValueError("answers come in one way: give `appToken` (Socket Mode), or `signingSecret` (HTTP)")
        return self


class NotifyForSpec(Part):
    """What a channel is told of; both, where both are given."""

    targets: tuple[Text, ...] = ()
    """Globs; left out: all."""
    groups: tuple[Text, ...] = ()
    """Globs of the groups that may answer; left out: all."""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.targets and not self.groups:
            raise ValueError("name `targets` or `groups`, or leave `for` out")
        return self


class NotifySpec(Part):
    """One channel."""

    name: Name
    webhook: WebhookSpec | None = None
    slack: SlackSpec | None = None
    only: NotifyForSpec | None = Field(default=None, alias="for")

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.webhook is None) == (self.slack is None):
            raise ValueError("a channel is one of `webhook` and `slack`")
        return self

    @property
    def secrets(self) -> tuple[SecretRef, ...]:
        """Everything secret that it needs."""
        if self.webhook is not None:
            return (self.webhook.secret,)
        slack = self.slack
        named = (slack.bot_token, slack.app_token, slack.signing_secret) if slack else ()
        return tuple(each for each in named if each is not None)
