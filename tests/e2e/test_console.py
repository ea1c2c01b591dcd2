"""Law: what people say on the pages is what becomes of a held call; nobody else gets in, and agents never lead there.

A real gateway process in both ways to run it, real curl as the agent, a plain HTTP client as the browser.
"""

import html
import re
import secrets
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from gatehold.config.console import SessionSpec
from gatehold.people.model import Way
from gatehold.people.web_sessions import WebSessions
from gatehold.store import open_store
from gatehold.store.users import find_user
from tests.e2e.harness import (
    BIN,
    CRM_TOKEN,
    Answer,
    GatewayProcess,
    Installation,
    clean_environment,
    command_line,
    installation,
    running,
)

CRM = "https://crm.corp.example"
PASSWORD = "correct horse battery staple"
LIVE_SECONDS = 20.0


@pytest.fixture(scope="module")
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Calls are held for longer than a person here needs."""
    with installation(tmp_path_factory.mktemp("installation")) as made:
        made.way = getattr(request, "param", "run")
        made.configure(hold="40s")
        yield made


@pytest.fixture(scope="module", autouse=True)
def people(installed: Installation) -> None:
    """Somebody with a password."""
    installed.gatehold("users", "add", "ursula", "--group", "sre")
    command = [BIN / "gatehold", "users", "password", "ursula", "--stdin", "--config", installed.config]
    environment = clean_environment(CRM_TOKEN=CRM_TOKEN)
    subprocess.run(command, input=f"{PASSWORD}\n", text=True, check=True, timeout=60, env=environment)


@pytest.fixture
def browser(gateway: GatewayProcess, installed: Installation) -> Iterator[httpx2.Client]:
    """A browser in which somebody has signed in by the form."""
    url = f"http://127.0.0.1:{installed.console_port}"
    with httpx2.Client(base_url=url, trust_env=False, timeout=30, headers={"Origin": url}) as client:
        form = hidden(client.get("/login").text)
        answer = client.post("/login", data=form | {"name": "ursula", "password": PASSWORD})
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), answer.text
        yield client


@pytest.fixture
def customer() -> int:
    """One that no test before asked about."""
    return 1000 + secrets.randbelow(1_000_000)


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of the forms of a page."""
    found = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


def appears(client: httpx2.Client, path: str) -> str:
    """The address of the approval for a path, as soon as the stream of events tells of it."""
    with client.stream("GET", "/live", timeout=LIVE_SECONDS) as stream:
        for line in stream.iter_lines():
            if line.startswith("data:"):
                row = re.search(
                    rf'href="(/approvals/apr_[^"]+)">(?:(?!</a>).)*{path}\b', client.get("/").text, re.DOTALL
                )
                if row:
                    return row[1]
    raise AssertionError("the stream ended")


def asking(pool: ThreadPoolExecutor, installed: Installation, customer: int) -> "Future[Answer]":
    """An agent that waits for an answer."""
    token = installed.token("deleter")
    return pool.submit(installed.curl, f"{CRM}/customers/{customer}", "-X", "DELETE", token=token, timeout=60)


@pytest.mark.parametrize("installed", ["run", "bundle"], indirect=True)
@pytest.mark.parametrize(("verb", "status", "code"), [("approve", 404, None), ("deny", 403, "approval-denied")])
def test_people_answer_on_the_pages(  # noqa: PLR0917 (fixtures and parameters)
    browser: httpx2.Client, installed: Installation, customer: int, verb: str, status: int, code: str | None
) -> None:
    """The call appears by itself, its page shows what was sent, the answer lets it go on or not."""
    with ThreadPoolExecutor(1) as pool:
        waiting = asking(pool, installed, customer)
        url = appears(browser, f"/customers/{customer}")
        page = browser.get(url).text
        assert "deleter" in page
        assert "planners-delete-customers" in page
        bytes_sent = browser.post(f"{url}/reveal", data={"csrf": hidden(page)["csrf"]})
        assert "As the agent sent it" in bytes_sent.text
        assert installed.token("deleter")[:20] not in bytes_sent.text, "what authenticates the agent is not shown"
        answered = browser.post(url, data=hidden(page) | {"verb": verb, "reason": "by <b>ursula</b>"})
        assert answered.status_code == 303
        answer = waiting.result()
    assert answer.status == status
    assert code is None or (answer.json["code"], "by <b>ursula</b>" in answer.json["detail"]) == (code, True)
    assert "by &lt;b&gt;ursula&lt;/b&gt;" in browser.get(url).text


