"""The channels of one gateway."""

import time
from collections.abc import Callable, Sequence

from starlette.routing import Route

from gatehold.approvals.desk import ApprovalDesk
from gatehold.channels.courier import Courier
from gatehold.channels.deliveries import Concerns
from gatehold.channels.filtering import concerns
from gatehold.channels.model import Channel
from gatehold.channels.webhook import Webhook
from gatehold.config.channels import NotifySpec
from gatehold.config.gateway import GatewaySpec
from gatehold.store import Store


class Channels:
    """Everything under ``notify:``. ``console``: the address of the console, without a slash at its end."""

    def __init__(  # noqa: PLR0913 (what they tell of, and whom they wake)
        self,
        spec: GatewaySpec,
        store: Store,
        desk: ApprovalDesk,
        *,
        console: str,
        answered: Callable[[], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._desk = desk
        self._console = console
        self._answered = answered
        self._clock = clock
        self._routes: list[Route] = []
        life = spec.approvals.expire + spec.approvals.spend_within + spec.approvals.max_grant
        self._couriers = [
            Courier(self._channel(each), store, _concerns(each), life=life, clock=clock) for each in spec.notify
        ]

    @property
    def routes(self) -> Sequence[Route]:
        """Of the console's listener, outside of what needs a person: each checks a signature."""
        return tuple(self._routes)

    async def start(self) -> None:
        """Begin; waits for nobody."""
        for courier in self._couriers:
            await courier.start()

    async def close(self) -> None:
        """End; what was not told yet is told later."""
        for courier in self._couriers:
            await courier.close()

    def describe(self) -> str:
        """Their names, for operators."""
        return ", ".join(courier.channel.name for courier in self._couriers)

    def page(self, approval: str) -> str:
        """The address of the page of an approval."""
        return f"{self._console}/approvals/{approval}"

    def _channel(self, spec: NotifySpec) -> Channel:
        if spec.webhook is not None:
            return Webhook(spec.name, spec.webhook, self.page, self._clock)
        if spec.slack is None:
            raise ValueError(f"the channel {spec.name} is of no kind")
        from gatehold.channels.slack.answering import Services  # noqa: PLC0415 - brings aiohttp
        from gatehold.channels.slack.channel import SlackChannel  # noqa: PLC0415

        services = Services(store=self._store, desk=self._desk, answered=self._tell_answered, clock=self._clock)
        made = SlackChannel(spec.name, spec.slack, services, self.page)
        self._routes += made.routes
        return made

    def _tell_answered(self) -> None:
        self._answered()
        for courier in self._couriers:
            courier.wake()


def _concerns(spec: NotifySpec) -> Concerns:
    return lambda target, groups: concerns(spec.only, target, groups)
