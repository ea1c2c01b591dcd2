"""One installation, one gateway and one Chromium for each module; windows and agents are of one test."""

import secrets
import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Channel
from gatehold.approvals.states import ApprovalState
from gatehold.config.console import SessionSpec
from gatehold.config.gateway import ApprovalsSpec
from gatehold.people.model import Way
from gatehold.people.passwords import Passwords
from gatehold.people.web_sessions import WebSessions
from gatehold.store import open_store
from gatehold.store.users import add_user
from tests.browser.agents import CRM, Agents
from tests.browser.rules import ASKING
from tests.browser.windows import NAMES, WAIT, Window, launch
from tests.e2e.harness import GatewayProcess, Installation, installation, require, running
from tests.requiring import lacking

PASSWORD = "correct horse battery staple"
PEOPLE = {"ursula": ["sre"], "viktor": ["sre"], "wanda": ["finance"]}
"""Users of the console and their groups; the last is never asked."""

expect.set_options(timeout=WAIT)

type Windows = Callable[..., Window]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Calls are held for longer than anybody here needs."""
    require("curl")
    with installation(tmp_path_factory.mktemp("installation")) as made:
        made.configure(hold="50s")
        made.write("asking.yaml", ASKING)
        yield made


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """A gateway that serves, and people who may sign in."""
    with running(installed) as process:
        with open_store("sqlite", installed.data) as store:
            passwords = Passwords(store, time.time)
            for name, groups in PEOPLE.items():
                with store.writing() as connection:
                    add_user(connection, name, groups, by="test", now=time.time())
                passwords.set(name, PASSWORD, by="test")
        # The first body loads what reads bodies, which takes a while on a busy machine.
        installed.curl(f"{CRM}/customers/1", "-X", "PATCH", "-H", "Content-Type: application/json", "-d", '{"a": "b"}')
        yield process


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's browser; skips where there is none, unless ``GATEHOLD_REQUIRE`` names ``browser``."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        lacking("browser", f"no browser is installed: {' or '.join(NAMES)} on PATH")
    with sync_playwright() as playwright:
        browser = launch(playwright, path)
        yield browser
        browser.close()


@pytest.fixture
def windows(chromium: Browser, gateway: GatewayProcess, installed: Installation) -> Iterator[Windows]:
    """Opens windows, with somebody signed in or nobody; nothing wrong may have happened in them when the test ends."""
    url = f"http://127.0.0.1:{installed.console_port}"
    opened: list[Window] = []

    def make(user: str | None = "ursula", **options: object) -> Window:
        cookie = session(installed, user) if user else ""
        opened.append(Window.open(chromium, url, cookie=cookie, **options))
        return opened[-1]

    yield make
    wrong = [problem for each in opened for problem in each.problems()]
    for each in opened:
        each.close()
    assert not wrong


@pytest.fixture
def window(windows: Windows) -> Window:
    """A window in which one of those who are asked has signed in."""
    return windows()


@pytest.fixture
def agents(gateway: GatewayProcess, installed: Installation) -> Iterator[Agents]:
    """Clients; when the test ends they end, and nobody is asked anything any more."""
    made = Agents(installed=installed)
    yield made
    made.end()
    with open_store("sqlite", installed.data) as store:
        desk = ApprovalDesk(store, ApprovalsSpec())
        for approval in desk.listing(state=ApprovalState.PENDING):
            desk.deny(approval.id, "viktor", channel=Channel.CONSOLE, reason="the test is over")


@pytest.fixture
def customer() -> int:
    """One that no test before asked about."""
    return 1000 + secrets.randbelow(1_000_000_000)


def session(installed: Installation, user: str) -> str:
    """The cookie of a session that was just opened."""
    with open_store("sqlite", installed.data) as store:
        return WebSessions(store, SessionSpec(), time.time).open(user, Way.PASSWORD).cookie_value
