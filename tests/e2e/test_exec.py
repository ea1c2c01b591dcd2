"""Law: whoever gets into a container is let in by a rule, is seen, is recorded, and sees nothing that a mask hides.

Real kubectl with and without a terminal, and a WebSocket client that says what kubectl would not.
"""

import json
import os
import pty
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, Event, ResponseReceived
from wsproto import events as frames

from recordings.listing import Row, rows
from tests.e2e.clusters import one_cluster
from tests.e2e.harness import (
    COMMANDS,
    GatewayProcess,
    Installation,
    installation,
    kubectl_with_shells,
    require,
)
from tests.e2e.test_approvals import pending
from tests.e2e.test_kubernetes import Kubectl
from tests.e2e.web_socket_client import V5, Client, request

GATEWAY = one_cluster(
    """
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: shells}
rules:
  - name: everybody-reads-pods
    effect: allow
    kubernetes: {targets: [main], namespaces: ["*"], apiGroups: [""], resources: [pods, pods/log], verbs: [get, list, watch]}
  - name: planners-open-shells
    effect: allow
    agents: {groups: [planners, askers]}
    kubernetes: {targets: [main], namespaces: ["*"], apiGroups: [""], resources: [pods/exec, pods/attach], verbs: [get, create]}
  - name: forwarders-forward
    effect: allow
    agents: {groups: [forwarders]}
    kubernetes: {targets: [main], namespaces: [prod], apiGroups: [""], resources: [pods/portforward], verbs: [get, create]}
  - name: readers-stay-outside
    effect: deny
    agents: {groups: [readers]}
    kubernetes: {targets: [main], verbs: ["*"], resources: [pods/exec, pods/attach, pods/portforward, pods/proxy, services/proxy, nodes/proxy, pods/ephemeralcontainers]}
    reason: Interactive access to pods is off for readers.
  - name: askers-ask
    effect: constrain
    agents: {groups: [askers]}
    kubernetes: {targets: [main], namespaces: ["*"], apiGroups: [""], resources: [pods/exec], verbs: [get, create]}
    approval: {groups: [sre], message: "'exec in ' + k8s.name"}
  - name: prod-is-masked
    effect: constrain
    kubernetes: {targets: [main], namespaces: [prod], apiGroups: [""], resources: [pods/exec, pods/attach], verbs: [get, create]}
    mask: {profiles: [pci, pii]}
""",
    hold="30s",
)
CARD = "4111 1111 1111 1111"
FORBIDDEN = "Interactive access to pods is off for readers."


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A cluster, and who may open shells in it."""
    with installation(tmp_path_factory.mktemp("exec")) as made:
        made.way = request.param
        made.write("all.yaml", GATEWAY)
        yield made


@pytest.fixture(params=("reverse", "proxy"))
def kubectl(request: pytest.FixtureRequest, gateway: GatewayProcess, installed: Installation) -> Kubectl:
    """kubectl with an agent that may open shells."""
    return Kubectl(installed, request.param, kubectl_with_shells(), installed.token())


def pod(installed: Installation, namespace: str) -> str:
    """Some pod."""
    from gatehold.demo.kubernetes.resources import PODS

    return str(installed.cluster.store.items(PODS, namespace)[0]["metadata"]["name"])


def path(installed: Installation, namespace: str, *argv: str, subresource: str = "exec", **options: str) -> str:
    """The address of an exec."""
    query = "&".join([*(f"command={word}" for word in argv), "stdout=true", "stderr=true",
                      *(f"{key}={value}" for key, value in options.items())])  # fmt: skip
    return f"/api/v1/namespaces/{namespace}/pods/{pod(installed, namespace)}/{subresource}?{query}"


def reached(installed: Installation) -> list[str]:
    """What of the ways into a container reached the cluster."""
    ways = ("exec", "attach", "portforward", "proxy", "ephemeralcontainers")
    return [each.path for each in installed.cluster.received if any(f"/{way}" in each.path for way in ways)]


def recorded(installed: Installation, decision: str) -> Row:
    """The outcome of a call; that of a stream is written when it has ended on both sides."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for row in rows(installed.data):
            if row.decision == decision and row.kind == "outcome":
                return row
    raise AssertionError(f"it was not recorded; there is {[(row.kind, row.operation) for row in rows(installed.data)]}")


def stream_of(row: Row) -> dict[str, Any]:
    """How a WebSocket ended, by its outcome."""
    return dict(row.raw["event"]["unmapped"]["gatehold"].get("stream") or {})


# -- kubectl


