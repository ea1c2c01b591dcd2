"""Law: what a real provider gave is exchanged for a token that makes calls, once and for its own agent only."""

import base64
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gatehold.identity.exchange.requests import SAML_BEARER, TOKEN_EXCHANGE
from recordings.listing import rows
from tests.e2e.harness import STANDARD, Installation, installation, running
from tests.e2e.token_providers import MachineProvider, SamlProvider, machine_provider, saml_provider

CRM = "https://crm.corp.example"
JWT = "urn:ietf:params:oauth:token-type:jwt"
SAML2 = "urn:ietf:params:oauth:token-type:saml2"
PATIENCE = 60.0
WHERE = {
    "issuer": "https://idp.test/saml",
    "audience": "urn:gatehold",
    "recipient": "https://gateway.test/oauth/token",
    "lifetimeInSeconds": 600,
    "sessionIndex": "_s1",
}
IDENTITY = """
      - name: machines
        issuer: @ISSUER@
        audience: gatehold
        jwks: {discovery: true}
        algorithms: [RS256]
        groups: {allow: [planners]}
    saml:
      - name: staff
        entityId: https://idp.test/saml
        certificate: @CERTIFICATE@
        audience: urn:gatehold
        recipient: https://gateway.test/oauth/token
        groups: [planners]
"""


class Site:
    """A gateway between real providers and an upstream."""

    def __init__(self, installed: Installation, machines: MachineProvider, saml: SamlProvider) -> None:
        self.installed, self.machines, self.saml = installed, machines, saml

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.installed.agent_api_port}"

    def exchange(self, **form: str) -> httpx2.Response:
        """What the token endpoint says."""
        return httpx2.post(f"{self.api}/oauth/token", data=form, trust_env=False, timeout=30)

    def token(self, kind: str, text: str) -> str:
        """The token that one is exchanged for."""
        answer = self.exchange(grant_type=TOKEN_EXCHANGE, subject_token=text, subject_token_type=kind)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def whoami(self, token: str) -> httpx2.Response:
        """Who the gateway takes it for."""
        headers = {"Authorization": f"Bearer {token}"}
        return httpx2.get(f"{self.api}/v1/whoami", headers=headers, trust_env=False, timeout=30)

    def until(self, token: str, status: int) -> None:
        """Ask until a token counts, or does not any more."""
        deadline = time.monotonic() + PATIENCE
        while self.whoami(token).status_code != status:
            assert time.monotonic() < deadline, "nothing changed"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """All of it, running."""
    directory: Path = tmp_path_factory.mktemp("exchange")
    with ExitStack() as stack:
        machines = stack.enter_context(machine_provider())
        saml = stack.enter_context(saml_provider(directory / "saml"))
        installed = stack.enter_context(installation(directory))
        more = IDENTITY.replace("@ISSUER@", machines.issuer).replace("@CERTIFICATE@", str(saml.certificate))
        text = (STANDARD / "gateway.yaml").read_text()
        known = 'groups: {allow: ["*"]}\n'
        assert known in text
        installed.write("gateway.yaml", text.replace(known, f"groups: {{allow: [planners]}}{more}"))
        installed.write("policy.yaml", (STANDARD / "policy.yaml").read_text())
        stack.enter_context(running(installed))
        yield Site(installed, machines, saml)


def test_a_token_of_a_program(site: Site) -> None:
    """Client credentials at a real provider; the exchanged token is its agent, with its session, and makes calls."""
    source = site.machines.token()
    token = site.token(JWT, source)
    before, after = site.whoami(source).json(), site.whoami(token).json()
    assert after["subject"] == "planner"
    assert {key: before[key] for key in before if key != "expiresAt"} == {
        key: after[key] for key in after if key != "expiresAt"
    }
    assert after["expiresAt"] <= before["expiresAt"]
    assert site.installed.curl(f"{CRM}/customers/1", token=token).status == 200


def test_no_token_of_the_gateway_is_exchanged_again(site: Site) -> None:
    """So no chain of them outlives its source; nor is an API key exchanged."""
    token = site.token(JWT, site.machines.token())
    key = site.installed.gatehold("keys", "create", "--subject", "ci", "--group", "planners").stdout.strip()
    for text in (token, key):
        answer = site.exchange(grant_type=TOKEN_EXCHANGE, subject_token=text, subject_token_type=JWT)
        assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


