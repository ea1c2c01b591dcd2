"""Laws of the guard: a request counts only if a person made it here, in this browser, on purpose; headers on everything."""

import asyncio
from typing import Any

import pytest

from gatehold.console.guarding import HEADERS, MOST_BODY
from gatehold.store import outbox
from tests.gatehold.console.conftest import URL

FORM = "application/x-www-form-urlencoded"


def said(site: Any) -> list[Any]:
    return [each for each in site.desk.listing() if each.answers]


@pytest.mark.parametrize(
    "path", ["/", "/login", "/nowhere", "/static/console.css", "/healthz", "/api/v1/approvals", "/approvals/apr_x"]
)
async def test_every_answer_has_the_headers(connect: Any, path: str) -> None:
    """Pages, errors, files, redirects; nothing but files is kept by anybody."""
    answer = await (await connect()).get(path)
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert answer.headers["cache-control"] == "no-store" or path.startswith("/static/")
    assert "'unsafe" not in answer.headers["content-security-policy"]
    assert "strict-transport-security" not in answer.headers


@pytest.mark.parametrize("host", ["evil.test", "127.0.0.1:9999", "127.0.0.1", "localhost:8081.evil.test", ""])
async def test_another_name_gets_nothing(connect: Any, alice: Any, host: str) -> None:
    """A foreign name that leads here is DNS rebinding; with or without a session."""
    for client in (await connect(), alice.client):
        answer = await client.get("/", headers={"Host": host})
        assert answer.status_code == 421
        assert "Inbox" not in answer.text


@pytest.mark.parametrize("host", ["127.0.0.1:8081", "LOCALHOST:8081", "[::1]:8081"])
async def test_its_own_names_are_known(alice: Any, host: str) -> None:
    """As a browser on this machine writes them."""
    assert (await alice.get("/", Host=host)).status_code == 200


async def test_a_page_leads_to_the_sign_in(connect: Any) -> None:
    """And back to where one wanted to go; parts and streams say 401 instead."""
    client = await connect()
    answer = await client.get("/grants?a=1&b=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/grants%3Fa%3D1%26b%3D2")
    assert (await client.get("/")).headers["location"] == "/login"
    assert (await client.get("/", headers={"HX-Request": "true"})).status_code == 401
    assert (await client.get("/live", headers={"Accept": "text/event-stream"})).status_code == 401
    assert (await client.post("/approvals/x", headers={"Origin": URL})).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": URL}, 303),
        ({"Origin": "http://localhost:8081"}, 303),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "https://127.0.0.1:8081"}, 403),
        ({"Origin": "http://127.0.0.1:8081.evil.test"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Origin": "http://evil.test", "Sec-Fetch-Site": "same-origin"}, 403),
    ],
)
async def test_only_our_own_pages_change_something(
    site: Any, alice: Any, ask: Any, headers: dict[str, str], status: int
) -> None:
    """The CSRF token and the cookie are right in all cases."""
    from gatehold.approvals.showing import digest

    approval = ask()
    data = {"csrf": alice.csrf, "verb": "approve", "id": approval.id, "shown": digest([approval])}
    answer = await alice.client.post(f"/approvals/{approval.id}", data=data, headers=headers)
    assert answer.status_code == status
    assert bool(said(site)) is (status == 303)


async def test_the_token_of_another_session_is_none(site: Any, alice: Any, sign_in: Any, ask: Any) -> None:
    """Neither another person's, nor an older one of one's own, nor none, nor two."""
    approval, bob, again = ask(), await sign_in("bob"), await sign_in("alice")
    for csrf in (bob.csrf, again.csrf, "", "é", alice.csrf[:-1]):
        answer = await alice.post(f"/approvals/{approval.id}", {"csrf": csrf, "verb": "approve", "id": approval.id})
        assert answer.status_code == 403
    answer = await alice.post(f"/approvals/{approval.id}", {"csrf": [alice.csrf, alice.csrf], "verb": "approve"})
    assert answer.status_code == 403
    assert not said(site)


