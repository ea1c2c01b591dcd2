"""Laws of the sessions' page: it shows who is at work, and those who decide can end one session, of one agent."""

import re
from typing import Any

import pytest

from gatehold.sessions import rows
from gatehold.sessions.presenting import state_of
from gatehold.store.revocations import in_force
from tests.gatehold.console.conftest import HOSTILE, a_call


async def test_sessions_are_shown(ann: Any, at_work: Any, office: Any) -> None:
    """With everything that is known; a call that waits leads to the inbox, a session to its timeline."""
    at_work()
    at_work(subject="over", token_expires=999_995.0)
    office.site.desk.open_or_join(a_call("one", session="s-1"))
    page = (await ann.get("/sessions")).text
    for told in ("a1", "corp", "planners", "7</span> calls", "2 denied", "1 held", "active", "1 waits for a yes", "at most 8h", "idle up to 30m",
                 "/recordings/session?session=s-1&amp;agent=a1", "29m 50s"):  # fmt: skip
        assert told in page, told
    assert "over" not in re.findall(r"<strong>([^<]*)</strong>", page)
    assert "over" in re.findall(r"<strong>([^<]*)</strong>", (await ann.get("/sessions?all=1")).text)
    part = (await ann.get("/sessions", **{"HX-Request": "true"})).text
    assert part.startswith('<div class="card" id="sessions"')


async def kill(browser: Any, session: Any, **fields: Any) -> Any:
    """As the page does it."""
    return await browser.post(f"/sessions/{rows.row_id(session.key)}/kill", fields)


async def test_a_session_is_ended(ann: Any, at_work: Any, office: Any) -> None:
    """After a question; who did it and why is in the audit trail, and others of that name go on."""
    session, other = at_work(), at_work(subject="a2")
    page = (await ann.get(f"/sessions/{rows.row_id(session.key)}/kill")).text
    assert "End this session?" in page
    assert "a1" in page
    done = await kill(ann, session, reason="it ran away")
    assert (done.status_code, done.headers["location"]) == (303, "/sessions")
    assert office.site.notified
    now = office.site.clock.now
    with office.site.store.reading() as connection:
        revoked = in_force(connection, now=now)
        states = {
            each.subject: state_of(each, revoked, now=now)
            for each in rows.listing(connection, now=now, everything=True)
        }
    assert states == {"a1": "ended", "a2": "active"}
    assert [(each.value, each.issuer, each.issued_before) for each in revoked] == [("a1", "corp", now + 60)]
    [event] = [event for event in office.site.events() if event.get("action") == "end"]
    assert (event["by"], event["reason"], event["subject"]) == ("user:alice", "it ran away", "a1")
    assert (await kill(ann, session)).status_code == 409
    assert "It is over" in (await ann.get(f"/sessions/{rows.row_id(session.key)}/kill")).text
    assert (await ann.get(f"/sessions/{rows.row_id(other.key)}/kill")).status_code == 200


@pytest.mark.parametrize(("user", "status"), [("alice", 303), ("carol", 303), ("bob", 303), ("eve", 403)])
async def test_only_those_who_decide_may(office: Any, at_work: Any, user: str, status: int) -> None:
    """Who is in a group that a rule asks, or that may break the glass; the others see no button."""
    session, browser = at_work(), office.browser(user)
    page = (await browser.get("/sessions")).text
    assert ("/kill" in page) is (status == 303)
    assert (await browser.get(f"/sessions/{rows.row_id(session.key)}/kill")).status_code == (
        200 if status == 303 else 403
    )
    assert (await kill(browser, session)).status_code == status
    assert bool([event for event in office.site.events() if event.get("action") == "end"]) is (status == 303)


async def test_what_is_no_session_or_no_form_is_refused(ann: Any, at_work: Any, office: Any) -> None:
    """Nothing ends."""
    session = at_work()
    assert (await ann.post("/sessions/none/kill")).status_code == 404
    assert (await ann.get("/sessions/none/kill")).status_code == 404
    assert (await kill(ann, session, reason=["a", "b"])).status_code == 400
    assert (await kill(ann, session, reason="x" * 3000)).status_code == 422
    assert (await kill(ann, session, csrf="other")).status_code == 403
    assert not [event for event in office.site.events() if event.get("action") == "end"]


async def test_hostile_names_are_texts(ann: Any, at_work: Any) -> None:
    """On the list and in the question."""
    session = at_work(subject=HOSTILE, issuer=HOSTILE, session=HOSTILE, groups=(HOSTILE,))
    for path in ("/sessions", f"/sessions/{rows.row_id(session.key)}/kill"):
        page = (await ann.get(path)).text
        assert "&lt;U+202E&gt;" in page
        assert not re.search(r"<img|<script>alert|</textarea><script|\u202e|\x1b", page)
