"""Law: changed files come into force as a whole, by themselves; whatever is wrong with them, the old ones stay, loudly.

What protected and is lost stays in force until somebody says that it may go. What is open is judged by what is new.
"""

import json
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from recordings.listing import rows
from tests.e2e.harness import CRM_TOKEN, GatewayProcess, Installation, clean_environment, running
from tests.e2e.test_approvals import CRM, PATIENCE, pending, start
from tests.e2e.test_grants import grant_of, write

pytestmark = pytest.mark.timeout(300)
WALL = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: walls}
rules:
  - {name: no-orders, effect: deny, http: {targets: [crm], methods: [GET], paths: ["/orders"]}}
"""
ASKS = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: asks}
rules:
  - name: patches-ask
    effect: constrain
    http: {targets: [crm], methods: [PATCH], paths: ["/customers/{id}"]}
    approval: {groups: [sre], grant: 10m, scope: resource}
"""
FAILS = """
apiVersion: gatehold.dev/v1
kind: PolicyTest
metadata: {name: orders}
cases:
  - name: planners read orders
    agent: {subject: a, groups: [planners]}
    request: {target: crm, method: GET, path: /orders}
    expect: {verdict: allow}
"""
OPEN = """
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: open}
spec:
  family: http
  hosts: ["open.corp.example:443"]
  connect: localhost:@CUSTOMERS@
  allowPrivate: true
  tls: {ca: "@CA@"}
  credential: {header: Authorization, prefix: "Bearer ", value: "${file:key.txt}"}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: open}
rules:
  - {name: open-reads, effect: allow, http: {targets: [open], methods: [GET], paths: ["/echo", "/customers"]}}
"""
MASKED = """
---
apiVersion: gatehold.dev/v1
kind: MaskProfile
metadata: {name: names}
spec: {keys: [{match: "name", entity: NAME}]}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: open-masked}
rules:
  - {name: open-masks, effect: constrain, http: {targets: [open]}, mask: {profiles: [names]}}
"""


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    """A gateway that watches its files."""
    installed.configure(hold="20s")
    for name in ("ada", "bob"):
        installed.gatehold("users", "add", name, "--group", "sre", check=False)
    with running(installed, installed.way) as process:
        yield process


@pytest.fixture(autouse=True)
def files(gateway: GatewayProcess, installed: Installation) -> Iterator[None]:
    """The standard configuration is in force before and after each test."""
    kept = {path.name: path.read_bytes() for path in installed.config.glob("*.yaml")}
    yield
    for path in installed.config.glob("*.yaml"):
        path.unlink()
    for name, content in kept.items():
        (installed.config / name).write_bytes(content)
    again = installed.gatehold("reload", "--accept-removals", check=False)
    assert again.returncode == 0, again.stdout + gateway.output
    installed.customers.received.clear()