async def test_a_forgery_is_told(site: Any, alice: Any, ask: Any) -> None:
    """The audit trail has whose session it was, and what was wrong."""
    approval = ask()
    answer = await alice.post(f"/approvals/{approval.id}", {"csrf": "stale", "verb": "approve", "id": approval.id})
    assert answer.status_code == 403
    found = [row.event for row in outbox.take(site.console.store, now=site.console.clock())]
    (event,) = [each for each in found if each["kind"] == "form-refused"]
    assert (event["by"], event["objection"], event["count"]) == ("user:alice", "csrf", 1)


async def test_the_token_may_be_in_a_header(alice: Any) -> None:
    """For requests of scripts."""
    answer = await alice.client.post("/grants/gr_x/revoke", headers={"Origin": URL, "X-CSRF-Token": alice.csrf})
    assert answer.status_code == 404


async def test_a_session_that_is_over_opens_nothing(site: Any, alice: Any) -> None:
    """Closed, or too old."""
    assert (await alice.get("/")).status_code == 200
    site.clock.now += 13 * 3600
    assert (await alice.get("/")).status_code == 303


@pytest.mark.parametrize(
    "cookies", ["gatehold=a; gatehold={0}", "gatehold={0}x", "GATEHOLD={0}", "gatehold=", "gatehold"]
)
async def test_a_cookie_that_is_not_the_one_is_none(alice: Any, connect: Any, cookies: str) -> None:
    """Two of the same name are none either: another host of the domain may have set one."""
    client = await connect()
    answer = await client.get("/", headers={"Cookie": cookies.format(alice.cookie)})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"x" * (MOST_BODY + 1), FORM, 413),
        (b"csrf=1", "application/json", 415),
        (b"csrf=1", "multipart/form-data; boundary=x", 415),
        (b"csrf=%ff", FORM, 400),
        (b"csrf", FORM, 400),
        (b"csrf=\xff", FORM, 400),
    ],
)
async def test_what_is_no_small_form_is_refused(alice: Any, content: bytes, kind: str, status: int) -> None:
    """Before anything else is looked at, in the same look."""
    headers = {"Origin": URL, "Content-Type": kind}
    answer = await alice.client.post("/grants/x/revoke", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"])
async def test_other_methods_are_refused(alice: Any, method: str) -> None:
    """There is nothing that answers them."""
    assert (await alice.client.request(method, "/")).status_code == 405


async def test_a_failure_tells_nothing(site: Any, alice: Any, monkeypatch: Any, caplog: Any) -> None:
    """Neither to the browser nor to the log."""

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("gatehold.console.pulse.Pulse.read", broken)
    answer = await alice.get("/")
    assert answer.status_code == 500
    assert "secret" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text


async def test_only_http_is_spoken(site: Any) -> None:
    """A WebSocket has no guard, so there is none."""
    with pytest.raises(RuntimeError, match="http only"):
        await site.app({"type": "websocket"}, asyncio.Queue().get, asyncio.Queue().put)


async def test_an_agents_token_opens_nothing(connect: Any) -> None:
    """It is not even looked at."""
    client = await connect()
    headers = {"Authorization": "Bearer eyJhbGciOiJFZERTQSJ9.e30.c2ln"}
    assert (await client.get("/", headers=headers)).status_code == 303
    assert (await client.get("/api/v1/approvals", headers=headers)).status_code == 401


async def test_a_form_that_does_not_come_is_not_waited_for(alice: Any, monkeypatch: Any) -> None:
    """Connections are few."""
    monkeypatch.setattr("gatehold.console.guarding.BODY_SECONDS", 0.01)

    async def slow() -> Any:
        yield b"csrf="
        await asyncio.Event().wait()

    headers = {"Origin": URL, "Content-Type": FORM}
    answer = await alice.client.post("/grants/x/revoke", content=slow(), headers=headers)
    assert answer.status_code == 408
    assert answer.headers["connection"] == "close"
