"""What people do in Slack, done: an account is bound to a person, an approval is answered by the person it belongs to.

Slack says which account pressed; whose account it is, was said once from a page where that person was signed in. Then
everything counts as it does on the console: membership, no own requests, what was shown. A press of an unknown account
is refused, told to that account alone, and kept in the audit trail.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.errors import ApprovalError
from gatehold.approvals.model import Approval, Channel, Verb
from gatehold.approvals.presenting import progress
from gatehold.channels.model import Undelivered
from gatehold.channels.slack.arriving import Arrival, Press, Sender, Typed
from gatehold.channels.slack.messages import LONGEST_REASON, reason_form
from gatehold.channels.slack.texts import Block, escaped
from gatehold.people.chat_accounts import ChatAccounts, UnknownCode
from gatehold.people.model import Person
from gatehold.store import Store, outbox
from gatehold.store.errors import StoreError, StoreUnavailable
from policy.errors import GateholdError

logger = logging.getLogger(__name__)

SERVICE: Final = "slack"
MOST: Final = 64
"""Things of people's that are under way."""

_UNENROLLED: Final = (
    "This Slack account belongs to nobody known here. Sign in to the console, open Account, make a chat code, and send "
    "it with /gatehold enrol CODE."
)
_USAGE: Final = "Send: enrol CODE, with the code from your account page on the console."


class Speaking(Protocol):
    """What is said to people; see ``api.SlackApi``."""

    async def respond(self, url: str, text: str) -> None:
        """Raises Undelivered."""

    async def whisper(self, channel: str, account: str, text: str) -> None:
        """Raises Undelivered."""

    async def say(self, channel: str, text: str) -> None:
        """Raises Undelivered."""

    async def open_view(self, trigger: str, view: Block) -> None:
        """Raises Undelivered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What answers need of the gateway."""

    store: Store
    desk: ApprovalDesk
    answered: Callable[[], None]
    """Called in the loop when an approval was answered."""
    clock: Callable[[], float] = time.time


class Answers:
    """Does what arrives, one task each: whoever brings it has acknowledged it."""

    def __init__(self, services: Services, slack: Speaking) -> None:
        self._services = services
        self._slack = slack
        self._accounts = ChatAccounts(services.store, services.clock)
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, arrival: Arrival | None) -> None:
        """Begin to do it. In the loop; does not wait."""
        if arrival is None:
            return
        if len(self._tasks) >= MOST:
            logger.warning("gatehold: Slack: too much at once, something that people did was left out")
            return
        task = asyncio.create_task(self._guarded(arrival), name="gatehold slack answer")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Wait for what is under way; nothing of it takes long."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)
        for task in self._tasks:
            task.cancel()

    async def _guarded(self, arrival: Arrival) -> None:
        try:
            words = await (self._press(arrival) if isinstance(arrival, Press) else self._enrol(arrival))
            if words:
                await self._tell(arrival.sender, words)
        except Undelivered as undelivered:
            logger.warning("gatehold: Slack: a person was not told: %s", undelivered.reason)
        except Exception as error:  # noqa: BLE001 - told; there is nobody to raise it to
            logger.warning("gatehold: Slack: an answer failed: %s", type(error).__name__)

    async def _enrol(self, typed: Typed) -> str:
        if typed.code is None:
            return _USAGE
        sender = typed.sender
        try:
            user = await asyncio.to_thread(
                self._accounts.bind, typed.code, service=SERVICE, team=sender.team, account=sender.account
            )
        except UnknownCode as unknown:
            await asyncio.to_thread(self._note, sender, {"action": "enrol", "objection": "unknown-code"})
            return _sentence(unknown)
        except StoreUnavailable:
            return "The store cannot be used now; try again in a moment."
        return f"From now on this account is {escaped(user)}'s."

    async def _press(self, press: Press) -> str:
        """The words for the person who pressed; empty where the message says it all."""
        try:
            return await self._answer(press)
        except ApprovalError as error:
            return escaped(_sentence(error))
        except StoreError:
            return "The store cannot be used now. Nothing was changed; try again in a moment."

    async def _answer(self, press: Press) -> str:
        sender = press.sender
        person = await asyncio.to_thread(self._accounts.find, SERVICE, sender.team, sender.account)
        if person is None:
            refused = {"approval": press.pressed.approval, "answer": press.verb, "objection": "not-enrolled"}
            await asyncio.to_thread(self._note, sender, refused)
            return _UNENROLLED
        if press.verb is Verb.DENY and press.trigger:
            approval = await asyncio.to_thread(self._services.desk.get, press.pressed.approval)
            await self._slack.open_view(press.trigger, reason_form(press.pressed, sender.channel, approval))
            return ""
        approval = await asyncio.to_thread(self._say, press, person)
        self._services.answered()
        return escaped(progress(approval))

    def _say(self, press: Press, person: Person) -> Approval:
        """Raises ApprovalError."""
        desk, pressed, reason = self._services.desk, press.pressed, press.reason.strip()[:LONGEST_REASON]
        answer = desk.approve if press.verb is Verb.APPROVE else desk.deny
        return answer(pressed.approval, person.name, channel=Channel.SLACK, reason=reason, shown=pressed.shown)

    def _note(self, sender: Sender, refused: dict[str, str]) -> None:
        event = {
            "kind": "chat-refused", "by": f"{SERVICE}:{sender.team}/{sender.account}", "service": SERVICE,
            "team": sender.team, "account": sender.account, **refused,
        }  # fmt: skip
        with self._services.store.writing() as connection:
            outbox.append(connection, event, at=self._services.clock())

    async def _tell(self, sender: Sender, words: str) -> None:
        if sender.direct:
            await self._slack.say(sender.channel, words)
        elif sender.respond:
            await self._slack.respond(sender.respond, words)
        elif sender.channel:
            await self._slack.whisper(sender.channel, sender.account, words)


def _sentence(error: GateholdError) -> str:
    words = str(error)
    return f"{words[:1].upper()}{words[1:]}."
