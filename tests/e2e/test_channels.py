"""Law: a held call is told where the configuration says, and a person's answer from a chat lets it go on or not.

A real gateway process in both ways to run it, real curl as the agent, a stand-in for Slack that checks what Slack
checks, and a receiver of webhooks that verifies with the standard's own library.
"""

import base64
import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from standardwebhooks.webhooks import Webhook as Receiver
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gatehold.channels.slack.messages import APPROVE, DENY
from gatehold.demo.serving import serve
from gatehold.people.chat_accounts import ChatAccounts
from gatehold.store import open_store
from tests.e2e.harness import GatewayProcess, Installation, installation
from tests.e2e.harness import running as running_gateway
from tests.gatehold.channels.slack.blocks import texts
from tests.gatehold.channels.slack.standin import APP, BOT, CHANNEL, SIGNING, Slack, workspace

CRM = "https://crm.corp.example"
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
URSULA, EVE = "U0URSULA", "U0EVE"
HOSTILE = "x%3C!channel%3E%E2%80%AE"
UNTIL = 30.0

NOTIFY = """
  notify:
    - name: ops
      webhook: {{url: "{hook}", secret: "${{file:secrets/hook}}"}}
    - name: elsewhere
      webhook: {{url: "{hook}?elsewhere", secret: "${{file:secrets/hook}}"}}
      for: {{groups: [nobody]}}
    - name: chat
      slack: {{botToken: "${{file:secrets/bot}}", {back}, channel: {channel}, apiUrl: "{slack}/api/"}}
"""


@dataclass
class Ops:
    """A receiver of webhooks: fails once for each message, then takes it."""

    taken: list[dict[str, Any]] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)

    async def receive(self, request: Request) -> Response:
        told = Receiver(SECRET).verify(await request.body(), dict(request.headers))
        if request.headers["webhook-id"] not in self.seen:
            self.seen.add(request.headers["webhook-id"])
            return Response(status_code=500)
        with self.changed:
            self.taken.append({**told, "query": str(request.url.query)})
            self.changed.notify_all()
        return Response(status_code=204)

    def told_of(self, path: str, count: int) -> list[dict[str, Any]]:
        """Wait for so many messages about a path."""
        found = lambda: [each for each in self.taken if each["data"]["path"].startswith(path)]  # noqa: E731
        with self.changed:
            assert self.changed.wait_for(lambda: len(found()) >= count, UNTIL), found()
            return found()


@dataclass
class Site:
    """Everything that one gateway tells."""

    installed: Installation
    slack: Slack
    ops: Ops


@pytest.fixture(scope="module", params=[("run", "socket"), ("bundle", "http")], ids="-".join)
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    way, back = request.param
    with ExitStack() as stack:
        slack, ops = stack.enter_context(workspace()), Ops()
        server = stack.enter_context(serve(Starlette(routes=[Route("/hook", ops.receive, methods=["POST"])])))
        made = stack.enter_context(installation(tmp_path_factory.mktemp("installation")))
        made.way = way
        made.configure(hold="40s")
        (made.config / "secrets").mkdir()
        for name, value in {"hook": SECRET, "bot": BOT, "app": APP, "signing": SIGNING}.items():
            (made.config / "secrets" / name).write_text(f"{value}\n")
        answers = {"socket": 'appToken: "${file:secrets/app}"', "http": 'signingSecret: "${file:secrets/signing}"'}
        notify = NOTIFY.format(hook=f"{server.url}/hook", back=answers[back], channel=CHANNEL, slack=slack.url)
        gateway = made.config / "gateway.yaml"
        gateway.write_text(gateway.read_text().replace("\n---", f"{notify}---", 1))
        if back == "http":
            slack.hook = f"http://127.0.0.1:{made.console_port}/hooks/slack/chat"
        for name, group in (("ursula", "sre"), ("eve", "interns")):
            made.gatehold("users", "add", name, "--group", group)
        yield Site(made, slack, ops)


@pytest.fixture(scope="module")
def running(site: Site) -> Iterator[GatewayProcess]:
    with running_gateway(site.installed, site.installed.way) as process:
        enrol(site, "ursula", URSULA)
        enrol(site, "eve", EVE)
        yield process


def enrol(site: Site, user: str, account: str) -> None:
    """As the account page makes a code, sent by command."""
    with open_store("sqlite", site.installed.data) as store:
        code = ChatAccounts(store, time.time).code(user)
    site.slack.command(f"enrol {code}", account)
    site.slack.hears(account, f"this account is {user}")


def test_the_configuration_is_fine(site: Site) -> None:
    """And ``doctor`` has a line for each channel, which shows no secret."""
    site.installed.gatehold("check", "--resolve")
    said = site.installed.gatehold("doctor", check=False).stdout
    for name in ("ops", "elsewhere", "chat"):
        assert re.search(rf"ok +channel {name} ", said, re.IGNORECASE), said
    assert not any(secret in said for secret in (SECRET, BOT, APP, SIGNING))


def test_a_yes_from_a_chat(site: Site, running: GatewayProcess) -> None:
    """The call goes on; everybody is told of it, in order, where they want to be."""
    token = site.installed.token("deleter")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(site.installed.curl, f"{CRM}/customers/7101", "-X", "DELETE", token=token, timeout=60)
        ts = site.slack.shows("/customers/7101")
        site.slack.press(ts, APPROVE, EVE)
        site.slack.hears(EVE, "is in none of the groups")
        assert not waiting.done()
        site.slack.press(ts, APPROVE, URSULA)
        answer = waiting.result()
    assert answer.status == 404, "the stand-in of the CRM has no such customer, and said so itself"
    site.slack.until(lambda: "Approved, and used" in json.dumps(site.slack.messages[ts]), "update")
    told = site.ops.told_of("/customers/7101", 3)
    assert [each["type"] for each in told] == ["approval.opened", "approval.answered", "approval.ended"]
    assert {each["query"] for each in told} == {""}
    assert told[-1]["data"]["answers"] == [{"answer": "approve", "user": "ursula"}]
    page = httpx2.get(told[0]["data"]["url"], trust_env=False)
    assert (page.status_code, "/login" in page.headers["location"]) == (303, True), "the link asks for a sign-in"


def test_a_no_from_a_chat(site: Site, running: GatewayProcess) -> None:
    """Its reason is the agent's answer; hostile text in the path is text in the message."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            site.installed.curl, f"{CRM}/customers/{HOSTILE}", "-X", "DELETE",
            token=site.installed.token("deleter"), timeout=60,
        )  # fmt: skip
        ts = site.slack.shows("%3C!channel%3E")
        shown = "".join(each["text"] for each in texts(site.slack.messages[ts]["blocks"]))
        assert "<!channel>" not in site.slack.messages[ts]["text"]
        assert "\u202e" not in shown
        site.slack.press(ts, DENY, URSULA)
        site.slack.submit(site.slack.form(), "not on a *Friday*", URSULA)
        answer = waiting.result()
    assert (answer.status, answer.json["code"]) == (403, "approval-denied")
    assert "not on a *Friday*" in answer.json["detail"]
    site.slack.until(lambda: "Denied by" in json.dumps(site.slack.messages[ts]), "update")


def test_nothing_secret_is_said(site: Site, running: GatewayProcess) -> None:
    """Neither by the process nor to anybody."""
    everything = running.output + json.dumps(site.slack.messages) + json.dumps(site.ops.taken)
    for secret in (SECRET, BOT, APP, SIGNING, site.installed.token("deleter")[:20]):
        assert secret not in everything
