"""Laws of letting protection go: all of it is shown, who may break the glass says why, and that counts for what was shown."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from gatehold.console.pages import removals
from gatehold.reloading import asking
from gatehold.reloading.asking import Question
from gatehold.reloading.pending import Pending
from gatehold.reloading.reading import read
from gatehold.reloading.reports import Outcome, Report
from tests.gatehold.console.conftest import HOSTILE
from tests.gatehold.console.pages.conftest import CONFIGURATION

WALL = '  - {name: never, effect: deny, http: {targets: [crm], methods: ["*"], paths: ["/report"]}, reason: Not for agents.}\n'
LESS = CONFIGURATION.replace(WALL, "").replace("    approval: {groups: [[sre], [security]]}\n", "")


@pytest.fixture
def lose(office: Any) -> Callable[..., Pending]:
    """Files take a wall and an approval away, and wait."""

    def lost(text: str = LESS) -> Pending:
        (office.config / "gateway.yaml").write_text(text)
        console = office.site.console
        report = read(console.configuration, accept_removals=False)
        assert isinstance(report, Report)
        assert report.outcome is Outcome.REMOVALS
        console.reloading.pending = Pending.of(console.configuration, report, now=office.site.clock.now - 65.0)
        found: Pending = console.reloading.pending
        return found

    return lost


def asked(office: Any) -> list[Question]:
    """What gateways are asked."""
    with office.site.store.reading() as connection:
        return asking.open_questions(connection, since=0.0, now=office.site.clock.now)


def told(office: Any) -> list[dict[str, Any]]:
    """What waits for the journal."""
    return [each for each in office.site.events() if each["kind"] == "removals-accepted"]


async def test_everything_that_would_be_gone_is_shown(office: Any, lose: Any) -> None:
    """Rules with effect, place, what they matched and why; what becomes of them; both revisions; the form."""
    pending = lose()
    page = (await office.browser("bob").get("/policy/removals")).text
    for words in ("Let this protection go?", "never", "(deny) is gone", "/report", "“Not for agents.”", "gateway.yaml:",
                  "has no approval any more", "approval by", "1m 5s", pending.before[:12], pending.revision[:12]):  # fmt: skip
        assert words in page, words
    assert f'name="shown" value="{pending.digest}"' in page
    assert page.index("Walls") < page.index("(deny) is gone") < page.index("Doors") < page.index("has no approval")


async def test_who_may_break_the_glass_lets_it_go(office: Any, lose: Any) -> None:
    """All gateways are asked to take exactly that, once it is told who said so and why; the answers are shown."""
    pending, bob = lose(), office.browser("bob")
    answer = await bob.post("/policy/removals", {"shown": pending.digest, "reason": " moved to the API "})
    assert answer.status_code == 303
    [question] = asked(office)
    assert question.accepted == pending.accepted("moved to the API")
    assert question.asked_by == "user:bob"
    [event] = told(office)
    assert (event["by"], event["reason"], event["reload"]) == ("user:bob", "moved to the API", question.id)
    assert (event["before"], event["revision"]) == (pending.before, pending.revision)
    assert event["gone"] == ["the rule deletes has no approval any more", "the rule never (deny) is gone"]
    place = answer.headers["location"]
    page = (await bob.get(place)).text
    assert "reading the files" in page
    assert "every 1s" in page
    done = Report(outcome=Outcome.TAKEN, revision=pending.revision, policy="p" * 64, removed=("rule never",), tests=3)
    with office.site.store.writing() as connection:
        asking.answer(connection, question.id, "here", done, now=office.site.clock.now + 1)
    page = (await office.browser("eve").get(place)).text
    for words in (
        "is in force",
        "removed: rule never",
        "policy tests passed: 3",
        "here, this one",
        "moved to the API",
        "bob",
    ):
        assert words in page, words
    assert "every 1s" not in page


@pytest.mark.parametrize("user", ["alice", "carol", "eve"])
async def test_nobody_else_does(office: Any, lose: Any, user: str) -> None:
    """They see what waits, who may, and the command; there is no form, and what they send asks nobody."""
    pending, browser = lose(), office.browser(user)
    page = (await browser.get("/policy/removals")).text
    assert "(deny) is gone" in page
    assert "Who is in glass" in page
    assert unescape(page).count(f"gatehold reload --config {office.config} --accept-removals")
    assert "<textarea" not in page
    assert (await browser.post("/policy/removals", {"shown": pending.digest, "reason": "mine"})).status_code == 403
    assert not asked(office)
    assert not told(office)


async def test_a_word_counts_for_what_was_shown(office: Any, lose: Any) -> None:
    """Where the files are others by now it does not, and the page is shown anew with what was typed."""
    shown, bob = lose(), office.browser("bob")
    now = lose(LESS.replace("methods: [GET]", "methods: [GET, HEAD]"))
    for digest in (shown.digest, "", "é", now.digest.upper()):
        answer = await bob.post("/policy/removals", {"shown": digest, "reason": "typed <b>"})
        assert answer.status_code == 409
        assert "The files are not what was shown" in answer.text
        assert "typed &lt;b&gt;</textarea>" in answer.text
        assert now.digest in answer.text
    assert not asked(office)
    office.site.console.reloading.pending = None
    answer = await bob.post("/policy/removals", {"shown": now.digest, "reason": "late"})
    assert (answer.status_code, "Nothing waits any more" in answer.text) == (409, True)
    assert not asked(office)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"reason": " "}, 422), ({}, 422), ({"reason": "x" * 2001}, 422), ({"reason": ["a", "b"]}, 400),
        ({"reason": "a\x00b"}, 400), ({"reason": "fine", "csrf": "other"}, 403),
    ],
)  # fmt: skip
async def test_it_needs_a_reason_and_a_form_of_ones_own(office: Any, lose: Any, fields: Any, status: int) -> None:
    """Nobody is asked otherwise."""
    pending, bob = lose(), office.browser("bob")
    assert (await bob.post("/policy/removals", {"shown": pending.digest, **fields})).status_code == status
    forged = await bob.post("/policy/removals", {"shown": pending.digest, "reason": "x"}, Origin="https://evil.example")
    assert forged.status_code == 403
    assert not asked(office)
    assert not told(office)


async def test_what_is_not_shown_is_not_accepted(office: Any, lose: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a page holds is said on the gateway's machine."""
    pending, bob = lose(), office.browser("bob")
    monkeypatch.setattr(removals, "MOST", 1)
    page = (await bob.get("/policy/removals")).text
    assert "too much for a page" in page
    assert "<textarea" not in page
    assert (await bob.post("/policy/removals", {"shown": pending.digest, "reason": "all"})).status_code == 409
    assert not asked(office)