def test_kubectl_exec_shows_output_and_exit_code(kubectl: Kubectl, installed: Installation) -> None:
    """Output, errors and the exit code of the command are kubectl's."""
    name = pod(installed, "dev-1")
    assert "hello" in kubectl("exec", "-n", "dev-1", name, "--", "echo", "hello")
    done = subprocess.run(
        kubectl.command("exec", "-n", "dev-1", name, "--", "sh", "-c", "echo out; exit 3"),
        capture_output=True, text=True, env=kubectl.environment, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (3, "out\n")
    assert "exit code 3" in done.stderr


def test_kubectl_exec_takes_stdin(kubectl: Kubectl, installed: Installation) -> None:
    """What is piped in arrives, and its end does too."""
    output = kubectl("exec", "-i", "-n", "dev-1", pod(installed, "dev-1"), "--", "cat", stdin="one\ntwo\n")
    assert output == "one\ntwo\n"


def test_kubectl_exec_at_a_terminal(kubectl: Kubectl, installed: Installation) -> None:
    """A shell at a real terminal: what is typed comes back, masked where it has to be."""
    ours, theirs = pty.openpty()
    command = kubectl.command("exec", "-it", "-n", "prod", pod(installed, "prod"), "--", "sh", "-c", "echo ready; cat")
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=kubectl.environment) as shell:
        os.close(theirs)
        assert "ready" in read_until(ours, "ready")  # now kubectl has the terminal
        os.write(ours, f"card {CARD}\n".encode())
        seen = read_until(ours, "\n")
        shell.terminate()
    os.close(ours)
    assert "card" in seen
    assert CARD not in seen


def read_until(terminal: int, words: str) -> str:
    """What a terminal shows, until some words are there."""
    seen = b""
    while words.encode() not in seen:
        seen += os.read(terminal, 4096)
    return seen.decode()


def test_kubectl_attach(kubectl: Kubectl, installed: Installation) -> None:
    """attach is a session like exec."""
    output = kubectl("attach", "-i", "-n", "dev-1", pod(installed, "dev-1"), stdin="echo attached\nexit 0\n")
    assert "attached" in output


def test_kubectl_copies_both_ways_where_nothing_is_masked(
    kubectl: Kubectl, installed: Installation, tmp_path: Path
) -> None:
    """An archive passes unchanged."""
    name = pod(installed, "dev-1")
    kubectl("cp", f"dev-1/{name}:/etc/motd", str(tmp_path / "motd"))
    assert (tmp_path / "motd").read_text() == "# /etc/motd\n"
    kubectl("cp", str(tmp_path / "motd"), f"dev-1/{name}:/tmp/motd")


def test_an_archive_does_not_pass_a_mask(kubectl: Kubectl, installed: Installation, tmp_path: Path) -> None:
    """What cannot be read cannot be masked; kubectl is told why."""
    output = kubectl("cp", f"prod/{pod(installed, 'prod')}:/etc/motd", str(tmp_path / "motd"), ok=False)
    assert "could not be masked" in output
    assert not (tmp_path / "motd").exists()


@pytest.mark.parametrize(
    "arguments", [["exec", "POD", "--", "id"], ["exec", "-i", "POD", "--", "sh"], ["attach", "POD"],
                  ["port-forward", "POD", "0:80"], ["cp", "POD:/etc/motd", "/nonexistent/motd"]],
)  # fmt: skip
def test_kubectl_prints_the_rules_reason(
    gateway: GatewayProcess, installed: Installation, arguments: list[str]
) -> None:
    """Whichever protocol kubectl tries, it is told why not."""
    kubectl = Kubectl(installed, "reverse", require("kubectl"), installed.token("reader-1", ("readers",)))
    installed.cluster.received.clear()
    words = [word.replace("POD", pod(installed, "prod")) for word in arguments]
    assert FORBIDDEN in kubectl(words[0], "-n", "prod", *words[1:], ok=False)
    assert not reached(installed)


def test_port_forward_needs_a_rule_of_its_own(gateway: GatewayProcess, installed: Installation) -> None:
    """Who may do everything else may not forward."""
    kubectl = Kubectl(installed, "reverse", require("kubectl"), installed.token())
    installed.cluster.received.clear()
    assert "No rule of the gateway allows this call" in kubectl(
        "port-forward", "-n", "prod", pod(installed, "prod"), "0:80", ok=False
    )
    assert not reached(installed)


def test_older_kubectls_are_told_what_they_need(gateway: GatewayProcess, installed: Installation) -> None:
    """kubectl before 1.31 speaks SPDY only."""
    kubectl = Kubectl(installed, "reverse", older_kubectl(), installed.token())
    output = kubectl("exec", "-n", "dev-1", pod(installed, "dev-1"), "--", "echo", "hello", ok=False)
    assert "kubectl 1.31 or later" in output