def test_a_program_answers_with_a_persons_token(browser: httpx2.Client, installed: Installation, customer: int) -> None:
    """The token is made in the console, shown once, and answers as its person."""
    made = installed.gatehold("users", "token", "ursula", "--label", "ci", "--ttl", "1h").stdout
    [token] = re.findall(r"ghu_[A-Za-z0-9_-]{43}", made)
    base = f"http://127.0.0.1:{installed.console_port}/api/v1"
    with (
        ThreadPoolExecutor(1) as pool,
        httpx2.Client(trust_env=False, headers={"Authorization": f"Bearer {token}"}) as program,
    ):
        waiting = asking(pool, installed, customer)
        approval = appears(browser, f"/customers/{customer}").rpartition("/")[2]
        shown = program.get(f"{base}/approvals/{approval}").json()["shown"]
        done = program.post(f"{base}/approvals/{approval}/deny", json={"shown": shown, "reason": "no"}).json()
        assert done["answers"][0]["channel"] == "token"
        assert waiting.result().json["code"] == "approval-denied"


def test_nobody_else_gets_in(browser: httpx2.Client, installed: Installation) -> None:
    """No session, an agent's token, another name, a form of another site."""
    url = f"http://127.0.0.1:{installed.console_port}"
    agent = {"Authorization": f"Bearer {installed.token()}"}
    with httpx2.Client(base_url=url, trust_env=False) as stranger:
        assert stranger.get("/", headers=agent).headers["location"] == "/login"
        assert stranger.get("/api/v1/approvals", headers=agent).status_code == 401
        assert stranger.get("/", headers={"Host": "evil.test"}).status_code == 421
    form = hidden(browser.get("/account").text)
    assert browser.post("/logout", data=form, headers={"Origin": "http://evil.test"}).status_code == 403
    assert browser.get("/").status_code == 200
    assert browser.post("/logout", data=form).status_code == 303
    assert browser.get("/").status_code == 303


def test_the_proxy_does_not_lead_here(gateway: GatewayProcess, installed: Installation) -> None:
    """Through the gateway the console does not exist."""
    for host in ("127.0.0.1", "localhost"):
        answer = installed.curl(f"http://{host}:{installed.console_port}/healthz")
        assert (answer.status, answer.json["code"]) == (403, "unregistered-target")


def test_it_is_on_record(browser: httpx2.Client, gateway: GatewayProcess, installed: Installation) -> None:
    """The sign-in is in the journal; the password is nowhere."""
    with open_store("sqlite", installed.data) as store, store.reading() as connection:
        assert find_user(connection, "ursula") is not None
    assert PASSWORD not in gateway.output
    assert not [file for file in installed.data.rglob("*") if file.is_file() and PASSWORD.encode() in file.read_bytes()]


def test_a_port_in_use_starts_nothing(gateway: GatewayProcess, installed: Installation, tmp_path: Path) -> None:
    """It says which."""
    for file in installed.config.glob("*.yaml"):
        text = file.read_text().replace(f"port: {installed.agent_api_port}", "port: 0")
        (tmp_path / file.name).write_text(text)
    second = GatewayProcess(installed, command_line(installed.way, tmp_path))
    try:
        assert second.process.wait(timeout=60) == 1, second.output
    finally:
        second.stop()
    assert f"the console cannot listen at http://127.0.0.1:{installed.console_port}" in second.output


def test_a_stopping_gateway_ends_the_streams(tmp_path: Path) -> None:
    """Open pages do not keep the process."""
    with installation(tmp_path) as site:
        site.configure()
        with running(site) as process:
            site.gatehold("users", "add", "ursula", "--group", "sre")
            session = opened(site)
            url = f"http://127.0.0.1:{site.console_port}/live"
            with (
                httpx2.Client(trust_env=False, cookies={"gatehold": session}) as client,
                client.stream("GET", url) as stream,
            ):
                lines = stream.iter_lines()
                assert "event: pulse" in lines
                assert process.stop() == 0, process.output
                assert all(not line.startswith("event:") for line in lines)


def opened(site: Installation) -> str:
    """The cookie of a session that was just opened."""
    with open_store("sqlite", site.data) as store:
        return WebSessions(store, SessionSpec(), time.time).open("ursula", Way.PASSWORD).cookie_value
