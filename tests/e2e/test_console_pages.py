"""Law: what agents do is on the pages as they do it, and a session that a person ends there is over within a second.

A real gateway process, real curl as the agents, a plain HTTP client as the browser.
"""

import re
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path

import httpx2
import pytest

from tests.e2e.harness import BIN, CRM_TOKEN, Installation, clean_environment, installation, running

CRM = "https://crm.corp.example"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="module", params=["run", "bundle"])
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A gateway that runs, and somebody with a password."""
    with installation(tmp_path_factory.mktemp("installation")) as made:
        made.configure(hold="40s")
        made.gatehold("users", "add", "ursula", "--group", "sre")
        command = [BIN / "gatehold", "users", "password", "ursula", "--stdin", "--config", made.config]
        environment = clean_environment(CRM_TOKEN=CRM_TOKEN)
        subprocess.run(command, input=f"{PASSWORD}\n", text=True, check=True, timeout=60, env=environment)
        with running(made, request.param):
            yield made


@pytest.fixture
def browser(installed: Installation) -> Iterator[httpx2.Client]:
    """Signed in by the form."""
    url = f"http://127.0.0.1:{installed.console_port}"
    with httpx2.Client(base_url=url, trust_env=False, timeout=30, headers={"Origin": url}) as client:
        hidden = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', client.get("/login").text))
        answer = client.post("/login", data=hidden | {"name": "ursula", "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        yield client


def csrf(page: str) -> dict[str, str]:
    """What every form repeats."""
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found is not None
    return {"csrf": found[1]}


def seen(browser: httpx2.Client, path: str, told: str) -> str:
    """The page, once it says so; what is written about sessions is written once a second."""
    deadline = time.monotonic() + 10
    while told not in (page := browser.get(path).text) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert told in page, page
    return page


def test_calls_are_on_the_pages(installed: Installation, browser: httpx2.Client) -> None:
    """Counted in the picture, found by a search, told by their session, read in place: masked."""
    token = installed.token("reader")
    assert installed.curl(f"{CRM}/customers/1", token=token).status == 200
    assert installed.curl(f"{CRM}/report.csv", token=token).status == 403
    assert re.search(r"[1-9]\d* allowed, \d+ held, [1-9]\d* denied", browser.get("/picture").text)
    search = browser.get("/recordings?agent=reader").text
    assert "/report.csv" in search
    calls = [unescape(each) for each in re.findall(r'href="(/recordings/call[^"]*)"', search)]
    call = browser.get(calls[1]).text
    assert "GET /customers/1" in call
    assert "&lt;EMAIL_ADDRESS&gt;" in call
    [timeline] = {unescape(each) for each in re.findall(r'href="(/recordings/session[^"]*)"', call)}
    assert "2 calls: 1 allowed, 0 held, 1 denied" in browser.get(timeline).text
    assert "reader" in seen(browser, "/sessions", "reader")
    assert "1 call<" in browser.get("/policy?q=nobody-reads-the-report").text
    assert 'tag good">intact' in verified(browser)


def verified(browser: httpx2.Client) -> str:
    """The audit page after a verification."""
    page = browser.post("/audit/verify", data=csrf(browser.get("/audit").text), follow_redirects=True).text
    assert page
    return seen(browser, "/audit", 'tag good">')


def test_a_session_is_ended_from_its_page(installed: Installation, browser: httpx2.Client) -> None:
    """Its held call is refused within about a second, its token never counts again, and the call was never made."""
    token = installed.token("doomed")
    assert installed.curl(f"{CRM}/customers/2", token=token).status == 200
    with ThreadPoolExecutor() as pool:
        held = pool.submit(installed.curl, f"{CRM}/customers/2", "-X", "DELETE", token=token, timeout=60)
        page = seen(browser, "/sessions", "1 waits for a yes")
        row = page[page.index("<strong>doomed") :]
        found = re.search(r'href="(/sessions/[0-9a-f]{64}/kill)"', row)
        assert found is not None
        question = browser.get(found[1]).text
        assert "doomed" in question
        done = browser.post(found[1], data=csrf(question) | {"reason": "enough"})
        ended = time.monotonic()
        assert done.status_code == 303
        answer = held.result(timeout=30)
        assert time.monotonic() - ended < 3
    assert answer.status in {401, 403}
    assert "response 407" in installed.curl(f"{CRM}/customers/2", token=token).errors
    assert installed.curl(f"{CRM}/customers/2").status == 200
    assert "session end" in seen(browser, "/audit?kind=governance", "enough")


def test_the_commands_work(installed: Installation, browser: httpx2.Client) -> None:
    """What a page offers for copying is what a shell on this machine can run."""
    installed.curl(f"{CRM}/customers/3", token=installed.token("copied"))
    search = browser.get("/recordings?agent=copied").text
    [call, *_] = [unescape(each) for each in re.findall(r'href="(/recordings/call[^"]*)"', search)]
    found = re.search(r'data-copy="([^"]+)"', browser.get(call).text)
    assert found is not None
    program, *words = unescape(found[1]).split()
    assert program == "gatehold"
    environment = clean_environment(CRM_TOKEN=CRM_TOKEN)
    done = subprocess.run(
        [BIN / "gatehold", *words, "--print-command"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=environment,
    )
    assert Path(done.stdout.split()[3]).is_file()