def older_kubectl() -> str:
    """A kubectl that does not speak WebSocket; some installations bring several."""
    beside = Path(require("kubectl")).resolve().parent
    for directory in (beside, Path("/usr/lib/google-cloud-sdk/bin")):
        for version in ("1.29", "1.28", "1.27"):
            if (found := directory / f"kubectl.{version}").is_file():
                return str(found)
    return require("kubectl.1.29")


def test_a_shell_that_needs_a_yes_waits_for_it(
    kubectl: Kubectl, gateway: GatewayProcess, installed: Installation
) -> None:
    """Before the upgrade: nothing reaches the cluster before the yes, and kubectl never notices."""
    asker = Kubectl(installed, "reverse", kubectl_with_shells(), installed.token("asker-1", ("askers",)))
    installed.gatehold("users", "add", "ada", "--group", "sre", check=False)
    installed.cluster.received.clear()
    name = pod(installed, "dev-1")
    with asker.start("exec", "-n", "dev-1", name, "--", "echo", "approved") as waiting:
        approval = pending(installed, f"/pods/{name}/exec")
        assert not reached(installed)
        installed.gatehold("approvals", "approve", approval["id"], "--as", "ada", "--reason", "asked for")
        assert waiting.communicate(timeout=60)[0] == "approved\n"
        assert waiting.returncode == 0


# -- ways in


