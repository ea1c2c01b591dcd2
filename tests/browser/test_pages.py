"""Law: every page is whole at every width, in light and in dark, and by the keyboard alone; pictures of all are kept.

The pages are those that the console itself leads to.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.agents import Agents
from tests.browser.answering import approve, deny, open_question, row
from tests.browser.conftest import Windows
from tests.browser.windows import DESKTOP, PHONE, Window, colours, pictures, scrolls_sideways

LOOKS: Final[Mapping[str, Mapping[str, Any]]] = {
    "desktop": {"viewport": DESKTOP},
    "desktop-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "has_touch": True, "is_mobile": True},
    "phone-dark": {"viewport": PHONE, "has_touch": True, "is_mobile": True, "color_scheme": "dark"},
}
"""Options of a window, by the name that stands in its pictures."""


@pytest.fixture
def busy(windows: Windows, agents: Agents, customer: int) -> int:
    """Something of everything: a change and a body that wait, a grant, an answer of either kind. The number in their paths."""
    page = windows("viktor").page
    done = [
        agents.delete(customer),
        agents.send(f"/notes/{customer}1", {"title": "let it be so", "email": "ada@mail.example"}, method="PATCH"),
    ]
    approve(page, f"/notes/{customer}1")
    deny(page, f"/customers/{customer}", "Customers of this year stay.")
    for each in done:
        each.answer()
    # What was denied stays so for a while; another number is another question.
    agents.kubectl("scale", "deployment/web", f"--replicas={11 + customer % 5000}")
    agents.send(f"/notes/{customer}2", {"title": "a note", "lines": ["one", "two"], "card": "4111 1111 1111 1111"})
    page.goto("/")
    row(page, f"scale prod/web to {11 + customer % 5000}")
    row(page, f"/notes/{customer}2")
    return customer


def places(page: Page) -> list[str]:
    """Paths of all pages that the navigation leads to."""
    page.goto("/")
    found: list[str] = page.locator(".places a").evaluate_all("all => all.map((each) => each.getAttribute('href'))")
    return found


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_is_whole(windows: Windows, busy: int, look: str) -> None:
    """Nothing scrolls sideways, nothing is written to the console (windows look), and a picture is kept."""
    window = windows("ursula", **LOOKS[look])
    window.foresee("status of 404")
    page = window.page
    for path in [*places(page), "/approvals", "/account", "/no-such-page"]:
        page.goto(path)
        _look_at(page, f"{path.strip('/').replace('/', '-') or 'inbox'}-{look}")
    open_question(page, f"scale prod/web to {11 + busy % 5000}")
    _look_at(page, f"approval-change-{look}")
    open_question(page, f"/notes/{busy}2")
    _look_at(page, f"approval-body-{look}")
    page.get_by_role("button", name="Show the bytes").click()
    expect(page.locator("#revealed")).to_be_visible()
    _look_at(page, f"revealed-{look}")
    page.context.clear_cookies()
    page.goto("/login")
    _look_at(page, f"login-{look}")


def test_dark_differs(windows: Windows) -> None:
    """It follows the system: dark ground, light text."""
    seen = {}
    for scheme in ("light", "dark"):
        page = windows("ursula", color_scheme=scheme).page
        page.goto("/")
        seen[scheme] = {name: _brightness(value) for name, value in colours(page).items()}
    assert (seen["light"]["ground"] > 600, seen["light"]["ink"] < 200) == (True, True)
    assert (seen["dark"]["ground"] < 200, seen["dark"]["ink"] > 600) == (True, True)


def test_a_phone_answers(windows: Windows, agents: Agents, customer: int) -> None:
    """The buttons are reached by touch, are large enough for a thumb, and nothing lies over them."""
    page = windows("ursula", **LOOKS["phone"]).page
    waiting = agents.delete(customer)
    page.goto("/")
    row(page, f"/customers/{customer}").get_by_role("link").tap()
    page.get_by_role("link", name="Answer", exact=True).tap()
    button = page.get_by_role("button", name="Approve")
    expect(button).to_be_in_viewport()
    for each in (button, page.get_by_role("button", name="Deny")):
        box = each.bounding_box()
        assert box is not None
        assert box["height"] >= 40
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    button.tap()
    expect(page.get_by_role("status")).to_be_visible()
    assert waiting.answer().status == 404


def test_a_phone_reaches_every_page(windows: Windows) -> None:
    """By the same navigation."""
    page = windows("ursula", **LOOKS["phone"]).page
    for path in places(page):
        page.locator(f".places a[href='{path}']").tap()
        expect(page.locator(f".places a[href='{path}']")).to_have_attribute("aria-current", "page")


def test_tab_reaches_everything_in_order(window: Window, busy: int) -> None:
    """From the link that skips the navigation to the last control, as it stands on the page; the focus can be seen."""
    page = window.page
    for path in [*places(page), "/approvals", "/account"]:
        page.goto(path)
        _walk(page)
    open_question(page, f"scale prod/web to {11 + busy % 5000}")
    _walk(page)


def test_the_first_tab_skips_the_navigation(window: Window) -> None:
    """Enter on it leads to the page itself."""
    page = window.page
    page.goto("/approvals")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_keys_lead_to_every_page(window: Window) -> None:
    """g and a letter; ? tells them all, and Escape closes that."""
    page = window.page
    page.goto("/")
    known = page.locator(".places a").evaluate_all("all => all.map((it) => [it.dataset.key, it.getAttribute('href')])")
    for key, path in known:
        with page.expect_navigation(url=f"**{path}"):
            page.keyboard.press("g")
            page.keyboard.press(key)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    for key, _ in known:
        expect(page.get_by_role("dialog").locator("kbd", has_text=key).first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_every_page_has_a_name_and_a_heading(window: Window, busy: int) -> None:
    """For those who hear pages: a title, one first heading, a main part, labels of fields, texts of links and buttons."""
    page = window.page
    for path in [*places(page), "/approvals", "/account"]:
        page.goto(path)
        assert page.title().endswith("Gatehold")
        expect(page.locator("h1")).to_have_count(1)
        expect(page.get_by_role("main")).to_have_count(1)
        unnamed = page.evaluate("""() => [
            ...[...document.querySelectorAll('a[href], button')].filter((it) => !(it.textContent.trim() || it.ariaLabel)),
            ...[...document.querySelectorAll('input:not([type=hidden]), select, textarea')]
                .filter((it) => !it.labels.length && !it.ariaLabel),
        ].map((it) => it.outerHTML.slice(0, 200))""")
        assert not unnamed, path


def _look_at(page: Page, name: str) -> None:
    expect(page.locator("main")).to_be_visible()
    page.screenshot(path=pictures() / f"{name}.png", full_page=True, animations="disabled")
    assert not scrolls_sideways(page), page.url


def _brightness(colour: str) -> int:
    """The sum of red, green and blue of ``rgb(1, 2, 3)``."""
    return sum(int(part) for part in colour.strip("rgba()").split(",")[:3])


def _walk(page: Page) -> None:
    """Press Tab until the end of the page; every control is met once, in the order of the page, and shows it."""
    script = """() => {
        const each = document.activeElement;
        if (!each || each === document.body) return null;
        const style = getComputedStyle(each), all = [...document.querySelectorAll('*')];
        return [all.indexOf(each), style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0, each.outerHTML.slice(0, 120)];
    }"""
    wanted = page.locator("a[href], button, input:not([type=hidden]), select, textarea, summary").evaluate_all(
        "all => all.filter((it) => it.checkVisibility({visibilityProperty: true}) && !it.disabled && it.type !== 'radio').length"
    )
    met = []
    for _ in range(wanted + 60):
        page.keyboard.press("Tab")
        found = page.evaluate(script)
        if found is None or found in met:
            break
        met.append(found)
    places_met = [place for place, _, _ in met]
    assert places_met == sorted(set(places_met)), page.url
    assert len(places_met) >= wanted, page.url
    unseen = [text for _, seen, text in met if not seen]
    assert not unseen, page.url
