"""Law: an agent is told who it is and what became of its own calls, and nothing of anybody else's."""

from collections.abc import Callable
from typing import Any

import pytest

from gatehold.agent_api.decisions import ToldDecision
from gatehold.agent_api.problems import HEADERS


async def test_whoami(site: Any) -> None:
    """The identity that policy sees."""
    answer = await site.ask("/v1/whoami")
    assert answer.status_code == 200
    assert answer.json() == {
        "issuer": "corp",
        "subject": "planner-1",
        "groups": ["ci", "planners"],
        "session": "s-1",
        "expiresAt": "2033-05-18T03:33:20Z",
    }
    assert (await site.ask("/v1/whoami", token="other")).json()["subject"] == "planner-2"


async def test_answers_are_kept_by_nobody_and_are_json(site: Any) -> None:
    """No cache, no sniffing, no frames, no word about the server or other origins."""
    answer = await site.ask("/v1/whoami", headers={"Authorization": "bearer planner", "Origin": "http://evil.test"})
    assert answer.headers["content-type"] == "application/json"
    assert {name: answer.headers[name] for name in HEADERS} == dict(HEADERS)
    assert set(answer.headers) == {"content-type", "content-length", *(name.lower() for name in HEADERS)}


async def test_an_own_decision(site: Any, told: Callable[..., ToldDecision]) -> None:
    """Everything that the refusal said, and what became of the call."""
    site.decisions.add(told())
    assert (await site.ask("/v1/decisions/dec_1")).json() == {
        "decision": "dec_1",
        "verdict": "deny",
        "code": "denied-by-rule",
        "rule": "nobody-reads-the-report",
        "reason": "The report is not for agents.",
        "target": "crm",
        "method": "GET",
        "path": "/report.csv",
        "time": "2027-01-15T08:00:00Z",
        "approval": None,
        "status": 403,
    }


async def test_a_decision_without_facts(site: Any, told: Callable[..., ToldDecision]) -> None:
    """What is not known is null."""
    site.decisions.add(told(rule=None, reason="", target=None, status=None))
    answer = (await site.ask("/v1/decisions/dec_1")).json()
    assert [answer[key] for key in ("rule", "reason", "target", "status")] == [None] * 4


async def test_hostile_text_stays_text(site: Any, told: Callable[..., ToldDecision]) -> None:
    """Control characters, other scripts and lone surrogates are ASCII in JSON."""
    path = "/\x1b[2J\u202e\ud800é"
    site.decisions.add(told(path=path))
    answer = await site.ask("/v1/decisions/dec_1")
    assert answer.content.isascii()
    assert b"\x1b" not in answer.content
    assert answer.json()["path"] == path


@pytest.mark.parametrize("token", ["other", "namesake"])
async def test_a_foreign_decision_is_one_that_never_was(
    site: Any, told: Callable[..., ToldDecision], token: str
) -> None:
    """Byte for byte the same answer."""
    site.decisions.add(told())
    foreign = await site.ask("/v1/decisions/dec_1", token=token)
    unknown = await site.ask("/v1/decisions/dec_2", token=token)
    assert foreign.status_code == unknown.status_code == 404
    assert foreign.content == unknown.content
    assert foreign.headers == unknown.headers
