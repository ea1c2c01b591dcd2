"""Slack's Web API, by slack-sdk's client for asyncio.

No proxy of the environment is used (it could be this gateway). The client's own log is switched off: it repeats what
Slack answers, and an error in the log while the gateway starts would end it.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from gatehold.channels.model import Undelivered
from gatehold.channels.slack.texts import Block
from gatehold.config.channels import SlackSpec
from gatehold.config.values import CredentialUnavailable, SecretRef

TIMEOUT: Final = 15
"""Seconds for one request."""
HOOKS: Final = "hooks.slack.com"
"""Where answers to what people do are posted."""

_FINAL: Final = frozenset(
    {"message_not_found", "cant_update_message", "edit_window_closed", "msg_too_long", "msg_blocks_too_long",
     "invalid_blocks", "invalid_blocks_format", "no_text", "expired_trigger_id", "exchanged_trigger_id"}
)  # fmt: skip
"""Errors that no repetition mends."""

QUIET: Final = logging.getLogger("gatehold.channels.slack.sdk")
QUIET.setLevel(logging.CRITICAL + 1)
QUIET.propagate = False


class SlackApi:
    """Calls one workspace, as the app of one channel."""

    def __init__(self, spec: SlackSpec) -> None:
        self._spec = spec

    def __repr__(self) -> str:
        return f"<SlackApi {self._spec.channel}>"

    async def post(self, text: str, blocks: list[Block]) -> tuple[str, str]:
        """A new message: the channel's id and the message's ``ts``. Raises Undelivered."""
        quiet = {"unfurl_links": False, "unfurl_media": False, "parse": "none", "mrkdwn": False}
        answer = await self._call("chat.postMessage", channel=self._spec.channel, text=text, blocks=blocks, **quiet)
        return str(answer["channel"]), str(answer["ts"])

    async def update(self, channel: str, ts: str, text: str, blocks: list[Block]) -> None:
        """Another text for a message. Raises Undelivered."""
        await self._call("chat.update", channel=channel, ts=ts, text=text, blocks=blocks, parse="none")

    async def open_view(self, trigger: str, view: Block) -> None:
        """A form before the person who pressed, within 3 s. Raises Undelivered."""
        await self._call("views.open", trigger_id=trigger, view=view)

    async def whisper(self, channel: str, account: str, text: str) -> None:
        """To one person in a channel. Raises Undelivered."""
        await self._call("chat.postEphemeral", channel=channel, user=account, text=text, parse="none")

    async def say(self, channel: str, text: str) -> None:
        """In a conversation with one person. Raises Undelivered."""
        await self._call("chat.postMessage", channel=channel, text=text, parse="none")

    async def respond(self, url: str, text: str) -> None:
        """To the person who pressed a button or wrote a command. Raises Undelivered."""
        if not self._is_ours(url):
            raise Undelivered("an answer was to go to an address that is not Slack's")
        client = AsyncWebhookClient(url, timeout=TIMEOUT, logger=QUIET)
        client.proxy = None
        try:
            answer = await client.send(text=text, response_type="ephemeral", replace_original=False)
        except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Undelivered(f"Slack: {type(error).__name__}") from None
        if answer.status_code != 200:
            raise Undelivered(f"Slack answers {answer.status_code}")

    async def client(self, token: SecretRef) -> AsyncWebClient:
        """A client with that token. Raises Undelivered."""
        try:
            secret = await asyncio.to_thread(token.resolve)
        except CredentialUnavailable as error:
            raise Undelivered(str(error)) from None
        client = AsyncWebClient(secret.reveal(), base_url=self._spec.api_url, timeout=TIMEOUT, logger=QUIET)
        client.proxy = None
        return client

    async def _call(self, method: str, **arguments: Any) -> Mapping[str, Any]:
        client = await self.client(self._spec.bot_token)
        try:
            answer = await client.api_call(method, json=arguments)
        except SlackApiError as error:
            raise undelivered(error) from None
        except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise Undelivered(f"Slack: {type(error).__name__}") from None
        data = answer.data
        return data if isinstance(data, dict) else {}

    def _is_ours(self, url: str) -> bool:
        """Slack's own place for answers, or where the API is that is configured."""
        try:
            parts, api = urlsplit(url), urlsplit(self._spec.api_url)
            there, places = (parts.scheme, parts.hostname, parts.port), {(api.scheme, api.hostname, api.port)}
        except ValueError:
            return False
        return there in places | {("https", HOOKS, None)} and "@" not in parts.netloc


def undelivered(error: SlackApiError) -> Undelivered:
    """What Slack says of a call."""
    status, headers = error.response.status_code, error.response.headers
    data = error.response.data
    code = data.get("error") if isinstance(data, dict) else None
    named = isinstance(code, str) and len(code) <= 64 and code.isascii() and code.isprintable()
    wait = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    seconds = float(wait) if isinstance(wait, str) and wait.isdecimal() and len(wait) < 8 else 0.0
    return Undelivered(f"Slack: {code if named else status}", retry_after=seconds, final=named and code in _FINAL)
