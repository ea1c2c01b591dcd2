"""Law: the right password lets somebody in, and to where they wanted to go; a wrong one says nothing; out means out."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Windows
from tests.browser.windows import Window


def sign_in(page: Page, name: str, password: str) -> None:
    """Fill the form and send it by the keyboard."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_the_right_password(windows: Windows) -> None:
    """From the first page to the inbox; the name is on every page."""
    page = windows(None).page
    page.goto("/")
    expect(page).to_have_url(re.compile(r"/login$"))
    expect(page.get_by_label("Name")).to_be_focused()
    sign_in(page, "ursula", PASSWORD)
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(page.get_by_role("link", name="ursula")).to_be_visible()
    expect(page.locator("[data-live=on]")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "password"), [("ursula", "not it, not it"), ("nobody", PASSWORD), ("Ursula", PASSWORD)]
)
def test_a_wrong_one(windows: Windows, name: str, password: str) -> None:
    """The same words whether or not there is such a user; the form can be sent again."""
    window = windows(None)
    window.foresee("status of 401")
    page = window.page
    page.goto("/login")
    sign_in(page, name, password)
    expect(page.get_by_role("alert")).to_be_visible()
    words = page.get_by_role("alert").inner_text()
    assert not re.search(r"user|exist|unknown", words, re.IGNORECASE), words
    expect(page.get_by_label("Password")).to_have_value("")
    sign_in(page, "ursula", PASSWORD)
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()


def test_to_where_they_wanted_to_go(windows: Windows) -> None:
    """And never to another site."""
    page = windows(None).page
    page.goto("/approvals?state=denied")
    sign_in(page, "ursula", PASSWORD)
    expect(page).to_have_url(re.compile(r"/approvals\?state=denied$"))
    elsewhere = windows(None).page
    elsewhere.goto("/login?next=https://evil.test/")
    sign_in(elsewhere, "ursula", PASSWORD)
    expect(elsewhere.get_by_role("heading", name="Inbox")).to_be_visible()


def test_out_is_out(window: Window) -> None:
    """The cookie is worth nothing afterwards, and going back shows nothing."""
    page = window.page
    page.goto("/grants")
    kept = window.context.cookies()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    window.context.add_cookies([{"name": each["name"], "value": each["value"], "url": window.url} for each in kept])
    page.goto("/")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_an_open_page_notices_that_it_is_over(windows: Windows) -> None:
    """Signing out everywhere leads other windows of the person to the sign-in, when they are next used."""
    first, second = windows("viktor").page, windows("viktor").page
    second.goto("/")
    expect(second.locator("[data-live=on]")).to_be_visible()
    first.goto("/account")
    first.get_by_role("button", name="Sign out everywhere").click()
    expect(first.get_by_role("heading", name="Sign in")).to_be_visible()
    second.get_by_role("link", name="Grants").click()
    expect(second.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_token_is_shown_once(window: Window) -> None:
    """On the page of one's account."""
    page = window.page
    page.goto("/account")
    page.get_by_label("What it is for").fill("nightly <b>job</b>")
    page.get_by_role("button", name="Make a token").click()
    token = page.locator("#token").inner_text()
    assert token.startswith("ghu_")
    page.goto("/account")
    expect(page.get_by_text("nightly <b>job</b>")).to_be_visible()
    assert token not in page.content()
