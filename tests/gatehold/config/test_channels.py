"""Law: a channel is of one kind, goes to an address that is safe to tell, and names its secrets instead of having them."""

from typing import Any

import pytest
from pydantic import ValidationError

from gatehold.channels.filtering import concerns
from gatehold.config.channels import NotifyForSpec, NotifySpec
from gatehold.config.secrecy import misplaced_references
from gatehold.config.source import read_documents

HOOK = {"url": "https://hooks.example/T0/secret-part", "secret": "${env:HOOK}"}
CHAT = {"botToken": "${env:BOT}", "appToken": "${file:app.token}", "channel": "C1"}


def a_problem(document: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as problem:
        NotifySpec.model_validate(document)
    return str(problem.value)


@pytest.mark.parametrize(
    "document",
    [
        {"webhook": HOOK},
        {"webhook": HOOK | {"url": "http://127.0.0.1:9000/", "allowPrivate": True, "ca": "ca.pem"}},
        {"slack": CHAT},
        {"slack": {"botToken": "${env:BOT}", "signingSecret": "${env:S}", "channel": "C1"}},
        {"slack": CHAT, "for": {"targets": ["prod-*"], "groups": ["sre"]}},
    ],
)
def test_what_may_be_said(document: dict[str, Any]) -> None:
    spec = NotifySpec.model_validate({"name": "ops", **document})
    assert spec.secrets


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, "one of `webhook` and `slack`"),
        ({"webhook": HOOK, "slack": CHAT}, "one of `webhook` and `slack`"),
        ({"webhook": HOOK | {"url": "http://hooks.example/"}}, "https address"),
        ({"webhook": HOOK | {"url": "https://me@hooks.example/"}}, "https address"),
        ({"webhook": HOOK | {"url": "ftp://hooks.example/"}}, "https address"),
        ({"webhook": HOOK | {"secret": "whsec_literal"}}, "name where it is kept"),
        ({"slack": CHAT | {"botToken": "xoxb-literal"}}, "name where it is kept"),
        ({"slack": CHAT | {"signingSecret": "${env:S}"}}, "answers come in one way"),
        ({"slack": {"botToken": "${env:BOT}", "channel": "C1"}}, "answers come in one way"),
        ({"slack": CHAT | {"apiUrl": "http://slack.example/"}}, "https address"),
        ({"webhook": HOOK, "for": {}}, "leave `for` out"),
        ({"webhook": HOOK, "name": "no/name"}, "is not a name"),
    ],
)
def test_what_may_not(document: dict[str, Any], words: str) -> None:
    """The message says what to write, and repeats no secret."""
    problem = a_problem({"name": "ops", **document})
    assert words in problem
    assert "literal" not in problem
    assert "secret-part" not in problem


def test_addresses_are_not_shown() -> None:
    """They often hold a secret."""
    assert "secret-part" not in repr(NotifySpec.model_validate({"name": "ops", "webhook": HOOK}))


def test_references_are_understood_there_and_nowhere_else() -> None:
    """In the secrets of a channel; in its address they would be taken as they are written."""
    text = """apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: g}
spec:
  notify:
    - name: ops
      webhook: {url: "https://hooks.example/${env:X}", secret: "${env:HOOK}"}
    - name: chat
      slack: {botToken: "${env:BOT}", appToken: "${env:APP}", channel: "${env:C}"}
    - name: other
      slack: {botToken: "${env:BOT}", signingSecret: "${env:S}", channel: C1}
"""
    [document], problems = read_documents("g.yaml", text.encode())
    assert problems == []
    assert [problem.line for problem in misplaced_references(document)] == [7, 9]


@pytest.mark.parametrize(
    ("only", "target", "groups", "told"),
    [
        (None, "crm", ["sre"], True),
        ({"targets": ["c*"]}, "crm", [], True),
        ({"targets": ["prod"]}, "crm", ["sre"], False),
        ({"groups": ["s*"]}, "crm", ["dba", "sre"], True),
        ({"groups": ["dba"]}, "crm", ["sre"], False),
        ({"targets": ["crm"], "groups": ["dba"]}, "crm", ["sre"], False),
    ],
)
def test_whom_it_concerns(only: dict[str, Any] | None, target: str, groups: list[str], told: bool) -> None:
    spec = None if only is None else NotifyForSpec.model_validate(only)
    assert concerns(spec, target, groups) is told
