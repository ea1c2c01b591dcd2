"""What channels need that tell people: their secrets, in the form that they have. Nobody is told anything."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from gatehold.cli.checkup import Item, failed, ok

if TYPE_CHECKING:
    from gatehold.config import Configuration
    from gatehold.config.channels import NotifySpec


def channels(configuration: "Configuration") -> Iterator[Item]:
    """A line for each channel; its secrets are read and forgotten again."""
    from gatehold.config.values import CredentialUnavailable

    spec = configuration.gateway.spec
    for channel in spec.notify:
        check = f"channel {channel.name}"
        try:
            _look_at(channel)
        except (CredentialUnavailable, ValueError) as error:
            yield failed(check, str(error), "see notify: in docs/channels.md")
        else:
            yield ok(check, _described(channel, spec.console.url))


def _look_at(channel: "NotifySpec") -> None:
    """Raises CredentialUnavailable, and ValueError that does not repeat a secret."""
    from gatehold.channels.signing import keys

    if channel.webhook is not None:
        keys(channel.webhook.secret.resolve().reveal())
    if channel.slack is None:
        return
    for reference, prefix in ((channel.slack.bot_token, "xoxb-"), (channel.slack.app_token, "xapp-")):
        if reference is not None and not reference.resolve().reveal().startswith(prefix):
            raise ValueError(f"a token of another kind is there; this one begins with {prefix}")
    if channel.slack.signing_secret is not None:
        channel.slack.signing_secret.resolve()


def _described(channel: "NotifySpec", url: str | None) -> str:
    if channel.webhook is not None:
        return f"webhook to {channel.webhook.host}"
    if channel.slack is None or channel.slack.app_token is not None:
        return f"Slack channel {channel.slack.channel if channel.slack else ''}, answers by Socket Mode"
    place = f"{url or 'the console'}/hooks/slack/{channel.name}"
    return f"Slack channel {channel.slack.channel}, answers by HTTP to {place}"
