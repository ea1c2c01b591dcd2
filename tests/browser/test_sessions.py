"""Law: who ends an agent's session in the console ends what it waits for, and nothing begins again."""

from playwright.sync_api import expect

from tests.browser.agents import Agents
from tests.browser.answering import row
from tests.browser.conftest import Windows


def test_ending_a_session_ends_its_held_call(windows: Windows, agents: Agents, customer: int) -> None:
    """The agent is told, its question goes, its token opens nothing any more; another agent goes on."""
    page, name = windows("ursula").page, f"runner <b>{customer}</b>"
    waiting, other = agents.delete(customer, subject=name), agents.delete(customer + 1, subject="another")
    page.goto("/")
    row(page, f"/customers/{customer}")
    row(page, f"/customers/{customer + 1}")
    page.get_by_role("link", name="Sessions").click()
    line = page.locator("#sessions li").filter(has_text=name)
    page.reload()
    expect(line).to_contain_text("1 waits")
    line.get_by_role("link", name="End", exact=True).click()
    expect(page.get_by_role("heading", name="End this session?")).to_be_visible()
    page.get_by_label("Reason").fill("gone astray")
    page.get_by_role("button", name="End the session").click()
    answer = waiting.answer()
    assert answer.status in {401, 403}, answer
    assert answer.json["code"] == "revoked"
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(line).to_have_count(0)
    refused = agents.curl("/customers/1", subject=name).answer()
    assert (refused.status, "response 407" in refused.errors) == (0, True), "the tunnel itself is refused"
    assert not other.is_over
    page.goto("/sessions?all=1")
    expect(line).to_contain_text("an operator ended it")


def test_those_who_are_never_asked_end_nothing(windows: Windows, agents: Agents) -> None:
    """They see who works, without a button."""
    window = windows("wanda")
    agents.curl("/customers/1", subject="reader").answer()
    page = window.page
    page.goto("/sessions")
    page.reload()
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    expect(page.get_by_role("link", name="End", exact=True)).to_have_count(0)
