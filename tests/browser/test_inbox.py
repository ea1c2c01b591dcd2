"""Law: what waits for somebody is in front of them without a reload, and what they do not have to answer is not."""

import re

from playwright.sync_api import expect

from tests.browser.agents import Agents
from tests.browser.answering import row
from tests.browser.conftest import Windows
from tests.browser.windows import Window

BADGE = re.compile(r"^\(\d+\) Inbox")


def test_a_held_call_appears_by_itself(window: Window, agents: Agents, customer: int) -> None:
    """In the list, in the title, beside the name of the page; and goes when it is answered."""
    page = window.page
    page.goto("/")
    expect(page.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(page.locator("[data-live=on]")).to_be_visible()
    expect(page).to_have_title(re.compile("^Inbox"))
    loads = page.evaluate("performance.timeOrigin")
    agents.delete(customer)
    line = row(page, f"/customers/{customer}")
    expect(line).to_contain_text("DELETE")
    expect(line).to_contain_text("planner-1")
    expect(line).to_contain_text(f"delete customer {customer}")
    expect(page).to_have_title(re.compile(r"^\(1\) Inbox"))
    expect(page.locator("[data-pending]")).to_have_text("1")
    assert page.evaluate("performance.timeOrigin") == loads, "the page was loaded again"
    agents.end()


def test_what_another_has_answered_leaves_the_list(windows: Windows, agents: Agents, customer: int) -> None:
    """Without anything being done in this window; the title counts down."""
    mine, theirs = windows("ursula").page, windows("viktor").page
    mine.goto("/")
    waiting = agents.delete(customer)
    row(mine, f"/customers/{customer}")
    expect(mine).to_have_title(BADGE)
    theirs.goto("/")
    row(theirs, f"/customers/{customer}").get_by_role("link").click()
    theirs.get_by_role("button", name="Approve").click()
    expect(mine.get_by_text("Nothing waits for you.")).to_be_visible()
    expect(mine).to_have_title(re.compile("^Inbox"))
    assert waiting.answer().status == 404, "the target knows no such customer, so it was asked"


def test_those_who_are_not_asked_see_it_apart(windows: Windows, agents: Agents, customer: int) -> None:
    """It waits for others, counts for nobody else, and has no buttons."""
    page = windows("wanda").page
    page.goto("/")
    agents.delete(customer)
    line = row(page, f"/customers/{customer}")
    expect(page.get_by_role("heading", name="Waiting for others")).to_be_visible()
    expect(page).to_have_title(re.compile("^Inbox"))
    line.get_by_role("link").click()
    expect(page.get_by_text("left to answer")).to_be_visible()
    expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    expect(page.get_by_role("button", name="Show the bytes")).to_have_count(0)


def test_several_tabs_share_what_they_hear(window: Window, agents: Agents, customer: int) -> None:
    """The second tab of a browser fills as well, and goes on when the first is closed."""
    first, second = window.page, window.context.new_page()
    first.goto("/")
    expect(first.locator("[data-live=on]")).to_be_visible()
    second.goto("/")
    expect(second.locator("[data-live=on]")).to_be_visible()
    agents.delete(customer)
    row(first, f"/customers/{customer}")
    row(second, f"/customers/{customer}")
    first.close()
    agents.delete(customer + 1)
    row(second, f"/customers/{customer + 1}")
    expect(second).to_have_title(re.compile(r"^\(2\) Inbox"))


def test_a_page_without_scripts_tells_the_same(windows: Windows, agents: Agents, customer: int) -> None:
    """Only not by itself; the form answers."""
    waiting = agents.delete(customer)
    live = windows().page
    live.goto("/")
    row(live, f"/customers/{customer}")
    page = windows(java_script_enabled=False).page
    page.goto("/")
    row(page, f"/customers/{customer}").get_by_role("link").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text(f"/customers/{customer}")
    assert waiting.answer().status == 404


def test_the_sound_is_off_until_somebody_wants_it(window: Window) -> None:
    """The choice is kept for the next page."""
    page = window.page
    page.goto("/")
    page.get_by_role("button", name="Sound off").click()
    expect(page.get_by_role("button", name="Sound on")).to_be_visible()
    page.goto("/approvals")
    page.get_by_role("button", name="Sound on").click()
    expect(page.get_by_role("button", name="Sound off")).to_be_visible()
