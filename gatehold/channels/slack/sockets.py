"""Socket Mode: Slack's documents come over a WebSocket that the gateway opens, so that no port is open to Slack.

slack-sdk's client keeps the connection, and opens a new one when Slack says so or the old one is silent.
See https://docs.slack.dev/apis/events-api/using-socket-mode/
"""

import asyncio
import contextlib
import logging
from typing import Final

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse

from gatehold.channels.model import Undelivered
from gatehold.channels.slack import arriving
from gatehold.channels.slack.answering import Answers
from gatehold.channels.slack.api import QUIET, SlackApi, undelivered
from gatehold.config.values import SecretRef

logger = logging.getLogger(__name__)

LONGEST_PAUSE: Final = 60.0


class Socket:
    """One connection, opened again for as long as the gateway runs."""

    def __init__(self, name: str, api: SlackApi, token: SecretRef, answers: Answers) -> None:
        self._name = name
        self._api = api
        self._token = token
        self._answers = answers
        self._client: SocketModeClient | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to connect; nobody waits for it."""
        self._task = asyncio.create_task(self._open(), name=f"gatehold socket {self._name}")

    async def close(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._client is not None:
            await self._client.close()  # type: ignore[no-untyped-call]

    async def _open(self) -> None:
        """Until the first connection stands; from then on the client keeps one."""
        pause = 1.0
        while True:
            try:
                await self._connect()
            except Undelivered as failed:
                logger.warning("gatehold: channel %s: no connection: %s", self._name, failed.reason)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            else:
                logger.info("gatehold: channel %s: connected", self._name)
                return

    async def _connect(self) -> None:
        """Raises Undelivered."""
        if self._client is None:
            web = await self._api.client(self._token)
            self._client = SocketModeClient(web.token or "", logger=QUIET, web_client=web)
            self._client.proxy = None
            self._client.socket_mode_request_listeners.append(self._arrived)
        try:
            self._client.wss_uri = await self._client.issue_new_wss_url()
            await self._client.connect()  # type: ignore[no-untyped-call]
        except SlackApiError as error:
            raise undelivered(error) from None
        except (SlackClientError, aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Undelivered(f"Slack: {type(error).__name__}") from None

    async def _arrived(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """Acknowledged first: Slack waits three seconds, the store may take longer."""
        await client.send_socket_mode_response(SocketModeResponse(envelope_id=request.envelope_id))
        read = {
            "interactive": arriving.interaction,
            "slash_commands": arriving.command,
            "events_api": arriving.happening,
        }.get(request.type)
        if read is not None and isinstance(request.payload, dict):
            self._answers.take(read(request.payload))