async def test_nothing_waits(office: Any) -> None:
    """The page says so; a word that nobody gave has no page."""
    bob = office.browser("bob")
    page = await bob.get("/policy/removals")
    assert (page.status_code, "Nothing waits" in page.text, "<textarea" in page.text) == (200, True, False)
    with office.site.store.writing() as connection:
        plain = asking.ask(connection, by="os:ada", accept_removals=False, now=office.site.clock.now)
    for question in ("none", "x" * 300, plain):
        assert (await bob.get(f"/policy/removals/{question}")).status_code == 404


async def test_gateways_that_do_not_answer_or_answer_otherwise(office: Any, lose: Any) -> None:
    """One with other files leads to what would be gone there; where none answers in time that is said."""
    pending, bob = lose(), office.browser("bob")
    place = (await bob.post("/policy/removals", {"shown": pending.digest, "reason": "x"})).headers["location"]
    office.site.clock.now += asking.WAITING + 1
    page = (await bob.get(place, **{"HX-Request": "true"})).text
    assert "no gateway answered" in page
    assert "every 1s" not in page
    assert "<html" not in page
    other = Report(outcome=Outcome.REMOVALS, revision="r", problems=("the rule wall (deny) is gone",))
    with office.site.store.writing() as connection:
        asking.answer(connection, place.rpartition("/")[2], "there", other, now=office.site.clock.now)
        asking.answer(connection, place.rpartition("/")[2], "here", other, now=office.site.clock.now)
    page = (await bob.get(place)).text
    assert page.count("It reads other files than were shown") == 2
    assert page.count('href="/policy/removals">Look at what would be gone now') == 1


async def test_every_page_leads_there_while_something_waits(office: Any, lose: Any) -> None:
    """The page itself does without the banner."""
    pending, eve = lose(), office.browser("eve")
    office.site.console.templates.warn(lambda: "this is gone", lambda: removals.PATH if pending else "")
    for path, leads in (("/policy", True), ("/account", True), ("/policy/removals", False)):
        page = (await eve.get(path)).text
        assert ('<a href="/policy/removals">Look at' in page, "this is gone" in page) == (leads, leads)


async def test_hostile_words_are_texts(office: Any, lose: Any) -> None:
    """Reasons and names in the page and in what came of it."""
    pending = replace(lose(), gone=(HOSTILE,))
    office.site.console.reloading.pending, bob = pending, office.browser("bob")
    answer = await bob.post("/policy/removals", {"shown": pending.digest, "reason": HOSTILE})
    for path in ("/policy/removals", answer.headers["location"]):
        page = (await bob.get(path)).text
        assert "&lt;U+202E&gt;" in page
        assert not re.search(r"<img|<script>alert|</textarea><script|\u202e|\x1b", page)
