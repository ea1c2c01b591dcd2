"""Law: every call is authenticated, decoded, decided, given the target's credential, masked, recorded; or refused, and why.

Real curl, a real gateway process in both ways to run it, a real upstream over TLS.
"""

import json
import secrets
import socket
import ssl
import subprocess

import pytest

from gatehold.demo import records
from tests.e2e.harness import CRM_TOKEN, GatewayProcess, Installation, clean_environment

CRM = "https://crm.corp.example"


@pytest.fixture(autouse=True)
def fresh(gateway: GatewayProcess, installed: Installation) -> None:
    """What the upstream received before is of no interest."""
    installed.customers.received.clear()


def test_an_allowed_call_carries_the_targets_credential(installed: Installation) -> None:
    """The agent's token never goes upstream; the target's credential never comes back."""
    token = installed.token()
    answer = installed.curl(
        f"{CRM}/echo",
        "-H",
        "Authorization: Bearer mine",
        "-H",
        "Cookie: a=b",
        "-H",
        "X-Forwarded-For: 1.2.3.4",
        token=token,
    )
    assert answer.status == 200
    assert answer.headers["gatehold-decision"].startswith("dec_")
    assert answer.headers["gatehold-rule"] == "planners-read"
    [received] = installed.customers.received
    assert received.header("authorization") == f"Bearer {CRM_TOKEN}"
    assert received.header("host") == "crm.corp.example"
    for name in ("cookie", "x-forwarded-for", "proxy-authorization"):
        assert received.header(name) is None
    assert token not in json.dumps(received.headers)
    assert CRM_TOKEN.encode() not in answer.body


def test_a_denied_call_says_why_and_reaches_nobody(installed: Installation) -> None:
    """The reason of the rule, in the form of RFC 9457."""
    answer = installed.curl(f"{CRM}/report.csv")
    assert answer.status == 403
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json
    assert problem["type"] == "https://gatehold.dev/problems/denied"
    assert problem["code"] == "denied-by-rule"
    assert problem["rule"] == "nobody-reads-the-report"
    assert problem["detail"] == "The report is not for agents."
    assert problem["decision"] == answer.headers["gatehold-decision"]
    assert problem["status"] == 403
    assert problem["retryable"] is False
    assert problem["next"]
    assert not list(installed.customers.received)


def test_what_no_rule_allows_is_denied(installed: Installation) -> None:
    """Default deny: a foreign group, and a path without a rule."""
    assert installed.curl(f"{CRM}/customers", token=installed.token(groups=["others"])).json["code"] == "default-deny"
    assert installed.curl(f"{CRM}/nothing", "-X", "POST").json["code"] == "default-deny"
    assert not list(installed.customers.received)


def test_a_condition_reads_the_body(installed: Installation) -> None:
    """A body decides; one that cannot be read refuses, because unknown is not false."""
    post = ("-X", "POST", "-H", "Content-Type: application/json", "-d")
    assert installed.curl(f"{CRM}/customers", *post, '{"name": "A", "vip": false}').status == 201
    assert installed.curl(f"{CRM}/customers", *post, '{"name": "A", "vip": true}').json["code"] == "denied-by-rule"
    for hostile in ('{"vip": false, "vip": true}', '{"name": "A"}', "{", '{"vip": NaN}', "[" * 5000):
        assert installed.curl(f"{CRM}/customers", *post, hostile).json["code"] == "unevaluable"
    assert len(list(installed.customers.received)) == 1


def test_answers_are_masked(installed: Installation) -> None:
    """Personal data is hidden in JSON, text and event streams; the counts are told."""
    answer = installed.curl(f"{CRM}/customers")
    assert answer.status == 200
    text = answer.body.decode()
    assert "<EMAIL_ADDRESS>" in text
    assert "@example" not in text
    assert "EMAIL_ADDRESS=" in answer.headers["gatehold-masked"]
    assert int(answer.headers["content-length"]) == len(answer.body)
    assert json.loads(answer.body)
    for customer in records.customers():
        for key in ("email", "card", "iban", "ssn"):
            assert str(customer[key]) not in text


def test_what_cannot_be_masked_does_not_leave(installed: Installation) -> None:
    """A picture under a mask is withheld."""
    answer = installed.curl(f"{CRM}/avatar.png")
    assert answer.status == 502
    assert answer.json["code"] == "unmaskable"


