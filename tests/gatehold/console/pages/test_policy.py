"""Laws of the policy page: every rule is there, and a call is explained as ``gatehold policy explain`` does it."""

import json
import re
from typing import Any

import pytest
from typer.testing import CliRunner

from gatehold import explaining
from gatehold.agent_api.tally import ALLOWED
from gatehold.cli.policy import app as command_line
from gatehold.console.pages import policy


async def test_rules_are_shown_as_they_are_weighed(ann: Any, office: Any) -> None:
    """Walls, turnstiles, doors; where they are written, what they demand, what they decided."""
    office.site.console.decisions.tally.count(0.0, ALLOWED, "reads")
    page = (await ann.get("/policy")).text
    shown = re.findall(r'<li id="rule-([^"]*)"', page)
    assert shown[:2] == ["never", "later"]
    assert shown[2:] == sorted(shown[2:])
    assert set(shown) == set(office.site.console.engine.rules)
    for told in (
        "Not for agents.",
        "shadow",
        "mask pii",
        "approval by",
        "gateway.yaml:25",
        'href="/recordings?rule=reads">1 call<',
        "gateway.yaml:7",
    ):
        assert told in page, told
    found = (await ann.get("/policy?q=PATHS%20/report")).text
    assert re.findall(r'<li id="rule-([^"]*)"', found) == ["never"]
    assert "No rule fits" in (await ann.get("/policy?q=zzz")).text


CALLS = [
    {"target": "crm", "method": "GET", "path": "/x?y=1", "groups": "planners"},
    {"target": "crm", "method": "DELETE", "path": "/x", "subject": "a1", "headers": "X-A: 1\r\nX-B: 2"},
    {
        "target": "crm",
        "method": "POST",
        "path": "/report",
        "body": '{"a": 1}',
        "headers": "Content-Type: application/json",
    },
    {"target": "crm", "method": "GET", "path": "/a/../b%2f", "groups": "planners"},
    {"target": "elsewhere", "method": "GET", "path": "/"},
]


@pytest.mark.parametrize("call", CALLS)
async def test_it_answers_as_the_command_line(
    ann: Any, office: Any, call: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The whole answer."""
    answers: list[Any] = []
    real = explaining.Explainer.explain
    monkeypatch.setattr(policy.Explainer, "explain", lambda *a: answers.append(real(*a)) or answers[-1])
    page = await ann.post("/policy", call)
    assert page.status_code == 200
    options = ["--target", call["target"], "--method", call["method"], "--path", call["path"]]
    options += ["--subject", call["subject"]] if "subject" in call else []
    options += [word for group in call.get("groups", "").splitlines() for word in ("--group", group)]
    options += [word for header in call.get("headers", "").splitlines() for word in ("--header", header)]
    options += ["--body", "-"] if "body" in call else []
    done = CliRunner().invoke(
        command_line, ["explain", "--config", str(office.config), "--json", *options], input=call.get("body")
    )
    said = json.loads(done.stdout)
    here = json.loads(json.dumps(answers[0]))
    for answer in (said, here):
        for step in answer["trace"]:
            step["failed"] = [each for each in step["failed"] if each["selector"] != "validity"]
    assert here == said
    assert f'<span class="tag {said["verdict"]}">' in page.text
    assert said["code"] in page.text


@pytest.mark.parametrize(
    "call",
    [{"target": "crm", "path": ""}, {"target": "", "path": "/"}, {"target": "crm", "path": "/", "headers": "none"}],
)
async def test_a_call_that_is_none_is_told(ann: Any, call: dict[str, str]) -> None:
    """With what was typed kept."""
    page = await ann.post("/policy", {**call, "subject": "my-agent"})
    assert page.status_code == 422
    assert 'value="my-agent"' in page.text


async def test_a_link_fills_the_form(ann: Any) -> None:
    """And nothing is decided yet."""
    page = (await ann.get("/policy?target=crm&method=PUT&path=/%3Cscript%3E&groups=a%0Ab")).text
    assert 'value="/&lt;script&gt;"' in page
    assert "<details open>" in page
    assert 'class="answer"' not in page
    assert (await ann.post("/policy", {"target": ["crm", "crm"]})).status_code == 400
