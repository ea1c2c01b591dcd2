"""Law: an auditor sees in stock mitmweb what was decided, and why; the viewer sends nothing.

A real gateway records a session of real clients; then ``gatehold recordings open`` starts a real mitmweb on it.
"""

import json
import re
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import websocket
from playwright.sync_api import Browser, Page, expect

from gatehold.demo import records
from gatehold.demo.serving import serve
from tests.browser.windows import pictures
from tests.e2e.harness import BIN, CRM_TOKEN, Installation, clean_environment, free_port, installation, running
from tests.e2e.test_exec import path
from tests.e2e.test_http_web_sockets import Server
from tests.e2e.web_socket_client import request

CRM = "https://crm.corp.example"
CHAT = "open.corp.example"
SOCKETS = """
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: chat}
spec:
  family: http
  hosts: ["open.corp.example:443"]
  connect: 127.0.0.1:@CHAT@
  allowPrivate: true
  tls: {ca: "@CA@"}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: sockets}
rules:
  - name: planners-chat
    effect: allow
    agents: {groups: [planners]}
    http: {targets: [chat], paths: [/chat], upgrade: websocket}
    mask: {profiles: [pci]}
  - name: planners-open-shells
    effect: allow
    agents: {groups: [planners]}
    kubernetes: {targets: [main], namespaces: [dev-1], apiGroups: [""], resources: [pods/exec], verbs: [get, create]}
"""
LINK = re.compile(r"http://127\.0\.0\.1:\d+/\?token=\w+")
SECONDS = 15_000
LINES = ".flow-table tbody tr:has(td)"
"""The first and the last row of the table are room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """A session that is over."""

    installed: Installation
    session: str
    decisions: dict[str, str]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """A masked answer, a refusal, a call that waits for a person, a write, a WebSocket, and a terminal session."""
    with installation(tmp_path_factory.mktemp("viewer")) as made:
        made.configure()
        before, _, rest = (made.config / "policy.yaml").read_text().partition("  - name: no-exec")
        (made.config / "policy.yaml").write_text(before + "  - name: " + rest.split("  - name: ", 1)[1])
        token = made.token(subject="auditable")
        with serve(Server().app(), certificate=made.certificate.pair) as chat:
            made.write("sockets.yaml", SOCKETS.replace("@CHAT@", str(chat.port)))
            with running(made):
                body = ("-H", "Content-Type: application/json", "-d", '{"vip": false}')
                answers = {
                    "masked": made.curl(f"{CRM}/customers/1", token=token),
                    "denied": made.curl(f"{CRM}/report.csv", token=token),
                    "pending": made.curl(f"{CRM}/customers/9", "-X", "DELETE", token=token),
                    "written": made.curl(f"{CRM}/customers", *body, token=token),
                }
                _chat(made, token)
                with request(made, path(made, "dev-1", "echo", "hello"), token=token) as shell:
                    assert b"hello" in shell.output()
        [listed] = json.loads(made.gatehold("recordings", "list", "--json").stdout)["items"]
        decisions = {name: answer.headers["gatehold-decision"] for name, answer in answers.items()}
        yield Recorded(installed=made, session=listed["session"], decisions=decisions)


def _chat(installed: Installation, token: str) -> None:
    connection = websocket.create_connection(
        f"wss://{CHAT}/chat",
        http_proxy_host="127.0.0.1",
        http_proxy_port=installed.proxy_port,
        http_proxy_auth=("agent", token),
        proxy_type="http",
        sslopt={"ca_certs": str(installed.ca), "cert_reqs": ssl.CERT_REQUIRED},
        timeout=20,
    )
    connection.send("card 4111 1111 1111 1111")
    assert connection.recv() == "card <CREDIT_CARD>"
    connection.close()


@contextmanager
def mitmweb(recorded: Recorded, *options: str) -> Iterator[str]:
    """The viewer; yields its address."""
    command = [BIN / "gatehold", "recordings", "open", recorded.session, "--no-browser", "--port", str(free_port()),
               "--config", recorded.installed.config, *options]  # fmt: skip
    environment = clean_environment(CRM_TOKEN=CRM_TOKEN, HOME=str(recorded.installed.directory), PYTHONUNBUFFERED="1")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as web:
        try:
            printed = ""
            for line in web.stdout or ():
                printed += line
                if found := LINK.search(line):
                    yield found[0]
                    return
            raise AssertionError(printed)
        finally:
            web.terminate()


@pytest.fixture(scope="module")
def address(recorded: Recorded) -> Iterator[str]:
    """One viewer for all tests."""
    with mitmweb(recorded) as link:
        yield link


@pytest.fixture
def page(chromium: Browser, address: str) -> Iterator[Page]:
    """The list of flows."""
    context = chromium.new_context(viewport={"width": 1500, "height": 900})
    context.set_default_timeout(SECONDS)
    shown = context.new_page()
    shown.goto(address)
    expect(shown.locator(LINES)).to_have_count(6)
    yield shown
    context.close()


def choose(page: Page, words: str, tab: str = "Response") -> None:
    """Click on a flow, then on one of its tabs."""
    page.locator(LINES, has_text=words).first.click()
    page.locator(".flow-detail nav").get_by_text(tab, exact=True).click()


def test_flows_stand_with_their_decisions(page: Page) -> None:
    """One line each, whose comment says what was decided by which rule."""
    page.screenshot(path=pictures() / "mitmweb-flows.png")
    lines = page.locator(LINES)
    for words in ("deny nobody-reads-the-report", "hold planners-delete-customers", "allow planners-write-customers"):
        expect(lines.filter(has_text=words)).to_have_count(1)


def test_a_decision_stands_above_the_body(page: Page, recorded: Recorded) -> None:
    """With rule, agent, what was masked, and lines of the journal; nothing that was masked."""
    choose(page, "/customers/1")
    view = page.locator(".contentview")
    for words in (f"decision: {recorded.decisions['masked']}", "verdict: allow", "rule: planners-read", "agent: auditable",
                  "masked by pci, pii:", "EMAIL_ADDRESS: 1", "intent allowed", "outcome allowed 200", "<EMAIL_ADDRESS>"):  # fmt: skip
        expect(view).to_contain_text(words)
    page.screenshot(path=pictures() / "mitmweb-decision.png")
    customer = records.customers()[0]
    for key in ("email", "card", "iban", "ssn"):
        assert str(customer[key]) not in page.content()


def test_refused_and_waiting_calls_say_why(page: Page) -> None:
    """With the code, and the approval and its moves."""
    choose(page, "/report.csv")
    expect(page.locator(".contentview")).to_contain_text("code: denied-by-rule")
    choose(page, "/customers/9")
    view = page.locator(".contentview")
    expect(view).to_contain_text("code: approval-pending")
    expect(view).to_contain_text(re.compile(r"approval: apr_\S+"))
    expect(view).to_contain_text(re.compile(r"\d+ \S+ approval pending"))
    page.screenshot(path=pictures() / "mitmweb-waiting.png")
    choose(page, "/customers/9", "Comment")
    expect(page.locator(".flow-detail")).to_contain_text("hold planners-delete-customers [approval-pending]")


def test_messages_of_a_web_socket(page: Page) -> None:
    """As they were recorded: masked both ways."""
    choose(page, "/chat", "WebSocket")
    expect(page.locator(".contentview").first).to_contain_text("card <CREDIT_CARD>")
    assert "4111 1111" not in page.content()
    page.screenshot(path=pictures() / "mitmweb-websocket.png")


def test_what_was_said_in_a_terminal(page: Page) -> None:
    """As text, after the name of its stream."""
    choose(page, "/exec", "WebSocket")
    expect(page.locator(".flow-detail")).to_contain_text("stdout: hello")
    page.screenshot(path=pictures() / "mitmweb-terminal.png")


def test_nothing_is_sent_from_the_viewer(page: Page, recorded: Recorded) -> None:
    """mitmweb's own button gets an answer that says so."""
    before = len(recorded.installed.customers.received)
    choose(page, "POST")
    page.get_by_text("Flow", exact=True).click()
    page.get_by_text("Replay", exact=True).click()
    expect(page.locator(".flow-detail")).to_contain_text("This is a viewer and sends nothing.")
    page.screenshot(path=pictures() / "mitmweb-nothing-sent.png")
    assert len(recorded.installed.customers.received) == before


@pytest.mark.parametrize(("words", "count"), [("~comment deny", 1), ("~meta masked", 2), ("~marked", 4)])
def test_flows_are_found_by_their_decision(chromium: Browser, recorded: Recorded, words: str, count: int) -> None:
    """By mitmproxy's own filters."""
    with mitmweb(recorded, "--filter", words) as link:
        page = chromium.new_page()
        page.goto(link)
        expect(page.locator(LINES)).to_have_count(count, timeout=SECONDS)
        page.close()
