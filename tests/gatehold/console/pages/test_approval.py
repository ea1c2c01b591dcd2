"""Laws of an answer: it counts for exactly what was shown, from those who may; refusals say why and change nothing."""

import re
from typing import Any

import pytest
from sqlalchemy import update

from gatehold.agent_api.decisions import ToldDecision
from gatehold.approvals.approvers import Quorum
from gatehold.approvals.model import Body, Bound, Change, Channel, GrantTerms
from gatehold.approvals.revealing import HeldRequest
from gatehold.approvals.showing import digest
from gatehold.approvals.states import ApprovalState
from gatehold.store.schema import users
from policy.codes import Code
from policy.model import DecisionId, SessionId, TargetName, Verdict
from tests.gatehold.console.conftest import HOSTILE


def field(page: str, name: str) -> list[str]:
    """The values of a form's hidden fields."""
    return re.findall(rf'name="{name}" value="([^"]*)"', page)


async def answer(browser: Any, approval: Any, said: str, reason: str = "", **changes: Any) -> Any:
    """As the form on the page sends it."""
    page = (await browser.get(f"/approvals/{approval.id}")).text
    fields = {"verb": said, "reason": reason, "shown": field(page, "shown")[:1], "id": field(page, "id")}
    return await browser.post(f"/approvals/{approval.id}", fields | changes)


async def test_everything_is_on_the_page(alice: Any, ask: Any) -> None:
    """Who, what, why, the change, what is hidden of it, what a yes leaves."""
    terms = GrantTerms(
        scope="rule", seconds=900, verb="DELETE", resource="/customers/*", name="", bounds=(Bound(fact="n", value=3),)
    )
    approval = ask(
        change=Change(diff="-replicas: 3\n+replicas: 12", cut=7), terms=terms,
        body=Body(text='{"a": 1}', content_type="application/json", size=2048, masked=2, cut=5),
        facts={"host": "crm.corp.example", "empty": None}, purpose="nightly report",
    )  # fmt: skip
    page = (await alice.get(f"/approvals/{approval.id}")).text
    for told in ("a1", "corp", "s-1", "a1, olga", "nightly report", "/customers/one", "Think twice.", "crm.corp.example", "2.0 KiB",
                 "2 values are masked", "5 characters are cut off", "7 lines are not shown", "1 person of sre",
                 "a grant of 15m", "n &lt;= 3", '<li class="del">-replicas: 3</li>', '<li class="add">+replicas: 12</li>'):  # fmt: skip
        assert told in page, told
    assert "empty" not in page
    assert field(page, "shown") == [digest([approval])] * len(field(page, "shown"))


async def test_hostile_texts_are_texts(alice: Any, ask: Any) -> None:
    """Markup is escaped, what cannot be seen is shown as code points; on lists as well."""
    approval = ask(
        subject=HOSTILE, issuer=HOSTILE, purpose=HOSTILE, path=f"/{HOSTILE}", method=HOSTILE, message=HOSTILE, facts={HOSTILE: [HOSTILE]},
        body=Body(text=HOSTILE, content_type=HOSTILE, problem=HOSTILE), change=Change(diff=f"+{HOSTILE}"),
    )  # fmt: skip
    for path in ("/", f"/approvals/{approval.id}"):
        page = (await alice.get(path)).text
        assert "&lt;U+202E&gt;&lt;U+001B&gt;" in page
        assert not re.search(r"<img|<script>alert|</textarea><script|\u202e|\x1b", page)


async def test_a_yes_counts(site: Any, alice: Any, ask: Any) -> None:
    """It is from the console, says what was shown, wakes who waits, and leads back to the inbox."""
    approval = ask()
    done = await answer(alice, approval, "approve", "fine")
    assert (done.status_code, done.headers["location"]) == (303, f"/?answered={approval.id}")
    found = site.desk.get(approval.id)
    assert found.state is ApprovalState.APPROVED
    [said] = found.answers
    assert (said.user, said.channel, said.reason, said.shown) == ("alice", Channel.CONSOLE, "fine", digest([approval]))
    assert site.notified
    assert "is approved" in (await alice.get(done.headers["location"])).text