def eventually(what: Callable[[], object]) -> None:
    """Come true while others work."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if what():
            return
    raise AssertionError("it did not come about")


def status(installed: Installation, path: str, host: str = CRM) -> int:
    """How a read is answered."""
    return installed.curl(f"{host}{path}").status


def test_an_edit_comes_into_force_by_itself(installed: Installation, gateway: GatewayProcess) -> None:
    """And is in the log and the journal, with both revisions; the next decision is made by the new one."""
    assert status(installed, "/orders") == 200
    installed.write("walls.yaml", WALL)
    eventually(lambda: status(installed, "/orders") == 403)
    answer = installed.curl(f"{CRM}/orders")
    assert answer.headers["gatehold-rule"] == "no-orders"
    eventually(lambda: "added: rule no-orders" in gateway.output)
    moves = [line for line in _gateway_lines(installed) if line["move"] == "reload"]
    assert moves[-1]["added"] == ["rule no-orders"]
    assert moves[-1]["before"] != moves[-1]["revision"]
    told = json.loads(installed.gatehold("reload", "--json").stdout)["items"]
    assert [each["outcome"] for each in told] == ["unchanged"]


def _gateway_lines(installed: Installation) -> list[dict[str, object]]:
    lines = [
        json.loads(line) for file in sorted(installed.data.rglob("*.jsonl")) for line in file.read_text().splitlines()
    ]
    kept = [line.get("event", line).get("unmapped", {}).get("gatehold", {}) for line in lines]
    return [each for each in kept if each.get("kind") == "gateway"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("apiVersion: gatehold.dev/v1\nkind: Policy\nmetadata: {name: x\n", "cannot be used"),
        (WALL.replace("deny", "denny"), "should be deny or constrain"),
        (WALL + "---" + FAILS, "planners read orders"),
    ],
    ids=["syntax", "unknown word", "policy test"],
)
def test_what_is_wrong_changes_nothing(installed: Installation, gateway: GatewayProcess, text: str, told: str) -> None:
    """Said in the log, the journal, and to whoever asks; and over once the files are mended."""
    before = len(gateway.output)
    installed.write("walls.yaml", text)
    eventually(lambda: told in gateway.output[before:])
    assert "the old configuration stays in force" in gateway.output[before:]
    assert status(installed, "/orders") == 200
    assert _gateway_lines(installed)[-1]["move"] == "reload-failed"
    assert installed.gatehold("reload", check=False).returncode in (1, 2), "2: the command cannot use the files itself"
    if told == "planners read orders":
        assert "FAILED   reload" in installed.gatehold("doctor", check=False).stdout
    installed.write("walls.yaml", WALL)
    eventually(lambda: status(installed, "/orders") == 403)
    assert "FAILED   reload" not in installed.gatehold("doctor", check=False).stdout


def test_a_lost_wall_stays_until_somebody_lets_it_go(installed: Installation, gateway: GatewayProcess) -> None:
    """Its file lost, or cut in half; SIGHUP and asking again do not help, only the word for it does."""
    installed.write("walls.yaml", WALL + "---" + ASKS)
    eventually(lambda: status(installed, "/orders") == 403)
    installed.write("walls.yaml", ASKS)
    eventually(lambda: "the rule no-orders (deny) is gone" in gateway.output)
    (installed.config / "walls.yaml").unlink()
    eventually(lambda: "the file walls.yaml is gone, and with it Policy asks, Policy walls" in gateway.output)
    gateway.process.send_signal(signal.SIGHUP)
    eventually(lambda: "gatehold: reload (SIGHUP)" in gateway.output)
    refused = installed.gatehold("reload", check=False)
    assert refused.returncode == 1
    assert "the rule no-orders (deny) is gone" in refused.stdout
    assert status(installed, "/orders") == 403
    taken = installed.gatehold("reload", "--accept-removals")
    assert "removed: rule no-orders" in taken.stdout
    assert status(installed, "/orders") == 200


def test_a_file_that_is_cut_short_opens_nothing(installed: Installation, gateway: GatewayProcess) -> None:
    """A door keeps its condition, a wall all of its paths, though their rules are there."""
    installed.write("walls.yaml", TALL)
    eventually(lambda: status(installed, "/orders") == 403)
    installed.write("walls.yaml", TALL[: TALL.index("    when:")])
    eventually(lambda: "the rule tall-door has no when any more" in gateway.output)
    installed.write("walls.yaml", TALL[: TALL.index("        - /orders")])
    eventually(lambda: "the rule tall-wall is about fewer calls: not about paths /orders" in gateway.output)
    assert status(installed, "/orders") == 403


TALL = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: tall}
rules:
  - name: tall-wall
    effect: deny
    http:
      targets: [crm]
      paths:
        - /avatar.png
        - /orders
  - name: tall-door
    effect: allow
    http: {targets: [crm], methods: [DELETE], paths: ["/echo"]}
    when: agent.subject == "a"
"""