WAYS = {
    "WebSocket exec": ("exec", "GET", "websocket"),
    "WebSocket attach": ("attach", "GET", "websocket"),
    "WebSocket port-forward": ("portforward", "GET", "websocket"),
    "WebSocket proxy": ("proxy", "GET", "websocket"),
    "SPDY exec": ("exec", "POST", "SPDY/3.1"),
    "SPDY attach": ("attach", "POST", "SPDY/3.1"),
    "SPDY port-forward": ("portforward", "POST", "SPDY/3.1"),
    "SPDY exec by GET": ("exec", "GET", "SPDY/3.1"),
    "plain GET": ("exec", "GET", ""),
    "plain POST": ("exec", "POST", ""),
    "ephemeral container": ("ephemeralcontainers", "PATCH", ""),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_every_way_in_is_answered_by_the_rule(
    gateway: GatewayProcess, installed: Installation, way: tuple[str, str, str]
) -> None:
    """The reason is the rule's, whatever was asked for, and nothing reaches the cluster."""
    subresource, method, upgrade = way
    installed.cluster.received.clear()
    more = "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" if method == "PATCH" else ""
    address, token = path(installed, "prod", "id", subresource=subresource), installed.token("reader-1", ("readers",))
    with request(installed, address, token=token, method=method, upgrade=upgrade, more=more) as client:
        assert client.status == 403
        answer = json.loads(client.body)
        assert answer["kind"] == "Status"
        assert FORBIDDEN in answer["message"]
    assert not reached(installed)


REFUSED = {
    "SPDY": ({"method": "POST", "upgrade": "SPDY/3.1"}, "SPDY is not supported"),
    "plain GET": ({"upgrade": ""}, "needs an upgrade"),
    "plain POST": ({"method": "POST", "upgrade": ""}, "needs an upgrade"),
    "no subprotocol": ({"protocols": "chat"}, "subprotocols"),
    "base64 channels": ({"protocols": "base64.channel.k8s.io"}, "subprotocols"),
    "a bearer only": ({"protocols": "base64url.bearer.authorization.k8s.io.c2VjcmV0"}, "subprotocols"),
    "the protocol of another": ({"protocols": "SPDY/3.1+portforward.k8s.io"}, "subprotocols"),
    "h2c": ({"upgrade": "h2c"}, "upgrades are not allowed"),
    "two upgrades": ({"upgrade": "websocket, SPDY/3.1"}, "upgrades are not allowed"),
}


@pytest.mark.parametrize(("options", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_an_allowed_call_needs_a_fitting_handshake(
    gateway: GatewayProcess, installed: Installation, options: dict[str, str], words: str
) -> None:
    """Nothing that cannot be followed is forwarded."""
    installed.cluster.received.clear()
    with request(installed, path(installed, "dev-1", "id"), token=installed.token(), **options) as client:
        assert client.status == 400
        assert words in json.loads(client.body)["message"]
    assert not reached(installed)


@pytest.mark.parametrize("what", ["pods?watch=1", "pods/POD/log?follow=true", "pods/POD"])
def test_nothing_else_becomes_a_tunnel(gateway: GatewayProcess, installed: Installation, what: str) -> None:
    """watch and log work over WebSocket too, unmasked: refused."""
    address = f"/api/v1/namespaces/dev-1/{what.replace('POD', pod(installed, 'dev-1'))}"
    with request(installed, address, token=installed.token(), protocols="binary.k8s.io") as client:
        assert client.status == 400
        assert "only exec, attach and portforward" in json.loads(client.body)["message"]


# -- the handshake


def test_what_reaches_the_cluster_is_the_gateways_handshake(gateway: GatewayProcess, installed: Installation) -> None:
    """A key among the subprotocols and an extension stay behind; the agent's own nonce is answered."""
    installed.cluster.received.clear()
    offered = "base64url.bearer.authorization.k8s.io.c2VjcmV0LXRva2Vu, v5.channel.k8s.io, chat"
    more = "Sec-WebSocket-Extensions: permessage-deflate"
    address = path(installed, "dev-1", "echo", "hello")
    with request(installed, address, token=installed.token(), protocols=offered, more=more) as client:
        assert client.status == 101
        assert b"permessage" not in client.head
        assert b"gatehold-decision" in client.head.lower()
        assert client.output() == b"hello\n"
    (received,) = [each for each in installed.cluster.received if "/exec" in each.path]
    assert "c2VjcmV0" not in repr(received.headers)


# -- the stream


def masked_cat(installed: Installation, namespace: str = "prod", **options: Any) -> Client:
    """A session that echoes what is typed."""
    return request(installed, path(installed, namespace, "cat", stdin="true"), token=installed.token(**options))


def test_a_number_over_two_messages_is_hidden(gateway: GatewayProcess, installed: Installation) -> None:
    """Cuts between messages are no cuts between words."""
    with masked_cat(installed) as client:
        assert client.next() == (1, b"")
        client.send(0, b"card 4111 1111 11")
        client.send(0, b"11 1111\nmail jane.doe@exam")
        client.send(0, b"ple.com\n")
        client.send(255, b"\0")
        messages = client.messages()
    output = b"".join(data for channel, data in messages if channel == 1)
    assert output.startswith(b"card ")
    assert output.count(b"\n") == 2
    assert b"1111 11" not in output
    assert b"jane.doe" not in output
    assert json.loads(messages[-1][1])["status"] == "Success"


def test_output_comes_while_the_stream_is_open(gateway: GatewayProcess, installed: Installation) -> None:
    """A whole line at once; a prompt, which has no end, after a moment."""
    with masked_cat(installed) as client:
        assert client.next() == (1, b"")
        client.send(0, b"first\n")
        assert client.next() == (1, b"first\n")
        client.send(0, b"password: ")
        assert client.next() == (1, b"password: ")


def test_both_directions_are_recorded(gateway: GatewayProcess, installed: Installation) -> None:
    """stdin as it was sent but for secrets, output as the agent saw it, and how it ended."""
    with masked_cat(installed) as client:
        client.send(0, f"typed {CARD}\n".encode())
        client.send(255, b"\0")
        client.messages()
    row = recorded(installed, client.decision)
    assert stream_of(row)["stdin"] == stream_of(row)["stdout"] == len(f"typed {CARD}\n")
    assert stream_of(row)["exit"] == 0
    assert row.masked
    raw = (installed.data / row.file).read_bytes()
    assert b"typed " in raw
    assert CARD.encode() not in raw
    cast = installed.gatehold("recordings", "export", client.decision, "--asciicast", "--input").stdout.splitlines()
    assert json.loads(cast[0])["version"] == 2
    assert [json.loads(line)[1] for line in cast[1:]] == ["i", "o"]


def test_what_a_side_may_not_say_ends_the_session(gateway: GatewayProcess, installed: Installation) -> None:
    """stdout is not the client's; text is nobody's."""
    with masked_cat(installed) as client:
        client.send(1, b"forged")
        assert b"channel 1 is not the client's" in client.output(3)
        assert client.close_code == 1008
    with masked_cat(installed) as client:
        client.say(frames.TextMessage(data="0aGVsbG8="))
        assert b"text messages" in client.output(3)
        assert client.close_code == 1003


def test_a_message_is_cut_off_while_its_fragments_come(gateway: GatewayProcess, installed: Installation) -> None:
    """Whatever its frames announce."""
    with masked_cat(installed, "dev-1") as client:
        try:
            for _ in range(40):
                client.say(frames.BytesMessage(data=b"\0" * 65536, message_finished=False))
        except OSError:
            pass
        assert b"larger than" in client.output(3) or client.close_code == 1009


def test_pings_are_answered_and_carry_nothing_over(gateway: GatewayProcess, installed: Installation) -> None:
    """The payload of a ping is seen by nobody else."""
    with masked_cat(installed) as client:
        client.say(frames.Ping(payload=b"covert"))
        client.send(0, b"x\n")
        client.send(255, b"\0")
        client.messages()
        assert client.pongs == [b"covert"]
    assert "covert" not in gateway.output


def test_a_session_ends_with_its_token(gateway: GatewayProcess, installed: Installation) -> None:
    """An open shell is no way to outlive a token."""
    with masked_cat(installed, ttl=4.0) as client:
        assert client.status == 101
        assert b"expired" in client.output(3)
        assert client.close_code == 1008
    row = recorded(installed, client.decision)
    assert "expired" in stream_of(row)["cut"]


def test_a_session_ends_when_its_agent_is_revoked(gateway: GatewayProcess, installed: Installation) -> None:
    """An open shell is cut, with an event that says why; what others do goes on."""
    with masked_cat(installed) as other, masked_cat(installed, subject="leaver") as client:
        assert client.next() == other.next() == (1, b"")
        installed.gatehold("revoke", "--subject", "leaver")
        assert b"revoked" in client.output(3)
        assert client.close_code == 1008
        other.send(0, b"still here\n")
        assert other.next() == (1, b"still here\n")
    cut = [row for row in rows(installed.data) if row.kind == "governance" and row.decision == client.decision]
    assert "revoked" in cut[0].message
    assert "revoked" in stream_of(recorded(installed, client.decision))["cut"]


@pytest.mark.parametrize("what", ["?watch=1", "/POD/log?follow=true"])
def test_a_watch_and_a_log_end_when_their_agent_is_revoked(
    gateway: GatewayProcess, installed: Installation, what: str
) -> None:
    """Streams of answers too."""
    subject = f"watcher-{len(what)}"
    kubectl = Kubectl(installed, "reverse", require("kubectl"), installed.token(subject))
    name = pod(installed, "prod")
    arguments = ["logs", "-f", name] if "log" in what else ["get", "pods", "-w"]
    with kubectl.start(*arguments, "-n", "prod") as stream:
        assert stream.stdout is not None
        assert stream.stdout.readline()
        installed.gatehold("revoke", "--subject", subject)
        stream.communicate(timeout=60)
    cut = [row for row in rows(installed.data) if row.kind == "governance" and row.message.endswith("revoked")]
    assert cut


def test_a_port_forward_is_counted(gateway: GatewayProcess, installed: Installation) -> None:
    """By a rule that names it; what passes is in no recording."""
    address = path(installed, "prod", subresource="portforward", ports="80")
    token = installed.token("forwarder-1", ("forwarders",))
    with request(installed, address, token=token, protocols="SPDY/3.1+portforward.k8s.io") as client:
        assert client.status == 101
        client.send(0x80, b"opaque bytes")
        assert client.next() == (0x80, b"opaque bytes")
        client.say(frames.CloseConnection(code=1000))
    row = recorded(installed, client.decision)
    assert stream_of(row) == {"sent": 13, "received": 13}
    assert b"opaque bytes" not in (installed.data / row.file).read_bytes()


def test_http_2_opens_no_tunnel(gateway: GatewayProcess, installed: Installation) -> None:
    """Extended CONNECT (RFC 8441) is a protocol error here: it was never offered."""
    installed.cluster.received.clear()
    context = ssl.create_default_context(cafile=str(installed.ca))
    context.set_alpn_protocols(["h2"])
    port = installed.cluster_proxy_port
    h2 = H2Connection(H2Configuration(validate_outbound_headers=False))
    h2.initiate_connection()
    pseudo = {
        ":method": "CONNECT",
        ":protocol": "websocket",
        ":scheme": "https",
        ":path": path(installed, "dev-1", "id"),
    }
    fields = {**pseudo, ":authority": f"127.0.0.1:{port}", "authorization": f"Bearer {installed.token()}"}
    h2.send_headers(1, list({**fields, "sec-websocket-version": "13", "sec-websocket-protocol": V5}.items()))
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as raw,
        context.wrap_socket(raw, server_hostname="127.0.0.1") as tls,
    ):
        tls.sendall(h2.data_to_send())
        seen = [type(event) for event in until_closed(tls, h2)]
    assert ConnectionTerminated in seen
    assert ResponseReceived not in seen
    assert not reached(installed)


def until_closed(tls: ssl.SSLSocket, h2: H2Connection) -> Iterator[Event]:
    """What an HTTP/2 server says until it hangs up."""
    while data := tls.recv(65536):
        yield from h2.receive_data(data)
