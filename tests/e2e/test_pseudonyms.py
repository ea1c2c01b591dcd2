"""Law: an agent works with values that it never sees: the token goes where a profile says, and comes back as a token.

A real gateway, real curl, a real upstream. ``/echo`` answers with what it got, and no rule masks it.
"""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatehold.demo import records
from tests.e2e.harness import STANDARD, Answer, Installation, installation, running

CRM = "https://crm.corp.example"
TOKEN = re.compile(r"<EMAIL_ADDRESS:[a-z]{32}>")
EMAIL = str(records.customers()[0]["email"])
OTHER_EMAIL = str(records.customers()[1]["email"])
PROFILE = """
apiVersion: gatehold.dev/v1
kind: MaskProfile
metadata: {name: contacts}
spec:
  extends: [pii, pci]
  entities:
    EMAIL_ADDRESS: {operator: pseudonym, reversible: true}
  restore:
    - {target: crm, methods: [POST], path: /echo, body: ["$.to", "$.copies[*]"], query: [email]}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Customers whose addresses can be put back into requests to ``/echo``; one gateway for all tests."""
    with installation(tmp_path_factory.mktemp("pseudonyms")) as made:
        made.configure()
        policy = (STANDARD / "policy.yaml").read_text().replace("profiles: [pii, pci]", "profiles: [contacts]")
        policy = policy.replace('"/events", ', "")
        made.write("policy.yaml", policy)
        made.write("contacts.yaml", PROFILE)
        with running(made):
            yield made


@pytest.fixture(scope="module")
def session(installed: Installation) -> str:
    """An agent's token."""
    return installed.token(subject="mailer")


@pytest.fixture(scope="module")
def pseudonyms(installed: Installation, session: str) -> list[str]:
    """The customers' addresses, as the agent reads them."""
    answer = installed.curl(f"{CRM}/customers", token=session)
    assert EMAIL not in answer.body.decode()
    found = [str(customer["email"]) for customer in answer.json]
    assert all(TOKEN.fullmatch(each) for each in found)
    return found


def send(installed: Installation, body: object, *, token: str, query: str = "", path: str = "/echo") -> Answer:
    data = body if isinstance(body, str) else json.dumps(body)
    url = f"{CRM}{path}{query}"
    installed.customers.received.clear()
    return installed.curl(url, "-X", "POST", "-H", "Content-Type: application/json", "-d", data, token=token)


def test_the_target_gets_the_value_and_the_agent_the_token(
    installed: Installation, session: str, pseudonyms: list[str]
) -> None:
    """In the body and in the query; the echo of both shows the token, and the rest is as it was written."""
    first, second = pseudonyms[:2]
    body = f'{{"to": "{first}",  "copies": ["{second}", "x"], "n": 12345678901234567890}}'
    answer = send(installed, body, token=session, query=f"?email=%3C{first[1:-1]}%3E&a=b")
    assert answer.status == 200, answer.body
    [received] = installed.customers.received
    assert received.body.decode() == body.replace(first, EMAIL).replace(second, OTHER_EMAIL)
    assert received.path == f"/echo?email={EMAIL.replace('@', '%40')}&a=b"
    assert answer.json["body"] == body
    assert EMAIL not in answer.body.decode()


def test_elsewhere_a_token_stays_a_token(installed: Installation, session: str, pseudonyms: list[str]) -> None:
    """At another member, as a part of a value, inside the value, at another method, at another endpoint."""
    token = pseudonyms[0]
    for body in ({"from": token}, {"to": f"{token} "}, {"to": {"to": token}}, {"a": {"to": token}}, [token]):
        assert send(installed, body, token=session).status == 200
        [received] = installed.customers.received
        assert json.loads(received.body) == body
    assert send(installed, {"to": token, "vip": False}, token=session, path="/customers").status == 201
    [received] = installed.customers.received
    assert EMAIL.encode() not in received.body


def test_every_form_of_a_value_becomes_its_token(installed: Installation, session: str, pseudonyms: list[str]) -> None:
    """Whoever echoes the value encoded shows the token as well, in every later answer to the session."""
    assert send(installed, {"to": pseudonyms[0]}, token=session).status == 200
    raw = EMAIL.encode()
    for form in (EMAIL, EMAIL.replace("@", "%40"), raw.hex(), base64.b64encode(raw).decode()):
        answer = send(installed, {"note": f"it is {form}!"}, token=session)
        assert form not in answer.body.decode()
        assert pseudonyms[0] in answer.body.decode()


def test_another_sessions_token_is_refused(installed: Installation, pseudonyms: list[str]) -> None:
    """The same agent with another session, and a session that has read the same customers, are both refused."""
    for has_read in (False, True):
        other = installed.token(subject="mailer")
        if has_read:
            own = [each.get("email") for each in installed.curl(f"{CRM}/customers", token=other).json]
            assert not set(own) & set(pseudonyms)
        answer = send(installed, {"to": pseudonyms[0]}, token=other)
        assert (answer.status, answer.json["code"]) == (403, "dlp-blocked")
        assert "another session" in answer.json["detail"]
        assert not list(installed.customers.received)
        made_up = f"<EMAIL_ADDRESS:{'b' * 32}>"
        assert send(installed, {}, token=other, query=f"?email={made_up}").json["code"] == "dlp-blocked"


def _left_behind(installed: Installation) -> Iterator[tuple[Path, bytes]]:
    for folder in ("recordings", "journal"):
        for file in (installed.data / folder).rglob("*"):
            if file.is_file():
                yield file, file.read_bytes()


def test_what_is_kept_holds_tokens_and_counts(installed: Installation, session: str, pseudonyms: list[str]) -> None:
    """Flow files and journal: the token that was sent, how many were put back, and the value nowhere."""
    answer = send(installed, {"to": pseudonyms[0]}, token=session, query=f"?email=%3C{pseudonyms[1][1:-1]}%3E")
    decision = answer.headers["gatehold-decision"]
    events = []
    for file, content in _left_behind(installed):
        assert EMAIL.encode() not in content, file
        assert OTHER_EMAIL.encode() not in content, file
        if file.suffix == ".jsonl":
            events += [json.loads(line) for line in content.splitlines() if decision.encode() in line]
    own = [event["unmapped"]["gatehold"] for event in map(_body, events)]
    assert {"intent", "outcome"} <= {each["kind"] for each in own if each.get("restored") == {"EMAIL_ADDRESS": 2}}
    assert any(pseudonyms[0].encode() in content for file, content in _left_behind(installed) if file.suffix == ".flow")


def _body(line: dict[str, object]) -> dict[str, object]:
    """The event of a journal line."""
    for value in (line, *line.values()):
        if isinstance(value, dict) and "unmapped" in value:
            return value
    raise AssertionError(f"no event in {sorted(line)}")


def test_a_stream_hides_what_was_put_back(installed: Installation, session: str, pseudonyms: list[str]) -> None:
    """Also one that no rule masks: of all its addresses the one that was put back is hidden."""
    assert send(installed, {"to": pseudonyms[0]}, token=session).status == 200
    events = installed.curl(f"{CRM}/events", "--max-time", "2", token=session)
    assert pseudonyms[0] in events.body.decode()
    assert EMAIL not in events.body.decode()
    assert str(records.customers()[5]["email"]) in events.body.decode()
