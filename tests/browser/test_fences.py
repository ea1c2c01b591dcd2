"""Law: the console answers people in its own pages; agents, other sites and other names get nothing, in a real browser too."""

from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from playwright.sync_api import expect
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from gatehold.demo.serving import serve
from tests.browser.agents import Agents
from tests.browser.answering import open_question
from tests.browser.conftest import Windows, session
from tests.browser.windows import REBOUND, Window
from tests.e2e.harness import GatewayProcess, Installation


@contextmanager
def another_site(page: str) -> Iterator[str]:
    """A site whose page this is; returns its address."""

    async def home(_: Request) -> HTMLResponse:
        return HTMLResponse(page)

    async def icon(_: Request) -> Response:
        return Response(status_code=204)

    with serve(Starlette(routes=[Route("/", home), Route("/favicon.ico", icon)])) as server:
        yield server.url


@pytest.fixture
def client(gateway: GatewayProcess, installed: Installation) -> Iterator[httpx2.Client]:
    """Somebody with a socket."""
    with httpx2.Client(base_url=f"http://127.0.0.1:{installed.console_port}", trust_env=False, timeout=30) as made:
        yield made


PLACES = ("/", "/approvals", "/grants", "/account", "/live", "/sessions", "/recordings", "/policy", "/audit")


@pytest.mark.parametrize("path", PLACES)
def test_an_agents_token_opens_nothing(client: httpx2.Client, installed: Installation, path: str) -> None:
    """As bearer, as password of Basic, as the cookie of a session; every page leads to the sign-in."""
    token = installed.token()
    for headers in ({"Authorization": f"Bearer {token}"}, {"Cookie": f"gatehold={token}"}, {"Cookie": "gatehold="}):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/login")
    answer = client.get(path, auth=("agent", token))
    assert answer.status_code == 303
    assert client.get("/api/v1/approvals", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_browser_with_an_agents_token_is_a_stranger(windows: Windows, installed: Installation) -> None:
    """It is asked to sign in."""
    window = windows(None, extra_http_headers={"Authorization": f"Bearer {installed.token()}"})
    window.context.add_cookies([{"name": "gatehold", "value": installed.token(), "url": window.url}])
    window.page.goto("/approvals")
    expect(window.page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "127.0.0.2", "2130706433", "0"])
@pytest.mark.parametrize("path", ["/", "/login", "/healthz"])
def test_the_proxy_does_not_lead_here(gateway: GatewayProcess, installed: Installation, host: str, path: str) -> None:
    """By any spelling of its address."""
    answer = installed.curl(f"http://{host}:{installed.console_port}{path}")
    assert answer.status in {400, 403}, answer
    assert b"Sign in" not in answer.body


def test_the_proxy_does_not_lead_to_its_name(gateway: GatewayProcess, installed: Installation) -> None:
    """Neither by CONNECT nor by a Host that says otherwise."""
    port = installed.console_port
    for url in (f"https://localhost:{port}/", f"https://127.0.0.1:{port}/"):
        answer = installed.curl(url)
        assert answer.status != 200
        assert b"Sign in" not in answer.body
    answer = installed.curl("https://crm.corp.example/echo", "-H", f"Host: 127.0.0.1:{port}")
    assert b"Sign in" not in answer.body
    assert answer.status in {400, 403, 421}, answer


@pytest.mark.parametrize(
    "host", ["evil.test", "127.0.0.1", "127.0.0.1.evil.test:{port}", "localhost:1", "crm.corp.example", ""]
)
def test_another_name_is_refused(client: httpx2.Client, installed: Installation, host: str) -> None:
    """A name that somebody else made lead here is no name of the console."""
    cookie = f"gatehold={session(installed, 'ursula')}"
    headers = {"Host": host.format(port=installed.console_port), "Cookie": cookie}
    assert client.get("/", headers=headers).status_code in {400, 421}


def test_a_name_that_leads_here_shows_nothing(windows: Windows, installed: Installation) -> None:
    """DNS rebinding, in a browser: the page of another name is refused, cookies or not."""
    window = windows("ursula")
    window.foresee("status of 421|supported stylesheet MIME type|Cross-Origin-Opener-Policy header has been ignored")
    window.foresee(f"asked http://{REBOUND}")
    window.page.goto(f"http://{REBOUND}:{installed.console_port}/login")
    expect(window.page.get_by_text("does not go by this name")).to_be_visible()


def test_a_form_of_another_site_changes_nothing(windows: Windows, agents: Agents, customer: int) -> None:
    """Even with the right token and digest in it, sent by the person's own browser."""
    window = windows("ursula")
    page = window.page
    waiting = agents.delete(customer)
    open_question(page, f"/customers/{customer}")
    action = page.url
    fields = page.locator("[data-answer] input[type=hidden]").evaluate_all(
        "all => all.map((each) => each.outerHTML).join('')"
    )
    form = f'<form method="post" action="{action}">{fields}<button name="verb" value="approve">win</button></form>'
    with another_site(form) as url:
        window.foresee("status of 403")
        window.foresee(f"asked {url}")
        page.goto(url)
        page.get_by_role("button", name="win").click()
        expect(page.get_by_text("does not come from a page of the console")).to_be_visible()
    assert not waiting.is_over
    page.goto(action)
    expect(page.get_by_text("left to answer")).to_be_visible()


def test_no_site_frames_or_reads_it(windows: Windows) -> None:
    """A frame stays empty, and a script of another site reads nothing."""
    window = windows("ursula")
    script = "fetch(URL, {credentials: 'include'}).then((r) => r.text()).then((t) => { document.title = t; }, () => { document.title = 'kept out'; })"
    text = f'<iframe src="{window.url}/"></iframe><script>const URL="{window.url}/"; {script}</script>'
    with another_site(text) as url:
        for each in (f"asked {url}", "frame-ancestors", "CORS", "Failed to load", "ERR_", "broke the policy"):
            window.foresee(each)
        page = window.page
        page.goto(url)
        expect(page).to_have_title("kept out")
        assert "Inbox" not in "".join(frame.content() for frame in page.frames)


def test_a_replayed_form_token_is_refused(windows: Windows, agents: Agents, customer: int) -> None:
    """A form of an earlier sign-in does not answer in the name of a later one."""
    window = windows("ursula")
    waiting = agents.delete(customer)
    open_question(window.page, f"/customers/{customer}")
    cookie = session(agents.installed, "viktor")
    window.context.add_cookies([{"name": "gatehold", "value": cookie, "url": window.url, "httpOnly": True}])
    window.foresee("status of 403")
    window.page.get_by_role("button", name="Approve").click()
    expect(window.page.get_by_text("from an earlier sign-in")).to_be_visible()
    assert not waiting.is_over


def test_the_cookie_is_not_for_scripts(window: Window) -> None:
    """Nor is anything of the session in what scripts may read, but for the token of forms."""
    page = window.page
    page.goto("/")
    assert page.evaluate("document.cookie") == ""
    [cookie] = [each for each in window.context.cookies() if each["name"] == "gatehold"]
    assert cookie["value"] not in page.content()


def test_nobody_listens_elsewhere(gateway: GatewayProcess, installed: Installation) -> None:
    """Agents' ports do not serve pages."""
    with httpx2.Client(trust_env=False, timeout=10) as client:
        for port in (installed.agent_api_port, installed.proxy_port):
            assert b"Sign in" not in client.get(f"http://127.0.0.1:{port}/login").content