async def test_a_no_needs_words(site: Any, alice: Any, ask: Any) -> None:
    """Without them the page comes again and says so."""
    approval = ask()
    refused = await answer(alice, approval, "deny", "  ")
    assert refused.status_code == 422
    assert "A denial needs a reason" in refused.text
    assert (await answer(alice, approval, "deny", "not today")).status_code == 303
    assert site.desk.get(approval.id).reason == "not today"
    late = await answer(alice, approval, "approve", shown=digest([approval]), id=approval.id)
    assert late.status_code == 409
    assert "Too late" in late.text


async def test_an_answer_to_something_else_does_not_count(site: Any, alice: Any, ask: Any) -> None:
    """What was shown is what is answered; the reason that was typed is kept."""
    approval = ask()
    stale = await answer(alice, approval, "approve", "my words", shown="0" * 64)
    assert stale.status_code == 409
    assert "not what was shown" in stale.text
    assert "my words" in stale.text
    assert site.desk.get(approval.id).state is ApprovalState.PENDING
    refused = [event for event in site.events() if event["kind"] == "approval-answer-refused"]
    assert [event["objection"] for event in refused] == ["not-shown"]


@pytest.mark.parametrize(
    "changes",
    [{"verb": "allow"}, {"verb": ["approve", "deny"]}, {"shown": ""}, {"id": []}, {"id": "x" * 33}, {"verb": "force", "id": ["a", "b"]}],
)  # fmt: skip
async def test_a_form_that_is_none_of_ours_is_refused(site: Any, alice: Any, ask: Any, changes: dict[str, Any]) -> None:
    """400, and nothing happened."""
    approval = ask()
    assert (await answer(alice, approval, "approve", **changes)).status_code == 400
    assert not site.desk.get(approval.id).answers


async def test_those_who_may_not_see_why(alice: Any, sign_in: Any, ask: Any, site: Any) -> None:
    """No buttons; and without the page it is refused just the same."""
    approval = ask()
    carol = await sign_in("carol")
    page = (await carol.get(f"/approvals/{approval.id}")).text
    assert "data-approve" not in page
    assert "none of the groups" in page
    assert (await answer(carol, approval, "approve", shown=digest([approval]), id=approval.id)).status_code == 403
    own = ask("own", people=frozenset({"alice@corp.example"}))
    assert "behind this call" in (await alice.get(f"/approvals/{own.id}")).text
    assert (await alice.get("/approvals/apr_none")).status_code == 404
    assert (await alice.get(f"/approvals/{'é' * 40}")).status_code == 404
    assert not site.desk.get(approval.id).answers


async def test_calls_of_one_command_are_answered_together(site: Any, alice: Any, ask: Any) -> None:
    """All that were shown, or none; each can be answered by itself."""
    first, second = ask("one", together="k"), ask("two", together="k")
    page = (await alice.get(f"/approvals/{first.id}")).text
    assert "2 calls of one command" in page
    assert set(field(page, "id")) == {first.id, second.id}
    assert "1 more of the same command" in (await alice.get(f"/approvals/{first.id}?alone=1")).text
    third = ask("three", together="k")
    fields = {"verb": "approve", "shown": field(page, "shown")[0], "id": [first.id, second.id, third.id]}
    assert (await alice.post(f"/approvals/{first.id}", fields)).status_code == 409
    assert site.desk.get(first.id).state is ApprovalState.PENDING
    assert (await answer(alice, first, "approve")).status_code == 303
    assert {site.desk.get(each.id).state for each in (first, second, third)} == {ApprovalState.APPROVED}