def test_a_slow_request_keeps_nothing_in_force(installed: Installation, gateway: GatewayProcess) -> None:
    """What an agent began to send before a wall came is judged once it is whole: nobody had decided about it yet."""
    body = b'{"name": "Kit", "vip": false}'
    head = (
        f"POST /customers HTTP/1.1\r\nHost: crm-gateway.internal\r\nAuthorization: Bearer {installed.token()}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    ).encode()
    trusted = ssl.create_default_context(cafile=installed.ca)
    with (
        socket.create_connection(("127.0.0.1", installed.reverse_port)) as raw,
        trusted.wrap_socket(raw, server_hostname="crm-gateway.internal") as connection,
    ):
        connection.sendall(head + body[:4])
        installed.write("walls.yaml", WALL.replace("[GET]", "[POST]").replace('"/orders"', '"/customers"'))
        eventually(lambda: "added: rule no-orders" in gateway.output.rpartition("reload (changed files)")[2])
        connection.sendall(body[4:])
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 403")
    assert b"no-orders" in answer
    assert not [each for each in installed.customers.received if each.method == "POST"]


def test_a_renamed_file_loses_nothing(installed: Installation, gateway: GatewayProcess) -> None:
    """Nor does a rule that moves to another file."""
    installed.write("walls.yaml", WALL)
    eventually(lambda: status(installed, "/orders") == 403)
    (installed.config / "walls.yaml").rename(installed.config / "other.yaml")
    assert installed.gatehold("reload").returncode == 0
    assert status(installed, "/orders") == 403


def test_a_directory_of_links_is_swapped_in_one_go(installed: Installation, gateway: GatewayProcess) -> None:
    """As a ConfigMap is mounted: every file leads through ``..data``, which leads to another directory at once."""
    links = installed.config
    for name, text in (("..one", WALL), ("..two", WALL.replace('"/orders"', '"/customers/2", "/orders"'))):
        (links / name).mkdir()
        (links / name / "walls.yaml").write_text(text)
    (links / "..data").symlink_to("..one")
    (links / "walls.yaml").symlink_to("..data/walls.yaml")
    eventually(lambda: status(installed, "/orders") == 403)
    (links / "..new").symlink_to("..two")
    (links / "..new").replace(links / "..data")
    eventually(lambda: status(installed, "/customers/2") == 403)
    assert status(installed, "/orders") == 403


def test_what_takes_a_restart_comes_with_nothing_else(installed: Installation, gateway: GatewayProcess) -> None:
    """A changed port and a new wall in one go: neither, and both are named."""
    text = (installed.config / "gateway.yaml").read_text()
    installed.write("gateway.yaml", text.replace('allow: ["*"]', "allow: [nobody]"))
    installed.write("walls.yaml", WALL)
    eventually(lambda: "a restart is needed for; identity" in gateway.output)
    assert status(installed, "/orders") == 200


def test_targets_credentials_and_masks_come_and_go(installed: Installation, gateway: GatewayProcess) -> None:
    """A new target with its credential; then a mask; then another credential; then none of it."""
    host = "https://open.corp.example"
    (installed.config / "key.txt").write_text("first-planted-key-77")
    (installed.config / "key2.txt").write_text(CRM_TOKEN)
    assert status(installed, "/echo", host) == 403
    installed.write("open.yaml", OPEN)
    assert "added: target open" in installed.gatehold("reload").stdout + gateway.output
    assert status(installed, "/echo", host) == 401, "by the API, which does not know this key"
    installed.write("open.yaml", OPEN.replace("key.txt", "key2.txt") + MASKED)
    assert installed.gatehold("reload").returncode == 0
    answer = installed.curl(f"{host}/customers")
    assert (answer.status, "NAME" in answer.headers["gatehold-masked"]) == (200, True)
    (installed.config / "open.yaml").unlink()
    assert installed.gatehold("reload", "--accept-removals").returncode == 0
    assert status(installed, "/echo", host) == 403
    for file in installed.data.rglob("*"):
        if file.is_file():
            assert b"planted-key" not in file.read_bytes(), file


def test_an_open_watch_ends_when_its_rule_goes(installed: Installation, gateway: GatewayProcess) -> None:
    """One that is still allowed goes on."""
    with _watch(installed, "configmaps") as cut, _watch(installed, "deployments") as other:
        for each in (cut, other):
            assert each.stdout
            assert each.stdout.readline()
        installed.write("closed.yaml", WATCHES)
        cut.wait(PATIENCE)
        assert installed.gatehold("reload").returncode == 0
        assert other.poll() is None
        other.kill()
    cuts = [row for row in rows(installed.data) if row.kind == "governance" and "policy does not allow" in row.message]
    assert len(cuts) == 1


WATCHES = """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: no-watches}
rules:
  - {name: no-configmaps, effect: deny, kubernetes: {targets: [main], apiGroups: [""], resources: [configmaps], verbs: [watch, list, get]}}
"""


def _watch(installed: Installation, kind: str) -> "subprocess.Popen[bytes]":
    group = "/apis/apps/v1" if kind == "deployments" else "/api/v1"
    url = f"https://kubernetes.corp.example{group}/namespaces/prod/{kind}?watch=true"
    command = ["curl", "-sSN", "--cacert", str(installed.ca), "--proxy",
               f"http://agent:{installed.token()}@127.0.0.1:{installed.proxy_port}", url]  # fmt: skip
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=clean_environment())


def test_a_held_call_is_judged_by_what_is_new(installed: Installation, gateway: GatewayProcess) -> None:
    """It waits on; a yes lets it through only if it is allowed by then."""
    future, thread = start(installed, "/customers/3", installed.token(subject="deleter"))
    approval = pending(installed, "/customers/3")
    installed.write("walls.yaml", WALL.replace("[GET]", "[DELETE]").replace('"/orders"', '"/customers/*"'))
    assert installed.gatehold("reload").returncode == 0
    installed.gatehold("approvals", "approve", approval["id"], "--as", "ada")
    thread.join(PATIENCE)
    answer = future.result(1)
    assert (answer.status, answer.headers["gatehold-rule"]) == (403, "no-orders")
    assert not [each for each in installed.customers.received if each.method == "DELETE"]


def test_grants_end_with_the_rule_that_asked(installed: Installation, gateway: GatewayProcess) -> None:
    """Those of other rules go on."""
    installed.write("asks.yaml", ASKS)
    others = ASKS.replace("name: asks", "name: others").replace("patches-ask", "puts-ask").replace("PATCH", "PUT")
    installed.write("others.yaml", others)
    assert installed.gatehold("reload").returncode == 0
    token, body = installed.token(subject="patcher"), {"phone": "+49 30 1234567"}
    grants = [_granted(installed, method, token, body) for method in ("PATCH", "PUT")]
    installed.write("asks.yaml", ASKS.replace("{id}", "*"))
    assert installed.gatehold("reload").returncode == 0
    listed = installed.gatehold("grants", "list").stdout
    assert grants[0] not in listed
    assert grants[1] in listed


def _granted(installed: Installation, method: str, token: str, body: object) -> str:
    """The grant that a call leaves which somebody approves while it is held."""
    caller = threading.Thread(target=write, args=(installed, method, "/customers/2", token, body))
    caller.start()
    approval: str = pending(installed, "/customers/2")["id"]
    installed.gatehold("approvals", "approve", approval, "--as", "ada")
    caller.join(PATIENCE)
    assert write(installed, method, "/customers/2", token, body).status == 405, "by the API, not the gateway"
    return grant_of(installed, approval)
