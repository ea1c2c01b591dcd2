"""Law: what people press is what becomes of the call, once; and they see what they answer."""

import re
from contextlib import ExitStack

from playwright.sync_api import Page, Route, expect

from tests.browser.agents import Agents
from tests.browser.answering import approve, deny, open_question, row
from tests.browser.conftest import Windows
from tests.browser.windows import Window
from tests.e2e.harness import Installation


def arrived(installed: Installation, method: str, path: str) -> int:
    """How many such calls the target got."""
    return sum(each.method == method and each.path.partition("?")[0] == path for each in installed.customers.received)


def test_a_click_lets_the_call_through(window: Window, agents: Agents, installed: Installation, customer: int) -> None:
    """It reaches its target after the yes, and not before."""
    page, path = window.page, f"/customers/{customer}"
    waiting = agents.delete(customer)
    open_question(page, path)
    expect(page.get_by_role("heading", name="planner-1 asks")).to_be_visible()
    expect(page.get_by_text("planners-delete-customers")).to_be_visible()
    assert not waiting.is_over
    assert not arrived(installed, "DELETE", path)
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("status")).to_contain_text(path)
    assert waiting.answer().status == 404, "the target knows no such customer"
    assert arrived(installed, "DELETE", path) == 1


def test_keys_are_enough_for_a_yes(window: Window, agents: Agents, customer: int) -> None:
    """j and k walk, Enter opens, a goes to the button, Enter presses it."""
    page = window.page
    page.goto("/")
    first, second = agents.delete(customer), agents.delete(customer + 1)
    row(page, f"/customers/{customer}"), row(page, f"/customers/{customer + 1}")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    chosen = page.locator("[data-selected] .path").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".call-line")).to_contain_text(chosen)
    page.keyboard.press("a")
    expect(page.get_by_role("button", name="Approve")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(chosen)
    answered, other = (first, second) if str(customer + 1) not in chosen else (second, first)
    assert answered.answer().status == 404
    assert not other.is_over


def test_keys_are_enough_for_a_no(window: Window, agents: Agents, customer: int) -> None:
    """d opens the question of the chosen line at the reason; Tab and Enter send it; g i leads back."""
    page = window.page
    waiting = agents.delete(customer)
    page.goto("/")
    row(page, f"/customers/{customer}")
    page.keyboard.press("j")
    page.keyboard.press("d")
    expect(page.get_by_label("Reason").first).to_be_focused()
    page.keyboard.type("add it again; a and d are letters here")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Deny")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("denied")
    answer = waiting.answer()
    assert (answer.status, answer.json["code"]) == (403, "approval-denied")
    assert "add it again; a and d are letters here" in answer.json["detail"]


def test_the_agent_reads_the_reason(window: Window, agents: Agents, installed: Installation, customer: int) -> None:
    """And nothing arrived. The history tells who said it."""
    waiting = agents.delete(customer)
    deny(window.page, f"/customers/{customer}", "Not on a Friday.")
    answer = waiting.answer()
    assert (answer.status, answer.json["code"]) == (403, "approval-denied")
    assert "Not on a Friday." in answer.json["detail"]
    assert not arrived(installed, "DELETE", f"/customers/{customer}")
    window.page.get_by_role("link", name="Show it").click()
    expect(window.page.get_by_text("ursula denied: Not on a Friday.")).to_be_visible()


def test_a_denial_without_a_reason_is_not_sent(window: Window, agents: Agents, customer: int) -> None:
    """The page says so where it can be typed."""
    page = window.page
    waiting = agents.delete(customer)
    open_question(page, f"/customers/{customer}")
    page.get_by_role("button", name="Deny").click()
    reason = page.get_by_label("Reason").first
    expect(reason).to_be_focused()
    assert "needs a reason" in reason.evaluate("field => field.validationMessage")
    reason.fill("now there is one")
    page.get_by_role("button", name="Deny").click()
    assert waiting.answer().status == 403


def test_the_server_wants_the_reason_too(windows: Windows, agents: Agents, customer: int) -> None:
    """Where no script asks for it."""
    window = windows(java_script_enabled=False)
    window.foresee("status of 422")
    page = window.page
    live = windows("viktor").page
    live.goto("/")
    waiting = agents.delete(customer)
    row(live, f"/customers/{customer}")
    open_question(page, f"/customers/{customer}")
    page.get_by_role("button", name="Deny").click()
    expect(page.get_by_role("alert")).to_contain_text("reason")
    assert not waiting.is_over


def test_the_change_is_shown_by_line(window: Window, agents: Agents, installed: Installation) -> None:
    """What kubectl scale makes of the object, as the cluster computes it; after the yes kubectl goes on."""
    page = window.page
    page.goto("/")
    waiting = agents.kubectl("scale", "deployment/web", "--replicas=12")
    open_question(page, "web")
    expect(page.get_by_text("scale prod/web to 12")).to_be_visible()
    added, removed = page.locator(".text li.add"), page.locator(".text li.del")
    expect(added.filter(has_text=re.compile(r"^\+\s+replicas: 12$"))).to_have_count(1)
    expect(removed.filter(has_text=re.compile(r"^-\s+replicas: \d+$"))).to_have_count(1)
    colours = [each.first.evaluate("line => getComputedStyle(line).backgroundColor") for each in (added, removed)]
    assert len(set(colours)) == 2
    page.get_by_role("button", name="Approve").click()
    code, out, err = waiting.printed()
    assert (code, "scaled" in out) == (0, True), err


def test_of_two_at_once_one_wins(windows: Windows, agents: Agents, installed: Installation, customer: int) -> None:
    """A yes and a no leave two browsers at the same moment; the other reads what became of theirs."""
    path = f"/customers/{customer}"
    yes, no = windows("ursula"), windows("viktor")
    for each in (yes, no):
        each.foresee("status of 409")
    waiting = agents.delete(customer)
    open_question(yes.page, path)
    open_question(no.page, path)
    no.page.get_by_label("Reason").first.fill("no from viktor")
    _at_once((yes.page, "Approve"), (no.page, "Deny"))
    won = [page for page in (yes.page, no.page) if page.get_by_role("alert").count() == 0]
    assert len(won) == 1
    lost = no.page if won == [yes.page] else yes.page
    state = "denied" if won == [no.page] else "approved|spent"
    expect(won[0].get_by_role("status")).to_contain_text(re.compile(state))
    expect(lost.get_by_role("alert")).to_contain_text(re.compile(state))
    expect(lost.get_by_role("button", name="Approve")).to_have_count(0)
    expected = 403 if won == [no.page] else 404
    assert waiting.answer().status == expected
    assert arrived(installed, "DELETE", path) == (expected == 404)


def test_what_changed_meanwhile_is_not_answered(windows: Windows, agents: Agents, customer: int) -> None:
    """A page that somebody else has answered says so by itself, and takes its buttons back."""
    mine, theirs = windows("ursula").page, windows("viktor").page
    agents.delete(customer)
    open_question(mine, f"/customers/{customer}")
    expect(mine.locator("[data-live=on]")).to_be_visible()
    deny(theirs, f"/customers/{customer}", "was quicker")
    expect(mine.get_by_text("viktor denied: was quicker")).to_be_visible()


def test_a_yes_leaves_a_grant_that_can_be_taken_back(window: Window, agents: Agents, customer: int) -> None:
    """It says so before, it is listed with its end, the next call is not asked about, and after Revoke it is again."""
    page, body = window.page, {"title": "one"}
    waiting = agents.send(f"/notes/{customer}", body, method="PATCH")
    open_question(page, f"/notes/{customer}")
    expect(page.get_by_text("30m").first).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    assert waiting.answer().status == 404
    assert agents.send(f"/notes/{customer}", body, method="PATCH").answer().status == 404
    page.get_by_role("link", name="Grants").click()
    line = page.locator("#grants li").filter(has_text=str(customer))
    expect(line).to_contain_text("planners-patch-notes")
    expect(line).to_contain_text(re.compile(r"(30|29)m"))
    line.get_by_role("button", name="Revoke").click()
    expect(line).to_have_count(0)
    again = agents.send(f"/notes/{customer}", body, method="PATCH")
    page.goto("/")
    row(page, f"/notes/{customer}")
    assert not again.is_over


def test_the_bytes_of_the_agent_are_shown_on_demand(window: Window, agents: Agents, customer: int) -> None:
    """Unmasked, with a remark that it was noted; what authenticates the agent is not among them."""
    page = window.page
    agents.send(f"/notes/{customer}", {"title": "hello", "card": "4111 1111 1111 1111"})
    open_question(page, f"/notes/{customer}")
    page.get_by_role("button", name="Show the bytes").click()
    shown = page.locator("#revealed")
    expect(shown).to_contain_text("4111 1111 1111 1111")
    expect(page.get_by_text("that you looked is on record")).to_be_visible()
    assert "eyJ" not in shown.inner_text()
    page.get_by_role("link", name="The approval").click()
    expect(page.get_by_text("left to answer")).to_be_visible()


def test_a_yes_is_for_one_call(window: Window, agents: Agents, customer: int) -> None:
    """The same call once more is asked about once more."""
    waiting = agents.delete(customer)
    approve(window.page, f"/customers/{customer}")
    assert waiting.answer().status == 404
    again = agents.delete(customer)
    window.page.goto("/")
    expect(window.page.locator("#inbox [id^=row-] time[data-until]")).to_have_count(1)
    assert not again.is_over


def _at_once(*pressed: tuple[Page, str]) -> None:
    """Press a button in each window; the forms leave together."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "POST":
            held.append(route)
        else:
            route.continue_()

    with ExitStack() as stack:
        for page, button in pressed:
            page.route("**/approvals/*", hold)
            stack.enter_context(page.expect_navigation())
            with page.expect_request(lambda request: request.method == "POST"):
                page.get_by_role("button", name=button).click(no_wait_after=True)
        for route in held:
            route.continue_()
    for page, _ in pressed:
        page.unroute_all()
