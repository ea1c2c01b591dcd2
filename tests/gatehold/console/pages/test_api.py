"""Laws of the API: a person's token answers as that person would in the console; nothing else opens it."""

from typing import Any

import pytest

from gatehold.approvals.model import Channel
from gatehold.approvals.states import ApprovalState


async def test_a_program_answers(site: Any, connect: Any, ask: Any) -> None:
    """It lists, reads, repeats what it was shown; no cookie, no CSRF, no Origin."""
    approval = ask()
    client = await connect(headers={"Authorization": f"Bearer {site.token('alice')}"})
    listed = (await client.get("/api/v1/approvals?state=pending")).json()
    assert [each["id"] for each in listed["items"]] == [approval.id]
    told = (await client.get(f"/api/v1/approvals/{approval.id}")).json()
    url = f"/api/v1/approvals/{approval.id}"
    assert (await client.post(f"{url}/approve", json={"shown": "0" * 64})).status_code == 409
    assert (await client.post(f"{url}/deny", json={"shown": told["shown"]})).status_code == 422
    done = await client.post(f"{url}/approve", json={"shown": told["shown"], "reason": "ci is green"})
    assert (done.status_code, done.json()["state"]) == (200, "approved")
    [said] = site.desk.get(approval.id).answers
    assert (said.user, said.channel, said.reason) == ("alice", Channel.TOKEN, "ci is green")
    assert site.notified


async def test_nothing_else_opens_it(site: Any, connect: Any, alice: Any, ask: Any) -> None:
    """Not a browser's cookie, no token, another scheme, two tokens, one that is over."""
    approval = ask()
    token = site.token("alice")
    url = f"/api/v1/approvals/{approval.id}/approve"
    body = {"shown": "0" * 64}
    assert (await alice.client.post(url, json=body)).status_code == 401
    client = await connect()
    for value in ("", f"Basic {token}", f"Bearer {token}x", "Bearer ghu_", f"Token {token}"):
        answer = await client.post(url, json=body, headers={"Authorization": value})
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
    two = [("Authorization", f"Bearer {token}"), ("Authorization", f"Bearer {token}")]
    assert (await client.post(url, json=body, headers=two)).status_code == 401
    site.clock.now += 3601
    assert (await client.post(url, json=body, headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert site.desk.get(approval.id).state is ApprovalState.PENDING


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"shown": 1}', b'{"shown": "a", "more": 1}', b'{"shown": "a", "shown": "b"}', b"[" * 30_000, b"\xff",
     b'{"shown": "\\ud800"}', b'{"shown": "a", "reason": "\\ud800"}', b'{"shown": "a", "reason": "\\u0000"}'],
)  # fmt: skip
async def test_what_is_no_answer_is_refused(site: Any, connect: Any, ask: Any, body: bytes) -> None:
    """400, and a sentence."""
    approval = ask()
    client = await connect(headers={"Authorization": f"Bearer {site.token('alice')}"})
    answer = await client.post(f"/api/v1/approvals/{approval.id}/approve", content=body)
    assert answer.status_code == 400
    assert "shown" in answer.json()["detail"]


async def test_others_rights_are_not_had(site: Any, connect: Any, ask: Any) -> None:
    """Groups are those of the person, now; unknown ids are 404; a state that is none is 400."""
    approval = ask()
    client = await connect(headers={"Authorization": f"Bearer {site.token('carol')}"})
    shown = (await client.get(f"/api/v1/approvals/{approval.id}")).json()["shown"]
    assert (await client.post(f"/api/v1/approvals/{approval.id}/approve", json={"shown": shown})).status_code == 403
    assert (await client.get("/api/v1/approvals/apr_none")).status_code == 404
    assert (await client.get("/api/v1/approvals?state=maybe")).status_code == 400
    assert (await client.get("/api/v1/nothing")).status_code == 404
