"""Law: people get into the console by proving who they are, and by nothing else; a real OpenID provider vouches."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.e2e.harness import Installation, running
from tests.e2e.openid import CLIENT_SECRET, Browser, openid_provider

PASSWORD = "correct horse battery staple"
ACCOUNTS = {
    "u-carla": {"preferred_username": "carla", "groups": ["sre", "unrelated"]},
    "u-dora": {"preferred_username": "dora", "groups": ["unrelated"]},
    "u-impostor": {"preferred_username": "ada", "groups": ["sre"]},
}

type Open = Callable[[], Browser]


@pytest.fixture(scope="module")
def console(installed: Installation) -> Iterator[str]:
    """The address of a console whose people come from the store and from a provider."""
    url = f"http://127.0.0.1:{installed.console_port}"
    with openid_provider(f"{url}/login/oidc/callback", ACCOUNTS) as issuer:
        gateway = installed.config / "gateway.yaml"
        oidc = {"issuer": issuer, "clientId": "gatehold", "clientSecret": CLIENT_SECRET, "allow": ["sre"]}
        login = json.dumps({"oidc": {**oidc, "scopes": ["openid", "profile", "groups"]}})
        plain = f"console: {{host: 127.0.0.1, port: {installed.console_port}}}"
        text = gateway.read_text()
        assert plain in text
        gateway.write_text(text.replace(plain, f"{plain[:-1]}, login: {login}}}"))
        installed.gatehold("users", "add", "ada", "--group", "sre")
        _set_password(installed)
        with running(installed, installed.way):
            yield url


def _set_password(installed: Installation) -> None:
    import subprocess

    from tests.e2e.harness import BIN

    command = [BIN / "gatehold", "users", "password", "ada", "--stdin", "--config", installed.config]
    subprocess.run(command, input=f"{PASSWORD}\n", text=True, capture_output=True, check=True, timeout=60)


@pytest.fixture
def browse(console: str) -> Iterator[Open]:
    """Opens browsers, each with cookies of its own."""
    opened: list[Browser] = []

    def factory() -> Browser:
        opened.append(Browser(console))
        return opened[-1]

    yield factory
    for browser in opened:
        browser.close()


def by_password(browser: Browser, name: str = "ada", password: str = PASSWORD, then: str = "/") -> int:
    """Fill in the form; the status of the answer."""
    fields = browser.form(browser.get(f"/login?next={then}"))
    return browser.post("/login", {**fields, "name": name, "password": password}).status_code


def at_provider(browser: Browser, account: str) -> str:
    """Begin a sign-in and go through the provider's pages: the callback, not yet visited."""
    begun = browser.get("/login/oidc?next=/account")
    assert begun.status_code == 303
    return browser.sign_in_at_provider(begun.headers["location"], account, back=f"{browser.url}/login/oidc/callback")


def journal(installed: Installation) -> str:
    """Everything that was written down."""
    return "".join(path.read_text() for path in sorted((installed.data / "journal").rglob("*.jsonl")))


def test_pages_need_somebody(browse: Open) -> None:
    """Without a session every page leads to the sign-in and back afterwards."""
    browser = browse()
    answer = browser.get("/account")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/account")
    page = browser.get("/login?next=/account")
    assert page.status_code == 200
    assert "Sign in with your organisation" in page.text
    assert "style=" not in page.text
    assert "<script" not in page.text