def test_a_head_answer_tells_nothing_of_what_is_masked(installed: Installation) -> None:
    """Neither the size nor the encoding of the body before masking."""
    answer = installed.curl(f"{CRM}/report.csv", "-I")
    assert answer.status == 403
    answer = installed.curl(f"{CRM}/orders", "-I")
    assert "content-encoding" not in answer.headers
    assert "content-length" not in answer.headers or answer.headers["content-length"] == "0"


def test_a_stream_is_masked_as_it_comes(installed: Installation) -> None:
    """The first event reaches the client while the stream is open, masked."""
    command = ["curl", "-sSN", "--max-time", "20", "--cacert", str(installed.ca), "--proxy",
               f"http://agent:{installed.token()}@127.0.0.1:{installed.proxy_port}", f"{CRM}/events"]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=clean_environment()) as curl:
        assert curl.stdout is not None
        lines = [curl.stdout.readline().decode() for _ in range(8)]
        assert curl.poll() is None, "the stream ended by itself"
        curl.terminate()
    data = [line for line in lines if line.startswith("data:")]
    assert len(data) >= 2
    assert all("<EMAIL_ADDRESS>" in line and "@example" not in line for line in data)


def test_a_limit_holds_over_calls(installed: Installation) -> None:
    """The second call within the window gets 429 with Retry-After."""
    token = installed.token(subject=f"limited-{secrets.token_hex(4)}")
    installed.customers.delay = 0.0
    assert installed.curl(f"{CRM}/slow", token=token).status == 200
    answer = installed.curl(f"{CRM}/slow", token=token)
    assert answer.status == 429
    assert answer.json["code"] == "rate-limited"
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "url",
    [
        "https://other.corp.example/",
        "https://crm.corp.example:8443/",
        "https://crm.corp.example./",
        "https://169.254.169.254/",
        "https://127.0.0.1/",
    ],
)
def test_what_is_not_registered_cannot_be_reached(installed: Installation, url: str) -> None:
    """Another name, another port, a trailing dot, addresses: refused inside the tunnel, where clients can read it."""
    answer = installed.curl(url)
    assert answer.status in (403, 421, 0)
    if answer.status:
        assert answer.json["code"] in ("unregistered-target", "misdirected")


def test_an_upstream_that_is_down_is_a_problem_with_its_name(installed: Installation) -> None:
    """502 names the target, not its address."""
    answer = installed.curl("https://down.corp.example/x")
    assert answer.status == 502
    assert answer.json["code"] == "upstream-unavailable"
    assert "down" in answer.json["detail"]
    assert "127.0.0.1" not in answer.body.decode()


def test_the_gateway_does_not_dial_itself(installed: Installation) -> None:
    """A target whose address is one of the gateway's own listeners is not dialled, whatever it allows."""
    answer = installed.curl("https://closed-in.corp.example/x")
    assert answer.status == 502
    assert answer.json["code"] == "upstream-unavailable"


class TestTokens:
    """Nobody is never somebody."""

    def test_no_token_is_407_with_a_challenge(self, installed: Installation) -> None:
        """git and Java need the challenge."""
        command = [
            "curl",
            "-sS",
            "-i",
            "--cacert",
            str(installed.ca),
            "--proxy",
            f"http://127.0.0.1:{installed.proxy_port}",
            f"{CRM}/echo",
        ]
        done = subprocess.run(command, capture_output=True, env=clean_environment(), check=False, timeout=30)
        assert b" 407 " in done.stdout.split(b"\r\n")[0]
        assert b"proxy-authenticate: basic" in done.stdout.lower()
        assert b"unauthenticated" in done.stdout or done.returncode == 56

    @pytest.mark.parametrize(
        "options",
        [{"now": 1_700_000_000.0}, {"audience": "other"}, {"issuer": "https://other.test"}],
        ids=["expired", "wrong audience", "foreign issuer"],
    )
    def test_a_bad_token_is_refused(self, installed: Installation, options: dict[str, object]) -> None:
        """Expired, foreign, for somebody else."""
        answer = installed.curl(f"{CRM}/echo", token=installed.token(**options))
        assert answer.status in (0, 407)
        assert not list(installed.customers.received)

    def test_a_bearer_proxy_authorization_counts(self, installed: Installation) -> None:
        """Both forms of Proxy-Authorization are understood."""
        header = f"Proxy-Authorization: Bearer {installed.token()}"
        assert installed.curl(f"{CRM}/echo", "--proxy-header", header, token=None).status == 200

    def test_alg_none_is_refused(self, installed: Installation) -> None:
        """A token that signs itself with nothing is not a token."""
        head, body, _ = installed.token().split(".")
        import base64

        none = base64.urlsafe_b64encode(b'{"alg":"none","typ":"JWT"}').rstrip(b"=").decode()
        assert installed.curl(f"{CRM}/echo", token=f"{none}.{body}.").status in (0, 407)
        assert installed.curl(f"{CRM}/echo", token=f"{head}.{body}.AAAA").status in (0, 407)
        assert not list(installed.customers.received)


