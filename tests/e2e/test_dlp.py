"""Law: what a rule forbids to send is sent to nobody: not to the target, not to approvers, not into a file."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.harness import COMMANDS, GatewayProcess, Installation, installation

CRM = "https://crm.corp.example"
K8S = "https://kubernetes.corp.example"
EMAIL = "ada.planted@example.com"
SECRET = "ghp_" + "a1B2" * 9
JSON = ("-H", "Content-Type: application/json")
RULES = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: dlp}
rules:
  - name: no-secrets-to-customers
    effect: constrain
    http: {targets: [crm], methods: ["*"], paths: ["/customers/**"]}
    dlp: {profiles: [secrets]}
  - name: people-are-masked-in-echoes
    effect: constrain
    http: {targets: [crm], methods: ["*"], paths: ["/echo"]}
    dlp: {profiles: [pii], action: mask}
  - name: no-values-into-the-cluster
    effect: constrain
    kubernetes: {targets: [main], verbs: [create, update, patch]}
    dlp: {profiles: [kubernetes]}
  - name: planners-write-secrets
    effect: allow
    agents: {groups: [planners]}
    kubernetes: {targets: [main], namespaces: [prod], resources: [secrets], verbs: [create, patch]}
"""


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("dlp")) as made:
        made.way = request.param
        made.configure()
        made.write("dlp.yaml", RULES)
        yield made


@pytest.fixture(autouse=True)
def _fresh(installed: Installation) -> None:
    """What the upstreams received before is of no interest."""
    installed.customers.received.clear()
    installed.cluster.received.clear()


def sent(installed: Installation) -> str:
    """Everything that the upstreams received."""
    return repr([
        (each.path, each.headers, each.body)
        for each in (*installed.customers.received, *installed.cluster.received)
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("place", "path", "options"),
    [
        ("query", f"/customers/1?note={SECRET}", ()),
        ("query", f"/customers/1?note={SECRET.replace('_', '%5f')}", ()),
        ("path", f"/customers/{SECRET}", ()),
        ("header x-note", "/customers/1", ("-H", f"X-Note: {SECRET}")),
        ("body", "/customers/1", ("-X", "PATCH", *JSON, "-d", json.dumps({"note": SECRET}))),
        ("query", f"/customers/9?note={SECRET}", ("-X", "DELETE")),
    ],
)
def test_it_is_blocked_wherever_it_stands(
    gateway: GatewayProcess, installed: Installation, place: str, path: str, options: tuple[str, ...]
) -> None:
    """With what and where; before anything is sent, and before a person is asked."""
    answer = installed.curl(CRM + path, *options)
    assert (answer.status, answer.json["code"]) == (403, "dlp-blocked")
    assert f"GITHUB_TOKEN=1 in {place}" in answer.json["detail"]
    assert SECRET not in answer.body.decode() + str(answer.headers)
    assert not [*installed.customers.received]
    assert SECRET not in gateway.output
    assert SECRET not in installed.gatehold("approvals", "list", "--json").stdout


def test_what_cannot_be_searched_is_blocked(gateway: GatewayProcess, installed: Installation, tmp_path: Path) -> None:
    """A picture may hold anything; so may what is coded in a way that is not known."""
    (tmp_path / "picture").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    data = ("--data-binary", f"@{tmp_path / 'picture'}", "-X", "PATCH")
    for header in ("Content-Type: image/png", "Content-Encoding: unheard-of"):
        answer = installed.curl(f"{CRM}/customers/1", *data, "-H", header)
        assert (answer.status, answer.json["code"]) == (403, "dlp-blocked"), header
    assert not [*installed.customers.received]


def test_what_is_clean_goes_on(gateway: GatewayProcess, installed: Installation) -> None:
    """Untouched."""
    assert installed.curl(f"{CRM}/customers/1?x=%41").status == 200
    [received] = installed.customers.received
    assert received.path == "/customers/1?x=%41"


def test_the_target_gets_the_masked_request(gateway: GatewayProcess, installed: Installation, tmp_path: Path) -> None:
    """Query, header and body, also of a compressed one; the agent is told how much."""
    (tmp_path / "body").write_bytes(gzip.compress(json.dumps({"to": EMAIL, "n": 12345678901234567890}).encode()))
    coded = (*JSON, "-H", "Content-Encoding: gzip", "-H", f"X-For: {EMAIL}", "--data-binary", f"@{tmp_path / 'body'}")
    answer = installed.curl(f"{CRM}/echo?to={EMAIL.replace('@', '%40')}&x=1", "-X", "POST", *coded)
    assert answer.headers["gatehold-masked-request"] == "EMAIL_ADDRESS=3"
    [received] = installed.customers.received
    assert received.path == "/echo?to=%3CEMAIL_ADDRESS%3E&x=1"
    assert received.header("x-for") == "<EMAIL_ADDRESS>"
    assert received.header("content-encoding") is None
    assert received.body == b'{"to": "<EMAIL_ADDRESS>", "n": 12345678901234567890}'
    assert EMAIL not in sent(installed)


@pytest.mark.parametrize(
    ("call", "content_type", "content"),
    [
        ("POST ", "application/json", {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}, "stringData": {"p": "planted-value-1"}}),
        ("PATCH /db", "application/merge-patch+json", {"data": {"p": "cGxhbnRlZC12YWx1ZS0x"}}),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("gateway")
def test_no_value_is_written_into_a_secret(
    installed: Installation, call: str, content_type: str, content: object
) -> None:
    """Under the profile for clusters; kubectl prints why."""
    method, path = call.split(" ")
    options = ("-X", method, "-H", f"Content-Type: {content_type}", "-d", json.dumps(content))
    answer = installed.curl(f"{K8S}/api/v1/namespaces/prod/secrets{path}", *options)
    assert answer.status == 403
    assert answer.json["kind"] == "Status"
    assert "KUBERNETES_SECRET=" in answer.json["message"]
    assert "planted-value" not in sent(installed)
    assert "cGxhbnRlZC" not in sent(installed)


def test_nothing_of_it_is_on_disk(gateway: GatewayProcess, installed: Installation) -> None:
    """Runs last: recordings, journal and store of all of the above."""
    gateway.stop()
    files = [each for each in installed.data.rglob("*") if each.is_file() and "keys" not in each.parts]
    content = b"".join(each.read_bytes() for each in files) + gateway.output.encode()
    for planted in (EMAIL, EMAIL.replace("@", "%40"), SECRET, "planted-value-1", "cGxhbnRlZC12YWx1ZS0x"):
        assert planted.encode() not in content, planted
