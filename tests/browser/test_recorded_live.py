"""Law: what agents do appears in the pages that tell of it without a reload, and only where somebody looks."""

from typing import Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.agents import Agents
from tests.browser.conftest import Windows
from tests.browser.windows import Window

pytestmark = pytest.mark.timeout(300)
_HEARING: Final = """() => {
    window.__heard = new Promise((done) => new EventSource("/live").addEventListener("recorded", done));
}"""


def test_a_call_appears_by_itself(windows: Windows, agents: Agents, customer: int) -> None:
    """In the recordings, in its session and in the audit trail; what is masked stays so, and nothing is loaded anew."""
    subject = f"reader-{customer}"
    agents.curl("/customers/1", subject=subject).answer()
    pages = {}
    for path, part in ((f"/recordings?agent={subject}", "#calls"), ("/audit", "#events")):
        pages[part] = windows().page
        pages[part].goto(path)
        expect(pages[part].locator(part)).to_contain_text("/customers/1")
    session = pages["#happened"] = windows().page
    session.goto(f"/recordings?agent={subject}")
    session.locator("#calls a").first.click()
    session.locator("a[href^='/recordings/session']").first.click()
    expect(session.locator("#happened")).to_contain_text("1 call:")
    for page in pages.values():
        expect(page.locator("[data-live=on]")).to_be_visible()
    loads = {part: page.evaluate("performance.timeOrigin") for part, page in pages.items()}
    agents.curl(f"/customers/{customer}?email=ada@mail.example", subject=subject).answer()
    for part, page in pages.items():
        expect(page.locator(part)).to_contain_text(f"/customers/{customer}")
        assert "ada@mail.example" not in page.content()
        assert page.evaluate("performance.timeOrigin") == loads[part], "the page was loaded again"
    expect(session.locator("#happened")).to_contain_text("2 calls:")


def test_a_page_that_nobody_looks_at_asks_nothing(window: Window, agents: Agents, customer: int) -> None:
    """It asks once it comes to the front."""
    page, subject = window.page, f"reader-{customer}"
    agents.curl("/customers/1", subject=subject).answer()
    page.goto(f"/recordings?agent={subject}")
    expect(page.locator("[data-live=on]")).to_be_visible()
    _hide(page, hidden=True)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/recordings" in request.url else None)
    page.evaluate(_HEARING)
    agents.curl(f"/customers/{customer}", subject=subject).answer()
    page.evaluate("window.__heard.then(() => fetch('/healthz')).then(() => true)")
    assert not asked
    expect(page.locator("#calls")).not_to_contain_text(f"/customers/{customer}")
    _hide(page, hidden=False)
    expect(page.locator("#calls")).to_contain_text(f"/customers/{customer}")
    assert len(asked) == 1


def _hide(page: Page, *, hidden: bool) -> None:
    """As the browser tells a page that another one is in front of it."""
    page.evaluate(
        """(hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }""",
        hidden,
    )