async def test_an_open_page_learns_that_more_came(alice: Any, ask: Any) -> None:
    """As a part of the page, with the digest that it has."""
    first = ask("one", together="k")
    shown = digest([first])
    url = f"/approvals/{first.id}?shown={shown}"
    assert "has changed" not in (await alice.get(url, **{"HX-Request": "true"})).text
    ask("two", together="k")
    part = (await alice.get(url, **{"HX-Request": "true"})).text
    assert "has changed" in part
    assert "<html" not in part


async def test_the_glass_is_broken_by_those_who_may(site: Any, alice: Any, sign_in: Any, ask: Any) -> None:
    """With a reason, for one call."""
    approval = ask(quorum=Quorum(sets=(frozenset({"security"}),), count=2))
    assert "Break the glass" not in (await alice.get(f"/approvals/{approval.id}")).text
    assert (await answer(alice, approval, "force", "now", shown=digest([approval]), id=approval.id)).status_code == 403
    bob = await sign_in("bob")
    assert (await answer(bob, approval, "force", "")).status_code == 422
    assert (await answer(bob, approval, "force", "the site is down")).status_code == 303
    assert site.desk.get(approval.id).answers[0].forced


async def test_what_was_sent_is_shown_to_those_who_are_asked(site: Any, alice: Any, sign_in: Any, ask: Any) -> None:
    """While it waits here, and only after it is written down who looked."""
    approval = ask()
    assert (await alice.post(f"/approvals/{approval.id}/reveal")).status_code == 409
    held = HeldRequest(method="POST", path="/p", headers=(("X-A", HOSTILE),), body=b"\x00\xff planted")
    with site.console.held.waiting(approval.id, held):
        assert "/reveal" in (await alice.get(f"/approvals/{approval.id}")).text
        carol = await sign_in("carol")
        assert (await carol.post(f"/approvals/{approval.id}/reveal")).status_code == 403
        assert not [event for event in site.events() if event["kind"] == "approval-revealed"]
        shown = await alice.post(f"/approvals/{approval.id}/reveal")
    assert shown.status_code == 200
    assert "00 ff 20 70 6c" in shown.text
    assert "<script>alert" not in shown.text
    [event] = [event for event in site.events() if event["kind"] == "approval-revealed"]
    assert (event["by"], event["approval"]) == ("user:alice", approval.id)
    assert "planted" not in str(event)


async def test_nobody_reveals_their_own_by_another_name(site: Any, alice: Any, ask: Any) -> None:
    """Who is behind the call by the subject at their OpenID provider is behind it."""
    approval = ask()
    with site.store.writing() as connection:
        connection.execute(update(users).where(users.c.name == "alice").values(login_subject="a1"))
    with site.console.held.waiting(approval.id, HeldRequest(method="POST", path="/p", headers=(), body=b"")):
        assert (await alice.post(f"/approvals/{approval.id}/reveal")).status_code == 403


async def test_what_the_agent_did_before_is_told(site: Any, alice: Any, ask: Any) -> None:
    """Of the same session alone."""
    for session in ("s-1", "s-2"):
        site.console.decisions.add(
            ToldDecision(
                id=DecisionId(session), issuer="corp", subject="a1", session=SessionId(session), verdict=Verdict.ALLOW,
                code=Code.ALLOWED, rule=None, reason="", target=TargetName("crm"), method="GET",
                path=f"/in-{session}/<b>", time=1.0, approval=None, status=200,
            )
        )  # fmt: skip
    page = (await alice.get(f"/approvals/{ask().id}")).text
    assert "/in-s-1/&lt;b&gt;" in page
    assert "/in-s-2/" not in page


async def test_a_nul_is_no_text(site: Any, alice: Any, ask: Any) -> None:
    """Not every store could keep it; nothing is answered."""
    approval = ask()
    assert (await answer(alice, approval, "deny", "a\x00b")).status_code == 400
    assert site.desk.get(approval.id).state is ApprovalState.PENDING
