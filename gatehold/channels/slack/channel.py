"""A Slack channel that is told of approvals, and by which they are answered."""

import json
from collections.abc import Callable, Sequence

from starlette.routing import Route

from gatehold.approvals.model import Approval
from gatehold.channels.model import Delivery, Event, Undelivered
from gatehold.channels.slack.answering import Answers, Services
from gatehold.channels.slack.api import SlackApi
from gatehold.channels.slack.hooks import Hook
from gatehold.channels.slack.messages import message
from gatehold.channels.slack.sockets import Socket
from gatehold.config.channels import SlackSpec


class SlackChannel:
    """One message per approval, which is changed as the approval moves. ``page``: the console's page of one."""

    def __init__(self, name: str, spec: SlackSpec, services: Services, page: Callable[[str], str]) -> None:
        self.name = name
        self._page = page
        self._clock = services.clock
        self._api = SlackApi(spec)
        self._answers = Answers(services, self._api)
        self._socket = Socket(name, self._api, spec.app_token, self._answers) if spec.app_token else None
        secret = spec.signing_secret
        self._hook = Hook(name, secret, self._answers, services.store, services.clock) if secret else None

    def __repr__(self) -> str:
        return f"<SlackChannel {self.name}>"

    @property
    def routes(self) -> Sequence[Route]:
        """Of the console's listener, where answers come by HTTP."""
        return (self._hook.route,) if self._hook else ()

    async def start(self) -> None:
        """Begin to connect, where answers come by Socket Mode."""
        if self._socket is not None:
            await self._socket.start()

    async def close(self) -> None:
        """Hang up, and finish what people began."""
        if self._socket is not None:
            await self._socket.close()
        await self._answers.close()

    async def tell(self, delivery: Delivery, approval: Approval) -> str | None:
        """A new message for what is opened; the same one, changed, for what becomes of it. Raises Undelivered."""
        text, blocks = message(approval, url=self._page(approval.id), now=self._clock())
        if delivery.event is Event.OPENED:
            channel, ts = await self._api.post(text, blocks)
            return json.dumps([channel, ts])
        if delivery.reference is None:
            raise Undelivered("its message was never received", final=True)
        channel, ts = json.loads(delivery.reference)
        await self._api.update(channel, ts, text, blocks)
        return None
