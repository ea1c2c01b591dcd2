"""Law: in Slack, people who enrolled answer as on the console, everybody else is refused, and the message keeps up.

All of it by Socket Mode and by signed HTTP, against a stand-in that checks what Slack checks.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest
from starlette.responses import Response
from starlette.routing import Router

from gatehold.approvals import showing
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Channel
from gatehold.channels.serving import Channels
from gatehold.channels.slack.messages import APPROVE, DENY, Pressed
from gatehold.config.gateway import GatewaySpec
from gatehold.console.addresses import ConsoleAddress
from gatehold.console.guarding import Guard
from gatehold.console.templating import Templates
from gatehold.people.chat_accounts import ChatAccounts
from gatehold.serving import HttpListener
from gatehold.store import Store
from gatehold.store.outbox import waiting
from gatehold.store.seldom import SeldomEvents
from tests.e2e.harness import free_port
from tests.gatehold.channels.conftest import HOSTILE, a_call
from tests.gatehold.channels.slack.blocks import texts
from tests.gatehold.channels.slack.standin import APP, BOT, CHANNEL, SIGNING, TEAM, Slack, workspace

ALICE, BOB, OLGA, EVE, STRANGER = "U0ALICE", "U0BOB", "U0OLGA", "U0EVE", "U0STRANGER"
type Events = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def slack() -> Iterator[Slack]:
    with workspace() as made:
        yield made


@pytest.fixture
def desk(store: Store) -> ApprovalDesk:
    """In the time of now, which signatures are judged by."""
    return ApprovalDesk(store, GatewaySpec().approvals)


@pytest.fixture
def answered() -> list[str]:
    return []


@pytest.fixture(params=["socket", "http"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
async def channels(
    *, slack: Slack, way: str, store: Store, desk: ApprovalDesk, answered: list[str], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Channels]:
    """A channel named chat, with its way back, that runs."""
    for name, value in {"BOT": BOT, "APP": APP, "SIGNING": SIGNING}.items():
        monkeypatch.setenv(f"SLACK_{name}", value)
    back = {"appToken": "${env:SLACK_APP}"} if way == "socket" else {"signingSecret": "${env:SLACK_SIGNING}"}
    chat = {"botToken": "${env:SLACK_BOT}", "channel": CHANNEL, "apiUrl": f"{slack.url}/api/", **back}
    spec = GatewaySpec.model_validate({"notify": [{"name": "chat", "slack": chat}]})
    made = Channels(spec, store, desk, console="https://gatehold.example", answered=lambda: answered.append("now"))
    router = Router(list(made.routes), redirect_slashes=False)
    port = free_port()
    address = ConsoleAddress.of("127.0.0.1", port, None)
    forgeries = SeldomEvents(store, time.time)
    guard = Guard(router, address=address, find=lambda *_, **__: None, templates=Templates(), forgeries=forgeries)
    listener = HttpListener(guard, "127.0.0.1", port, name="console")
    await listener.open()
    slack.hook = f"{listener.url}/hooks/slack/chat" if way == "http" else ""
    await made.start()
    yield made
    await made.close()
    await listener.close()


@pytest.fixture
def enrolled(store: Store) -> None:
    """Accounts of people, bound before."""
    accounts = ChatAccounts(store, time.time)
    for user, account in {"alice": ALICE, "bob": BOB, "olga": OLGA, "eve": EVE}.items():
        accounts.bind(accounts.code(user), service="slack", team=TEAM, account=account)


async def told(slack: Slack, path: str) -> str:
    """The ``ts`` of the message about a path, once it is there."""
    return await asyncio.to_thread(slack.shows, path)


async def becomes(slack: Slack, ts: str, words: str) -> None:
    """Wait until a message has these words."""
    await asyncio.to_thread(slack.until, lambda: words in json.dumps(slack.messages[ts]["blocks"]), words)


async def test_a_yes(
    *, slack: Slack, channels: Channels, desk: ApprovalDesk, enrolled: None, answered: list[str]
) -> None:
    """By a press; calls that wait are woken, and the message says who said it, then that it was used."""
    call = a_call()
    approval = desk.open_or_join(call)
    ts = await told(slack, call.path)
    await asyncio.to_thread(slack.press, ts, APPROVE, ALICE)
    await asyncio.to_thread(slack.hears, ALICE, "is approved")
    [answer] = desk.get(approval.id).answers
    assert (answer.user, answer.channel, answered) == ("alice", Channel.SLACK, ["now"])
    assert answer.shown
    await becomes(slack, ts, "Approved by")
    assert desk.spend(approval.id, call.fingerprint)
    await becomes(slack, ts, "Approved, and used")
    assert [action["action_id"] for action in slack.messages[ts]["blocks"][-1]["elements"]] == ["gatehold-details"]
    assert len(slack.messages) == 1


async def test_a_no_needs_a_reason(slack: Slack, channels: Channels, desk: ApprovalDesk, enrolled: None) -> None:
    """Asked for in a form; without one nothing happens, and the person is told."""
    approval = desk.open_or_join(a_call())
    ts = await told(slack, "/customers/one")
    await asyncio.to_thread(slack.press, ts, DENY, BOB)
    form = await asyncio.to_thread(slack.form)
    assert desk.get(approval.id).state == "pending"
    await asyncio.to_thread(slack.submit, form, "  ", BOB)
    await asyncio.to_thread(slack.hears, BOB, "A denial needs a reason")
    await asyncio.to_thread(slack.submit, form, HOSTILE, BOB)
    await becomes(slack, ts, "Denied by")
    denied = desk.get(approval.id)
    assert (denied.state, denied.reason) == ("denied", HOSTILE)
    assert all(each["type"] in ("plain_text", "text") for each in texts(slack.messages[ts]["blocks"]))


async def test_who_may_not(
    *, slack: Slack, channels: Channels, desk: ApprovalDesk, enrolled: None, events: Events
) -> None:
    """An account of nobody, an account of another workspace, somebody of another group, somebody behind the call."""
    approval = desk.open_or_join(a_call())
    ts = await told(slack, "/customers/one")
    await asyncio.to_thread(slack.press, ts, APPROVE, STRANGER)
    await asyncio.to_thread(slack.hears, STRANGER, "belongs to nobody known here")
    await asyncio.to_thread(slack.press, ts, APPROVE, ALICE, team="T0OTHER")
    await asyncio.to_thread(slack.hears, ALICE, "belongs to nobody known here")
    await asyncio.to_thread(slack.press, ts, DENY, STRANGER)
    await asyncio.to_thread(slack.press, ts, APPROVE, EVE)
    await asyncio.to_thread(slack.hears, EVE, "is in none of the groups")
    await asyncio.to_thread(slack.press, ts, APPROVE, OLGA)
    await asyncio.to_thread(slack.hears, OLGA, "nobody answers for their own")
    assert desk.get(approval.id).state == "pending"
    assert slack.views == []
    refused = [(each["account"], each["objection"]) for each in events("chat-refused")]
    assert sorted(refused) == sorted([(STRANGER, "not-enrolled"), (ALICE, "not-enrolled"), (STRANGER, "not-enrolled")])
    objections = {each["objection"] for each in events("approval-answer-refused")}
    assert objections == {"wrong-group", "own-request"}


async def test_what_was_shown_is_what_counts(
    slack: Slack, channels: Channels, desk: ApprovalDesk, enrolled: None, events: Events
) -> None:
    """A button with another digest, or for another approval, answers nothing; a second press is late."""
    approval = desk.open_or_join(a_call())
    ts = await told(slack, "/customers/one")
    for value in (f"{approval.id} {'0' * 64}", f"apr_none {'0' * 64}", "x", approval.id):
        await asyncio.to_thread(slack.press, ts, APPROVE, ALICE, actions=[{"action_id": APPROVE, "value": value}])
    await asyncio.to_thread(slack.hears, ALICE, "What is asked is not what was shown")
    await asyncio.to_thread(slack.hears, ALICE, "No approval has the id")
    assert desk.get(approval.id).state == "pending"
    desk.deny(approval.id, "bob", channel=Channel.CONSOLE, reason="no")
    old = {"action_id": APPROVE, "value": Pressed(approval=approval.id, shown=showing.digest([approval])).value()}
    await asyncio.to_thread(slack.press, ts, "gatehold-details", ALICE, actions=[old])
    await asyncio.to_thread(slack.hears, ALICE, "Too late")
    await becomes(slack, ts, "Denied by")


async def test_enrolment(slack: Slack, channels: Channels, desk: ApprovalDesk, store: Store, events: Events) -> None:
    """A code of the account page, sent by command or to the app alone, is good once; a wrong one is told and kept."""
    accounts = ChatAccounts(store, time.time)
    code = accounts.code("alice")
    await asyncio.to_thread(slack.command, "enrol WRONGCODE123", ALICE)
    await asyncio.to_thread(slack.hears, ALICE, "The code is unknown, was used, or is too old")
    await asyncio.to_thread(slack.command, f"enrol {code}", ALICE)
    await asyncio.to_thread(slack.hears, ALICE, "this account is alice")
    await asyncio.to_thread(slack.command, f"enrol {code}", STRANGER)
    await asyncio.to_thread(slack.hears, STRANGER, "The code is unknown")
    await asyncio.to_thread(slack.command, "help", BOB)
    await asyncio.to_thread(slack.hears, BOB, "Send: enrol CODE")
    dashed = "-".join(textwrap(accounts.code("bob")))
    await asyncio.to_thread(slack.write, f"enrol {dashed.lower()}", BOB)
    await asyncio.to_thread(
        slack.until, lambda: any(each["channel"] == "D0ALICE" for each in slack.messages.values()), "reply"
    )
    found = [accounts.find("slack", TEAM, account) for account in (ALICE, BOB, STRANGER)]
    assert [each and each.name for each in found] == ["alice", "bob", None]
    assert [(each["account"], each["objection"]) for each in events("chat-refused")] == [
        (ALICE, "unknown-code"),
        (STRANGER, "unknown-code"),
    ]


async def test_messages_of_programs_are_left_alone(
    slack: Slack, channels: Channels, store: Store, desk: ApprovalDesk
) -> None:
    """Its own, those of other apps, changes of messages, and what is written in channels."""
    code = ChatAccounts(store, time.time).code("alice")
    for changes in ({"bot_id": "B1"}, {"subtype": "message_changed"}, {"channel_type": "channel"}, {"user": None}):
        await asyncio.to_thread(slack.write, f"enrol {code}", ALICE, **changes)
    await asyncio.to_thread(slack.command, "help", BOB)
    await asyncio.to_thread(slack.hears, BOB, "Send: enrol CODE")
    assert [event for event in waiting(store) if event.event["kind"] == "chat-account"] == []
    assert slack.messages == {}


async def test_slack_is_away(slack: Slack, channels: Channels, desk: ApprovalDesk, enrolled: None) -> None:
    """The message comes once it is back, once."""
    slack.failing = [Response(status_code=500), Response("{}", 429, headers={"Retry-After": "1"})]
    desk.open_or_join(a_call())
    await told(slack, "/customers/one")
    assert len(slack.messages) == 1


@pytest.mark.parametrize("way", ["socket"], indirect=True)
async def test_slack_hangs_up(slack: Slack, channels: Channels, desk: ApprovalDesk, enrolled: None) -> None:
    """A new connection is opened, and answers come by it."""
    approval = desk.open_or_join(a_call())
    ts = await told(slack, "/customers/one")
    await asyncio.to_thread(slack.hang_up)
    await asyncio.to_thread(slack.press, ts, APPROVE, ALICE)
    await asyncio.to_thread(slack.hears, ALICE, "is approved")
    assert desk.get(approval.id).state == "approved"


@pytest.mark.parametrize("way", ["http"], indirect=True)
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"X-Slack-Signature": "v0=" + "0" * 64}, "forged"),
        ({"X-Slack-Signature": "v0=x"}, "malformed"),
        ({"X-Slack-Signature": ""}, "malformed"),
        ({"X-Slack-Request-Timestamp": "soon"}, "malformed"),
        ({"X-Slack-Request-Timestamp": "1700000000"}, "stale"),
        ({}, "replayed"),
    ],
)
async def test_only_slack_is_heard(
    *, slack: Slack, channels: Channels, store: Store, events: Events, change: dict[str, str], words: str
) -> None:
    """Signed by the secret, now, once; all else is refused and kept, a code in it is not used up."""
    body = f"team_id={TEAM}&user_id={ALICE}&text=help".encode()
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    async with httpx2.AsyncClient(trust_env=False) as client:
        headers = form | slack.signed(body)
        if not change:
            assert (await client.post(slack.hook, content=body, headers=headers)).status_code == 200
        refused = await client.post(slack.hook, content=body, headers=headers | change)
        assert (refused.status_code, refused.text) == (401, f"The signature is {words}.")
        changed = await client.post(slack.hook, content=body + b"x", headers=headers)
        assert changed.status_code == 401
        assert (await client.get(slack.hook)).status_code == 405
        elsewhere = {"Host": "evil.example"} | form | slack.signed(body + b"&")
        assert (await client.post(slack.hook, content=body + b"&", headers=elsewhere)).status_code == 421
    assert [each["objection"] for each in events("hook-refused")] == [words]


@pytest.mark.parametrize("way", ["http"], indirect=True)
async def test_slack_asks_whether_the_address_is_ours(slack: Slack, channels: Channels) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "c-1"}).encode()
    headers = {"Content-Type": "application/json", **slack.signed(body)}
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(slack.hook, content=body, headers=headers)
    assert answer.json() == {"challenge": "c-1"}


@pytest.mark.parametrize("way", ["http"], indirect=True)
@pytest.mark.parametrize("body", [b"", b"\xff", b"payload=x", b"payload=[]", b"a=b&" * 100, b"payload=" + b"[" * 9000])
async def test_forms_of_other_shapes(slack: Slack, channels: Channels, body: bytes) -> None:
    """Do nothing, and break nothing."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", **slack.signed(body)}
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.post(slack.hook, content=body, headers=headers)).status_code in (200, 400)


def textwrap(code: str) -> list[str]:
    """As the account page writes it."""
    return [code[at : at + 4] for at in range(0, len(code), 4)]