def test_by_password(browse: Open) -> None:
    """The cookie is out of the reach of scripts; signing out ends the session, not only the cookie."""
    browser = browse()
    fields = browser.form(browser.get("/login?next=/account"))
    answer = browser.post("/login", {**fields, "name": "ada", "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    made = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("gatehold="))
    assert {part.strip().lower() for part in made.split(";")[1:]} >= {"httponly", "samesite=lax", "path=/"}
    page = browser.get("/account")
    assert page.status_code == 200
    assert "This browser" in page.text
    value = browser.cookies["gatehold"]
    assert browser.post("/logout", {"csrf": browser.form(page)["csrf"]}).headers["location"] == "/login"
    assert browse().get("/account", Cookie=f"gatehold={value}").status_code == 303


def test_wrong_ones_read_the_same(browse: Open) -> None:
    """Somebody unknown, somebody known with a wrong password: the same page."""
    pages = []
    for name in ("ada", "nobody-at-all"):
        browser = browse()
        fields = browser.form(browser.get("/login"))
        answer = browser.post("/login", {**fields, "name": name, "password": "wrong wrong wrong"})
        assert answer.status_code == 401
        pages.append(re.sub(r'name="ticket" value="[^"]+"', "", answer.text))
    assert pages[0] == pages[1]
    assert "Name or password is wrong." in pages[0]


def test_nobody_is_signed_in_by_another_site(browse: Open) -> None:
    """A form of another site, or one that this browser was not given, signs nobody in."""
    browser = browse()
    fields = browser.form(browser.get("/login")) | {"name": "ada", "password": PASSWORD}
    assert browser.post("/login", fields, origin="https://evil.example").status_code == 403
    assert browse().post("/login", fields).status_code == 401
    assert "gatehold" not in browser.cookies


@pytest.mark.parametrize(
    "then", ["https://evil.example/", "//evil.example", "/\\evil.example", "/%0d%0aX: y", "javascript:1"]
)
def test_nobody_is_sent_elsewhere(browse: Open, then: str) -> None:
    """After the sign-in one is in the console."""
    browser = browse()
    fields = browser.form(browser.get("/login?" + urlencode({"next": then})))
    answer = browser.post("/login", {**fields, "next": then, "name": "ada", "password": PASSWORD})
    assert answer.status_code == 303
    assert re.fullmatch(r"/(%0d%0aX:%20y)?", answer.headers["location"])


def test_by_openid(installed: Installation, browse: Open) -> None:
    """Whoever the provider vouches for is a user with the groups that count, and comes back as the same one."""
    for _ in range(2):
        browser = browse()
        answer = browser.get(at_provider(browser, "u-carla"))
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        page = browser.get("/account")
        assert "carla" in page.text
        assert "OpenID" in page.text
        assert "unrelated" not in page.text
    users = json.loads(installed.gatehold("users", "list", "--json").stdout)["items"]
    assert {"name": "carla", "groups": ["sre"], "login": "oidc"} in users


def test_who_is_in_no_group_stays_outside(installed: Installation, browse: Open) -> None:
    """And is not made known."""
    browser = browse()
    answer = browser.get(at_provider(browser, "u-dora"))
    assert answer.status_code == 403
    assert "gatehold" not in browser.cookies
    assert "dora" not in installed.gatehold("users", "list").stdout


def test_nobody_becomes_a_local_user(browse: Open) -> None:
    """A provider's account with a name that somebody here has is not that somebody."""
    browser = browse()
    assert browser.get(at_provider(browser, "u-impostor")).status_code == 403
    assert browser.get("/account").status_code == 303


def test_a_stolen_callback_opens_nothing(browse: Open) -> None:
    """In another browser, with or without a sign-in of its own under way."""
    thief, victim = browse(), browse()
    callback = at_provider(victim, "u-carla")
    assert thief.get(callback).status_code == 401
    thief.get("/login/oidc")
    assert thief.get(callback).status_code == 401
    assert "gatehold" not in thief.cookies
    assert victim.get(callback).status_code == 303


def test_a_callback_opens_once(browse: Open) -> None:
    """A code is good once, and so is a state."""
    browser = browse()
    begun = browser.get("/login/oidc")
    cookie = browser.cookies["gatehold-oidc"]
    callback = browser.sign_in_at_provider(
        begun.headers["location"], "u-carla", back=f"{browser.url}/login/oidc/callback"
    )
    assert browser.get(callback).status_code == 303
    again = browse()
    assert again.get(callback, Cookie=f"gatehold-oidc={cookie}").status_code == 401
    query = parse_qs(urlsplit(callback).query)
    fresh = browse()
    state = parse_qs(urlsplit(fresh.get("/login/oidc").headers["location"]).query)["state"][0]
    replayed = urlencode({"code": query["code"][0], "state": state, "iss": query["iss"][0]})
    assert fresh.get(f"/login/oidc/callback?{replayed}").status_code == 401


def test_changed_answers_are_refused(browse: Open) -> None:
    """Another state, another issuer, a parameter twice, none at all."""
    for change in ("state=x", "iss=https%3A%2F%2Fevil.example"):
        browser = browse()
        callback = at_provider(browser, "u-carla")
        key = change.partition("=")[0]
        assert browser.get(re.sub(rf"{key}=[^&]*", change, callback)).status_code == 401
    browser = browse()
    callback = at_provider(browser, "u-carla")
    assert browser.get(f"{callback}&code=another").status_code == 400
    assert browse().get("/login/oidc/callback").status_code == 401
    assert "gatehold" not in browser.cookies


def test_an_agents_token_opens_nothing(installed: Installation, browse: Open) -> None:
    """Not as a bearer, not as a cookie."""
    browser, token = browse(), installed.token()
    assert browser.get("/account", Authorization=f"Bearer {token}").status_code == 303
    assert browser.get("/account", Cookie=f"gatehold={token}").status_code == 303


def test_it_is_written_down(installed: Installation, browse: Open) -> None:
    """Who came, who was refused and why; never what proves something."""
    browser = browse()
    assert by_password(browser) == 303
    value, callback = browser.cookies["gatehold"], at_provider(browse(), "u-carla")
    assert by_password(browse(), password="wrong wrong wrong") == 401
    code = parse_qs(urlsplit(callback).query)["code"][0]

    def told() -> str:
        text = journal(installed)
        return text if '"refused"' in text and "sign-in" in text else ""

    import time

    deadline = time.monotonic() + 30
    while not told() and time.monotonic() < deadline:
        time.sleep(0.1)
    text = told()
    assert "credentials" in text
    for secret in (PASSWORD, "wrong wrong wrong", value, code, CLIENT_SECRET):
        assert secret not in text
    assert not [path for path in _files(installed.data) if value.encode() in path.read_bytes()]


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def test_tries_run_out(browse: Open) -> None:
    """For one name, whoever tries; others still come in, and so does whoever waits."""
    statuses = [by_password(browse(), name="eve", password="wrong wrong wrong") for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    browser = browse()
    fields = browser.form(browser.get("/login"))
    answer = browser.post("/login", {**fields, "name": "eve", "password": PASSWORD})
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 900
    assert by_password(browse()) == 303