class TestReverse:
    """A reverse listener stands in for one target, under its own names."""

    def curl(self, installed: Installation, *options: str, name: str = "127.0.0.1") -> tuple[int, bytes]:
        """A call to the reverse listener."""
        command = ["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", "--cacert", str(installed.ca), "--resolve",
                   f"{name}:{installed.reverse_port}:127.0.0.1", *options, f"https://{name}:{installed.reverse_port}/echo"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, env=clean_environment(), check=False, timeout=30)
        body, _, status = done.stdout.rpartition(b"\n")
        return int(status or 0), body

    def test_the_inner_token_is_swapped_for_the_credential(self, installed: Installation) -> None:
        """SDKs that only know a base URL and a bearer token work."""
        bearer = f"Authorization: Bearer {installed.token()}"
        for name in ("127.0.0.1", "crm-gateway.internal"):
            status, _ = self.curl(installed, "-H", bearer, name=name)
            assert status == 200
        assert list(installed.customers.received)[-1].header("authorization") == f"Bearer {CRM_TOKEN}"

    def test_without_a_token_401(self, installed: Installation) -> None:
        """Identity belongs to every request here."""
        status, body = self.curl(installed)
        assert status == 401
        assert json.loads(body)["code"] == "unauthenticated"

    def test_another_host_is_misdirected(self, installed: Installation) -> None:
        """The target's own name is not the listener's."""
        bearer = f"Authorization: Bearer {installed.token()}"
        assert self.curl(installed, "-H", bearer, "-H", "Host: crm.corp.example")[0] == 421

    def test_plain_http_is_refused(self, installed: Installation) -> None:
        """A token or credential never crosses a leg without TLS."""
        with socket.create_connection(("127.0.0.1", installed.reverse_port), timeout=10) as plain:
            plain.sendall(
                f"GET /echo HTTP/1.1\r\nHost: 127.0.0.1:{installed.reverse_port}\r\nAuthorization: Bearer {installed.token()}\r\nConnection: close\r\n\r\n".encode()
            )
            answer = b"".join(iter(lambda: plain.recv(65536), b""))
        assert b"421" in answer.split(b"\r\n")[0]
        assert not list(installed.customers.received)


def test_sni_must_be_the_host_of_connect(installed: Installation) -> None:
    """CONNECT one host, TLS for another: refused, and nothing is sent."""
    context = ssl.create_default_context(cafile=str(installed.ca))
    context.check_hostname = False
    with socket.create_connection(("127.0.0.1", installed.proxy_port), timeout=10) as raw:
        token = installed.token()
        raw.sendall(
            f"CONNECT crm.corp.example:443 HTTP/1.1\r\nHost: crm.corp.example:443\r\nProxy-Authorization: Bearer {token}\r\n\r\n".encode()
        )
        assert b"200" in raw.recv(65536)
        with context.wrap_socket(raw, server_hostname="open.corp.example") as tls:
            tls.sendall(b"GET /echo HTTP/1.1\r\nHost: crm.corp.example\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: tls.recv(65536), b""))
    assert b"421" in answer.split(b"\r\n")[0]
    assert not list(installed.customers.received)


def test_a_stream_ends_with_its_token(installed: Installation) -> None:
    """A stream that is open when the token runs out is cut."""
    command = ["curl", "-sSN", "--max-time", "30", "--cacert", str(installed.ca), "--proxy",
               f"http://agent:{installed.token(ttl=3.0)}@127.0.0.1:{installed.proxy_port}", f"{CRM}/events"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, env=clean_environment(), check=False, timeout=40)
    assert b"data:" in done.stdout
    assert done.returncode not in (0, 28), "it was cut, neither ended well nor timed out"
