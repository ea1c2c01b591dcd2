"""What people do in windows, as the tests of several pages need it."""

import re

from playwright.sync_api import Locator, Page, expect


def row(page: Page, text: str) -> Locator:
    """The line of the inbox that has this text, which may still have to appear."""
    found = page.locator("#inbox li").filter(has_text=text)
    expect(found).to_have_count(1)
    return found


def open_question(page: Page, text: str) -> None:
    """From anywhere to the page of the question with this text."""
    page.goto("/")
    row(page, text).get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/approvals/apr_"))


def approve(page: Page, text: str) -> None:
    """Say yes to the question with this text."""
    open_question(page, text)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text("answer" if page.url.endswith("/") else "is ")


def deny(page: Page, text: str, reason: str) -> None:
    """Say no to the question with this text."""
    open_question(page, text)
    page.get_by_label("Reason", exact=False).first.fill(reason)
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("status")).to_contain_text("denied")
