"""Law: a wall that its file lost stands until a person who may break the glass has seen it and said why it may go."""

import json
import re
import time
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import Locator, Page, expect

from gatehold.store import open_store
from gatehold.store.users import add_user
from tests.browser.conftest import Windows
from tests.browser.test_pages import LOOKS
from tests.browser.windows import PHONE, pictures, scrolls_sideways
from tests.e2e.harness import GatewayProcess, Installation

pytestmark = pytest.mark.timeout(300)
WALLS: Final = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: walls}
rules:
  - name: no-orders
    effect: deny
    agents: {groups: [planners]}
    http: {targets: [crm], methods: [GET], paths: ["/orders", "/orders/archive/{year}"]}
    reason: Orders hold what customers paid, and are none of an agent's business.
  - {name: notes-ask, effect: constrain, http: {targets: [crm], methods: [PUT], paths: ["/notes/**"]}, approval: {groups: [finance]}}
"""
WHY: Final = "Moved into the API itself, ticket 4711"


@pytest.fixture
def walled(gateway: GatewayProcess, installed: Installation) -> Iterator[Installation]:
    """A wall and a turnstile that are in force, and somebody who may break the glass."""
    with open_store("sqlite", installed.data) as store, store.writing() as connection:
        add_user(connection, "greta", ["glass"], by="test", now=time.time())
    path = installed.config / "gateway.yaml"
    text = path.read_text()
    path.write_text(re.sub(r"approvals: \{", "approvals: {breakGlass: [glass], ", text))
    assert path.read_text() != text
    installed.write("walls.yaml", WALLS)
    taken = installed.gatehold("reload", check=False)
    assert taken.returncode == 0, taken.stdout
    yield installed
    path.write_text(text)
    (installed.config / "walls.yaml").unlink(missing_ok=True)
    installed.gatehold("reload", "--accept-removals")


@pytest.mark.parametrize("look", ["desktop", "phone"])
def test_a_lost_file_is_seen_and_let_go(windows: Windows, walled: Installation, look: str) -> None:
    """From the banner to the form, with all that would be gone; then it is in force, and told with who and why."""
    page, other = windows("greta", **LOOKS[look]).page, windows("ursula").page
    (walled.config / "walls.yaml").unlink()
    _banner(page).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Let this protection go?")).to_be_visible()
    for words in ("no-orders", "(deny) is gone", "/orders/archive/{year}", "none of an agent's business", "walls.yaml:",
                  "notes-ask", "(constrain) is gone", "approval by", "the file walls.yaml is gone"):  # fmt: skip
        expect(page.get_by_role("main")).to_contain_text(words)
    _look_at(page, f"removals-{look}")
    _banner(other).get_by_role("link").click()
    expect(other.get_by_text("Who is in glass can say here")).to_be_visible()
    expect(other.get_by_role("button", name="Let it go")).to_have_count(0)
    assert walled.curl("https://crm.corp.example/orders").status == 403
    button = page.get_by_role("button", name="Let it go")
    if "phone" in look:
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 40
        assert 0 <= box["x"] <= box["x"] + box["width"] <= PHONE["width"]
    button.click()
    expect(page.get_by_label("Reason")).to_be_focused()  # the browser asks for it
    page.get_by_label("Reason").fill(WHY)
    button.click()
    expect(page.get_by_text("the changed configuration is in force")).to_be_visible()
    expect(page.get_by_text("removed: rule no-orders")).to_be_visible()
    _look_at(page, f"removals-accepted-{look}")
    assert walled.curl("https://crm.corp.example/orders").status == 200
    page.goto("/policy")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator("#rule-no-orders")).to_have_count(0)
    page.goto("/audit?kind=governance")
    expect(page.get_by_text("user:greta").or_(page.get_by_text("removals-accepted")).first).to_be_visible()
    events = walled.gatehold("audit", "query", "--kind", "governance", "--json", "--limit", "1").stdout
    [event] = json.loads(events)["items"]
    told = event["event"]
    assert (told["actor"]["user"]["name"], told["comment"], told["severity_id"]) == ("user:greta", WHY, 4)
    assert "the rule no-orders (deny) is gone" in told["unmapped"]["gatehold"]["gone"]


def test_what_changed_since_is_shown_anew(windows: Windows, walled: Installation) -> None:
    """Nothing of it comes, and what was typed is not lost."""
    window = windows("greta")
    window.foresee("status of 409")
    page = window.page
    (walled.config / "walls.yaml").unlink()
    _banner(page).get_by_role("link").click()
    page.get_by_label("Reason").fill(WHY)
    walled.write("walls.yaml", WALLS.replace("effect: deny", "effect: deny\n    mode: shadow"))
    assert walled.gatehold("reload", check=False).returncode == 1
    page.get_by_role("button", name="Let it go").click()
    expect(page.get_by_role("alert")).to_contain_text("The files are not what was shown")
    expect(page.get_by_text("was deny and is in shadow")).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value(WHY)
    assert walled.curl("https://crm.corp.example/orders").status == 403


def _banner(page: Page) -> Locator:
    """Once the gateway has seen the files."""
    found = page.get_by_role("alert").filter(has_text="is gone")
    for _ in range(100):
        page.goto("/policy")
        if found.count():
            break
        page.wait_for_timeout(100)
    expect(found).to_be_visible()
    return found


def _look_at(page: Page, name: str) -> None:
    page.screenshot(path=pictures() / f"{name}.png", full_page=True, animations="disabled")
    assert not scrolls_sideways(page), page.url
