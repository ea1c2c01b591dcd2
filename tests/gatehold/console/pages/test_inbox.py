"""Laws of the lists: mine apart from others', those that end first on top, one row a command, the history whole."""

import re
from typing import Any

from gatehold.approvals.approvers import Quorum
from gatehold.console import listing


def sections(page: str) -> dict[str, list[str]]:
    """The links below each heading."""
    parts = re.split(r"<h2>([^<]+)</h2>", page)[1:]
    return {name: re.findall(r'href="/approvals/(apr_[^"]+)"', text) for name, text in zip(parts[::2], parts[1::2], strict=True)}  # fmt: skip


async def test_what_waits_for_me_comes_first(site: Any, alice: Any, ask: Any) -> None:
    """What I have said yes to waits for others."""
    theirs = ask("theirs", quorum=Quorum(sets=(frozenset({"security"}),)))
    both = ask("both", quorum=Quorum(sets=(frozenset({"sre"}),), count=2))
    site.clock.now += 1
    mine, joined = ask("mine"), ask("a", together="k")
    site.clock.now += 1
    ask("b", together="k")
    site.desk.approve(both.id, "alice", channel="console")
    over = ask("over")
    site.desk.deny(over.id, "bob", channel="console", reason="no & never")
    page = (await alice.get("/")).text
    found = sections(page)
    assert set(found["Waiting for you"]) == {mine.id, joined.id}
    assert set(found["Waiting for others"]) == {theirs.id, both.id}
    assert found["Lately"] == [over.id]
    assert "+1 more" in page
    assert "“no &amp; never”" in page


async def test_an_open_page_asks_for_its_lists_alone(alice: Any) -> None:
    """A part has no frame."""
    part = (await alice.get("/", **{"HX-Request": "true"})).text
    assert part.lstrip().startswith('<div id="inbox"')
    assert "Nothing waits for you" in part


async def test_a_yes_that_is_not_enough_says_so(site: Any, alice: Any, ask: Any) -> None:
    """It waits for others; an id that is none says nothing."""
    both = ask("both", quorum=Quorum(sets=(frozenset({"sre"}),), count=2))
    site.desk.approve(both.id, "alice", channel="console")
    assert "waits for others" in (await alice.get(f"/?answered={both.id}")).text
    assert 'role="status"' not in (await alice.get("/?answered=<script>")).text


async def test_the_history_is_whole(site: Any, alice: Any, ask: Any, monkeypatch: Any) -> None:
    """By state, a page at a time."""
    monkeypatch.setattr(listing, "PAGE", 2)
    for number in range(3):
        site.clock.now += 1
        site.desk.deny(ask(str(number)).id, "bob", channel="console", reason="no")
    ask("open")
    page = (await alice.get("/approvals")).text
    assert len(set(re.findall(r'href="/approvals/(apr_[^"]+)"', page))) in (2, 3)
    assert (await alice.get("/approvals?state=spent")).text.count('href="/approvals/apr_') == 0
    assert (await alice.get("/approvals?state=denied")).text.count('href="/approvals/apr_') >= 2
    for wrong in ("state=maybe", "before=x", "before=nan&state=x"):
        assert (await alice.get(f"/approvals?{wrong}")).status_code == 400


async def test_files_are_kept_and_nothing_else_is_served(connect: Any) -> None:
    """The address names the content; no path leads out of the directory."""
    client = await connect()
    page = (await client.get("/login")).text
    for address in re.findall(r'"(/static/[^"]+)"', page):
        answer = await client.get(address)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    for wrong in ("/static/%2e%2e/app.py", "/static/none.css", "/static/"):
        assert (await client.get(wrong)).status_code == 404
    assert (await client.get("/static/htmx.LICENSE.txt")).text.startswith("Zero-Clause BSD")