def test_a_changed_key_is_picked_up(site: Site) -> None:
    """Tokens by the provider's new key count; those by the old one, which it publishes no more, do not."""
    old = site.machines.token()
    site.until(old, 200)
    site.machines.change_key()
    new = site.machines.token()
    site.until(new, 200)
    assert site.whoami(old).status_code == 401
    assert site.installed.curl(f"{CRM}/customers/1", token=site.token(JWT, new)).status == 200


@pytest.mark.parametrize("way", ["bearer", "exchange"])
def test_an_assertion(site: Site, way: str) -> None:
    """Of a real provider, by either grant: calls are made with what it is exchanged for, and it counts once."""
    subject = f"ada-{way}"
    assertion = site.saml.assertion(subject, **WHERE)
    form = {"grant_type": SAML_BEARER, "assertion": assertion}
    if way == "exchange":
        form = {"grant_type": TOKEN_EXCHANGE, "subject_token": assertion, "subject_token_type": SAML2}
    answer = site.exchange(**form)
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    told = site.whoami(token).json()
    assert (told["issuer"], told["subject"], told["groups"]) == ("staff", subject, ["planners"])
    assert site.installed.curl(f"{CRM}/customers/1", token=token).status == 200
    again = site.exchange(**form)
    assert (again.status_code, again.json()["error"]) == (
        400,
        "invalid_grant" if way == "bearer" else "invalid_request",
    )


def hostile(site: Site) -> dict[str, str]:
    """Assertions of the real provider that are not for this gateway, or not good."""
    whole = site.saml.response("eve", **WHERE)
    return {
        "audience": site.saml.assertion("eve", **WHERE | {"audience": "urn:other"}),
        "recipient": site.saml.assertion("eve", **WHERE | {"recipient": "https://other.example"}),
        "issuer": site.saml.assertion("eve", **WHERE | {"issuer": "https://other.example"}),
        "unsigned": site.saml.assertion("eve", **WHERE, signAssertion=False, signResponse=True),
        "weak": site.saml.assertion("eve", **WHERE, signatureAlgorithm="rsa-sha1", digestAlgorithm="sha1"),
        "an answer": site.saml.assertion("eve", **WHERE, inResponseTo="_q1"),
        "a response": base64.urlsafe_b64encode(whole).decode().rstrip("="),
        "changed": base64.urlsafe_b64encode(
            base64.urlsafe_b64decode(site.saml.assertion("eve", **WHERE) + "==").replace(b">eve<", b">ada<")
        ).decode(),
    }


def test_assertions_that_are_not_for_this_gateway(site: Site) -> None:
    """Each refused in the same words, and counted in the journal by its reason."""
    for name, assertion in hostile(site).items():
        answer = site.exchange(grant_type=SAML_BEARER, assertion=assertion)
        assert answer.json() == {"error": "invalid_grant", "error_description": "The assertion was not accepted"}, name
    told = {str(each["status_detail"]) for each in events(site, "authentication") if "status_detail" in each}
    assert {
        "exchange: assertion-wrong-audience",
        "exchange: assertion-unsigned",
        "exchange: assertion-algorithm",
    } <= told


def events(site: Site, kind: str) -> list[dict[str, Any]]:
    """What the journal says of one kind."""
    return [dict(row.raw["event"]) for row in rows(site.installed.data) if row.kind == kind]


def test_nothing_secret_is_kept(site: Site) -> None:
    """Neither subject tokens nor what they were exchanged for are in the data directory."""
    source = site.machines.token()
    token = site.token(JWT, source)
    assertion = site.saml.assertion("grace", **WHERE)
    own = site.exchange(grant_type=SAML_BEARER, assertion=assertion).json()["access_token"]
    assert site.installed.curl(f"{CRM}/customers/1", token=own).status == 200
    done = [each for each in events(site, "authentication") if each.get("activity_id") == 4]
    assert {"grace", "planner"} <= {each["user"]["uid"] for each in done}
    tails = [text.rpartition(".")[2].encode() for text in (source, token, own)] + [assertion[100:200].encode()]
    for file in site.installed.data.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert not [tail for tail in tails if tail in content], file


def test_the_metadata(site: Site) -> None:
    """Where to ask, and for what."""
    told = httpx2.get(f"{site.api}/.well-known/oauth-authorization-server", trust_env=False, timeout=30).json()
    assert told["token_endpoint"] == f"{site.api}/oauth/token"
    assert told["grant_types_supported"] == [TOKEN_EXCHANGE, SAML_BEARER]
