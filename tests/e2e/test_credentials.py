"""Law: a target's credential goes to its own scheme, host and port, in its own form, and is found nowhere else.

Every form through a real gateway, in both ways to run it, by real curl; upstreams that show whatever they are given;
AWS is played by moto, which checks signatures.
"""

import base64
import hashlib
import http.client
import json
import shutil
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from gatehold.credentials.echoes import spellings
from gatehold.demo.certificates import ClientCertificate, ClientUser, make_certificate, make_client_certificates
from gatehold.demo.serving import serve
from tests.e2e.harness import COMMANDS, GatewayProcess, Installation, free_port, installation, running
from tests.e2e.mirror import Mirror, Seen

CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Gateway
metadata: {name: default}
spec:
  dataDir: ./data
  agentApi: {host: 127.0.0.1, port: @AGENT_API@}
  console: {host: 127.0.0.1, port: @CONSOLE@}
  listen:
    - {mode: regular, host: 127.0.0.1, port: @PROXY@}
    - {mode: reverse, host: 127.0.0.1, port: @REVERSE@, target: certificate, names: [certificate-gateway.internal]}
  identity:
    issuers:
      - {name: corp, issuer: "https://idp.test", audience: gatehold, jwks: {file: "@JWKS@"}, algorithms: [EdDSA]}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: all}
rules:
  - {name: all, effect: allow, agents: {groups: [planners]},
     http: {targets: ["*"], methods: ["*"], paths: ["/", "/**"]}}
"""
TARGET = """
---
apiVersion: gatehold.dev/v1
kind: Target
metadata: {{name: {name}}}
spec: {spec}
"""
KEYS = {
    "header": "planted-header/51+a9=3c",
    "bearer": "planted-bearer-7d20b4",
    "basic": "planted-basic-0c6e12",
    "query": "planted query/+&=88f1\u00fc",
    "cookie": "planted-cookie-e4a913",
    "file": "planted-file-44d0c1",
    "combined": "planted-combined-9a71bb",
}
FORMS = {
    "header": {"header": "X-Api-Key", "prefix": "Key ", "value": KEYS["header"]},
    "bearer": {"bearer": KEYS["bearer"]},
    "basic": {"basic": {"username": "gate", "password": KEYS["basic"]}},
    "query": {"query": "api_key", "value": KEYS["query"]},
    "cookie": {"cookie": "session", "value": KEYS["cookie"]},
    "file": {"bearer": "${file:@FILE@}"},
}
AWS_ID, AWS_KEY = "AKIAPLANTEDGATEWAY00", "planted/aws/secret+key/9e1c7702aa41"
S3 = "s3.eu-west-1.amazonaws.com"
PATIENCE = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One gateway, and the upstreams behind it."""

    installed: Installation
    process: GatewayProcess
    mirror: Mirror
    """Behind every target without a client certificate."""
    locked: Mirror
    """Nobody gets in without a certificate."""
    certificates: list[ClientCertificate]
    key_file: Path
    pair: tuple[Path, Path]
    """Files of the client certificate that the target ``certificate`` names."""

    def curl(self, name: str, path: str, *options: str, port: str = "") -> "tuple[int, str]":
        """Status and everything that came back."""
        answer = self.installed.curl(f"https://{name}.corp.example{port}{path}", *options)
        return answer.status, json.dumps(dict(answer.headers)) + answer.body.decode("latin-1")

    def last(self) -> Seen:
        """What the upstream was given last."""
        return list(self.mirror.seen)[-1]


def _documents(files: Path, connect: Callable[[str], int], authority: Path) -> str:
    """``connect``: opens the upstream of a target and gives its port; no two targets may have the same."""

    def document(name: str, upstream: str, credential: object, **more: object) -> str:
        spec = {"family": "http", "hosts": [f"{name}.corp.example:443"], "connect": f"127.0.0.1:{connect(upstream)}",
                "allowPrivate": True, "tls": {"ca": str(authority)}, "credential": credential} | more  # fmt: skip
        return TARGET.format(name=name, spec=json.dumps({key: each for key, each in spec.items() if each is not None}))

    def certificate(number: str) -> dict[str, object]:
        return {"clientCertificate": {"certificate": str(files / f"{number}.crt"), "key": str(files / f"{number}.key")}}

    aws = {"service": "s3", "region": "eu-west-1", "accessKeyId": AWS_ID, "secretAccessKey": AWS_KEY}
    forms = json.loads(json.dumps(FORMS).replace("@FILE@", str(files / "token")))
    return "".join(
        [
            *(document(name, "mirror", form) for name, form in forms.items()),
            document("other", "mirror", None),
            document("other-port", "mirror", None, hosts=["query.corp.example:8443", "header.corp.example:8443"]),
            document("certificate", "locked", certificate("one")),
            document("certificate-2", "locked", certificate("two")),
            document("combined", "locked", certificate("one") | {"bearer": KEYS["combined"]}),
            document("no-certificate", "locked", None),
            document("wrong-signature", "aws", {"aws": aws | {"secretAccessKey": "planted-wrong-key-1"}},
                     scheme="http", hosts=["wrong.corp.example:80"], tls=None),
            document("aws", "aws", {"aws": aws}, scheme="http", hosts=[f"{S3}:80"], tls=None),
            document("aws-mirror", "mirror", {"aws": aws}),
        ]
    )  # fmt: skip


@pytest.fixture(scope="module")
def aws() -> Iterator[None]:
    """S3 as moto plays it: it compares every signature. One user, one bucket."""
    settings = pytest.importorskip("moto.settings")
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.iam.models import iam_backends
    from moto.s3.models import s3_backends

    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    iam.create_user(region_name="eu-west-1", user_name="gateway")
    key = iam.create_access_key("gateway")
    key.access_key_id, key.secret_access_key = AWS_ID, AWS_KEY
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy("gateway", "everything", json.dumps(everything))
    s3_backends[DEFAULT_ACCOUNT_ID]["aws"].create_bucket("papers", "eu-west-1")
    before, settings.INITIAL_NO_AUTH_ACTION_COUNT = settings.INITIAL_NO_AUTH_ACTION_COUNT, 0
    yield
    settings.INITIAL_NO_AUTH_ACTION_COUNT = before


@contextmanager
def _s3_server() -> Iterator[int]:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=free_port(), verbose=False)
    server.start()
    yield server.get_host_and_port()[1]
    server.stop()


@pytest.fixture(scope="module", params=sorted(COMMANDS))
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, aws: None) -> Iterator[Place]:
    with ExitStack() as stack:
        installed = stack.enter_context(installation(tmp_path_factory.mktemp("credentials")))
        files = installed.directory / "credentials"
        users = [ClientUser(name=name) for name in ("gateway-one", "gateway-two", "gateway-renewed")]
        authority, certificates = make_client_certificates(files, users)
        for name, pair in zip(("one", "two"), certificates, strict=False):
            shutil.copy(pair.certificate, files / f"{name}.crt")
            shutil.copy(pair.key, files / f"{name}.key")
        (files / "token").write_text(KEYS["file"])
        names = [*FORMS, "other", "certificate", "certificate-2", "combined", "no-certificate", "aws-mirror"]
        server = make_certificate(files / "server", tuple(f"{name}.corp.example" for name in names))
        mirror, locked = Mirror(), Mirror()

        def connect(upstream: str) -> int:
            if upstream == "aws":
                return stack.enter_context(_s3_server())
            app, clients = (mirror.app(), None) if upstream == "mirror" else (locked.app(), authority)
            return stack.enter_context(serve(app, certificate=server.pair, clients=clients)).port

        installed.write("all.yaml", CONFIGURATION + _documents(files, connect, server.authority))
        process = stack.enter_context(running(installed, request.param))
        yield Place(
            installed=installed,
            process=process,
            mirror=mirror,
            locked=locked,
            certificates=certificates,
            key_file=files / "token",
            pair=(files / "one.crt", files / "one.key"),
        )


@pytest.fixture(autouse=True)
def _fresh(place: Place) -> None:
    place.mirror.seen.clear()
    place.locked.seen.clear()


def _expected(form: str) -> Callable[[Seen], bool]:
    return {
        "header": lambda seen: seen.header("x-api-key") == [f"Key {KEYS['header']}"],
        "bearer": lambda seen: seen.header("authorization") == [f"Bearer {KEYS['bearer']}"],
        "basic": lambda seen: (
            seen.header("authorization") == ["Basic " + base64.b64encode(f"gate:{KEYS['basic']}".encode()).decode()]
        ),
        "query": lambda seen: seen.target.endswith(f"api_key={quote(KEYS['query'], safe='')}"),
        "cookie": lambda seen: seen.header("cookie") == [f"session={KEYS['cookie']}"],
        "file": lambda seen: seen.header("authorization") == [f"Bearer {KEYS['file']}"],
    }[form]


def _holds(text: str, *values: str) -> list[str]:
    """Which of the values stand in a text, in any spelling."""
    return [value for value in values if any(form in text.encode("latin-1", "replace") for form in spellings([value]))]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_arrives_once_and_comes_back_never(place: Place, form: str) -> None:
    """In its place, instead of what the agent sent there; masked in every echo, body and headers."""
    own = ("-H", "X-Api-Key: agents-own", "-H", "x_api_key: agents-own", "-H", "Authorization: Bearer agents-own",
           "-H", "Cookie: session=agents-own")  # fmt: skip
    path = "/echo?a=%2f+%7e&api_key=agents-own&API%5FKEY=agents-own&b"
    for call in (own, (*own, "--http2"), (*own, "--compressed")):
        status, back = place.curl(form, path, *call)
        assert status == 200, back
        seen = place.last()
        assert _expected(form)(seen), seen.everything
        assert seen.target.startswith("/echo?a=%2f+%7e&")
        assert "agents-own" not in seen.everything.replace(path, "")
        assert _holds(back, *KEYS.values()) == []
        assert _holds(seen.everything, *(KEYS[other] for other in KEYS if other != form)) == []
    for path in ("/text", "/stream"):
        status, back = place.curl(form, path, "--compressed")
        assert (status, _holds(back, *KEYS.values())) == (200, [])
        assert path in back or "***" in back


@pytest.mark.parametrize("form", FORMS)
def test_a_redirect_takes_nothing_with_it(place: Place, form: str) -> None:
    """To another target, another port of the same name, plain HTTP, nobody: no credential on the second call."""
    for to in ("https://other.corp.example/plain?x=1", "https://query.corp.example:8443/plain?x=1",
               "https://header.corp.example:8443/plain?x=1"):  # fmt: skip
        place.mirror.seen.clear()
        status, back = place.curl(form, f"/redirect?to={quote(to, safe='')}", "--location")
        first, *rest = place.mirror.seen
        assert _expected(form)(first)
        assert status == 307
        assert len(rest) == 1
        assert _holds(rest[0].everything, *KEYS.values()) == []
        assert _holds(back, *KEYS.values()) == []
    for to in (
        "http://other.corp.example/?x=1",
        "https://evil.example/?x=1",
        "//evil.example/?x",
        "https:evil.example?",
    ):
        _, back = place.curl(form, f"/redirect?to={quote(to, safe='')}")
        assert '"location"' not in back
        assert _holds(back, *KEYS.values()) == []


@pytest.mark.parametrize("form", FORMS)
def test_host_games_do_not_move_it(place: Place, form: str) -> None:
    """Another Host, another TLS name, an absolute URL, another port: refused, or sent without it."""
    url = f"https://{form}.corp.example"
    games = [
        (f"{url}/echo", "-H", "Host: other.corp.example"),
        ("https://other.corp.example/echo", "-H", f"Host: {form}.corp.example"),
        ("https://other.corp.example/echo", "--request-target", f"{url}/echo"),
        (f"{url}/echo", "--request-target", "https://other.corp.example/echo"),
        (f"{url}:9443/echo",),
        (f"http://{form}.corp.example/echo",),
        (f"http://{form}.corp.example:443/echo",),
        ("https://other.corp.example/echo", "-H", f"X-Forwarded-Host: {form}.corp.example"),
        (f"https://{form}.corp.example./echo",),
        (f"https://{form}.corp.example@other.corp.example/echo",),
    ]
    for target, *options in games:
        answer = place.installed.curl(target, *options)
        assert _holds(answer.body.decode("latin-1"), *KEYS.values()) == []
    assert all(_holds(seen.everything, *KEYS.values()) == [] for seen in place.mirror.seen)


def test_targets_that_follow_on_each_other_get_each_its_own(place: Place) -> None:
    """One curl, one agent, all targets after one another."""
    urls = [f"https://{form}.corp.example/plain" for form in FORMS]
    assert place.installed.curl("https://other.corp.example/plain", *urls).status == 200
    seen = list(place.mirror.seen)
    for form, each in zip(FORMS, seen, strict=False):
        assert _expected(form)(each)
        assert _holds(each.everything, *(KEYS[other] for other in KEYS if other != form)) == []
    assert _holds(seen[-1].everything, *KEYS.values()) == []


def test_a_rotated_file_is_used(place: Place) -> None:
    """Within seconds, and what it was before is still masked."""
    place.key_file.write_text("planted-file-rotated")
    try:
        _until(lambda: "planted-file-rotated" in (place.curl("file", "/plain") and place.last().everything))
        place.mirror.says = f"{KEYS['file']} planted-file-rotated"
        assert _holds(place.curl("file", "/says")[1], KEYS["file"], "planted-file-rotated") == []
    finally:
        place.key_file.write_text(KEYS["file"])
        _until(lambda: KEYS["file"] in (place.curl("file", "/plain") and place.last().everything))


def test_a_credential_that_is_gone_refuses(place: Place) -> None:
    """503; the call does not go without it."""
    place.key_file.unlink()
    try:
        _until(lambda: place.curl("file", "/plain")[0] == 503)
        place.mirror.seen.clear()
        status, back = place.curl("file", "/plain")
        assert status == 503
        assert "credential-unavailable" in back
        assert not list(place.mirror.seen)
    finally:
        place.key_file.write_text(KEYS["file"])
        _until(lambda: place.curl("file", "/plain")[0] == 200)


def _until(met: Callable[[], object]) -> None:
    ends = time.monotonic() + PATIENCE
    while not met():
        assert time.monotonic() < ends


def test_a_client_certificate_is_its_targets(place: Place) -> None:
    """Each target its own; none for a target that has none, though it is the same server."""
    for name, user in (("certificate", "gateway-one"), ("certificate-2", "gateway-two"), ("combined", "gateway-one")):
        status, back = place.curl(name, "/echo")
        assert status == 200, back
        seen = list(place.locked.seen)[-1]
        assert seen.user == user
        assert seen.header("authorization") == ([f"Bearer {KEYS['combined']}"] if name == "combined" else [])
        assert _holds(back, KEYS["combined"]) == []
    place.locked.seen.clear()
    assert place.curl("no-certificate", "/echo")[0] == 502
    assert not list(place.locked.seen)


def test_a_renewed_certificate_is_used(place: Place) -> None:
    """The files are other ones: new connections show it, and no call fails between."""
    before = tuple(file.read_bytes() for file in place.pair)
    try:
        _swap(place, (place.certificates[2].certificate.read_bytes(), place.certificates[2].key.read_bytes()))
        _until(lambda: place.curl("certificate", "/plain") and list(place.locked.seen)[-1].user == "gateway-renewed")
    finally:
        _swap(place, before)
        _until(lambda: place.curl("certificate", "/plain") and list(place.locked.seen)[-1].user == "gateway-one")


def _swap(place: Place, contents: tuple[bytes, ...]) -> None:
    for file, content in zip(place.pair, contents, strict=True):
        file.write_bytes(content)


def test_certificate_connections_are_one_agents(place: Place) -> None:
    """Behind a reverse listener agents may share a connection, but not the one that a certificate opened."""
    installed = place.installed
    trust = ssl.create_default_context(cafile=str(installed.ca))
    trust.check_hostname = False
    ada, bob = installed.token("ada"), installed.token("bob")

    def ask(connection: http.client.HTTPSConnection, token: str) -> tuple[int, str]:
        host = {"Host": f"certificate-gateway.internal:{installed.reverse_port}", "Authorization": f"Bearer {token}"}
        connection.request("GET", "/plain", headers=host)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()

    with (
        closing(_Named("127.0.0.1", installed.reverse_port, context=trust)) as shared,
        closing(_Named("127.0.0.1", installed.reverse_port, context=trust)) as other,
    ):
        assert ask(shared, ada)[0] == 200
        status, body = ask(shared, bob)
        assert status == 421
        assert json.loads(body)["code"] == "misdirected"
        assert ask(other, bob)[0] == 200
        assert ask(shared, ada)[0] == 200
        assert ask(other, ada)[0] == 421
    used = [seen.connection for seen in place.locked.seen]
    assert len(used) == 3
    assert used[0] == used[2] != used[1]
    assert {seen.user for seen in place.locked.seen} == {"gateway-one"}


class _Named(http.client.HTTPSConnection):
    """Says the listener's name in its handshake."""

    def connect(self) -> None:
        http.client.HTTPConnection.connect(self)
        self.sock = self._context.wrap_socket(self.sock, server_hostname="certificate-gateway.internal")


def _s3(place: Place, path: str, *options: str) -> tuple[int, str]:
    answer = place.installed.curl(f"http://{S3}{path}", *options)
    return answer.status, answer.body.decode("latin-1")


def test_calls_to_aws_are_signed(place: Place) -> None:
    """moto compares: objects put, listed and read, odd names and queries; by curl, which signs nothing."""
    for name, body in (("a.txt", "one"), ("dir/b%20c%2Bd.txt", "two"), ("e~f-%28g%29", "three"), ("empty", "")):
        status, answer = _s3(place, f"/papers/{name}", "-X", "PUT", "--data-binary", body, "-H", "Content-Type: text/x")
        assert status == 200, answer
        assert _s3(place, f"/papers/{name}", "-H", "X-Amz-Meta-Note: 1") == (200, body)
    status, listed = _s3(place, "/papers?list-type=2&prefix=dir%2F&max-keys=5")
    assert status == 200
    assert "dir/b c+d.txt" in listed


def test_what_an_agent_signs_itself_is_replaced(place: Place) -> None:
    """A real SDK with keys that nobody knows: the calls go by the gateway's."""
    boto3 = pytest.importorskip("boto3")
    from botocore.config import Config

    proxy = f"http://agent:{place.installed.token()}@127.0.0.1:{place.installed.proxy_port}"
    config = Config(proxies={"http": proxy}, s3={"addressing_style": "path"}, retries={"max_attempts": 0},
                    request_checksum_calculation="when_required")  # fmt: skip
    client = boto3.client("s3", region_name="eu-west-1", endpoint_url=f"http://{S3}", aws_access_key_id="AKIDAGENT",
                          aws_secret_access_key="agents-own", aws_session_token="agents-session", config=config)  # fmt: skip
    client.put_object(Bucket="papers", Key="by/sdk +.txt", Body=b"four", Metadata={"note": "x"})
    assert client.get_object(Bucket="papers", Key="by/sdk +.txt")["Body"].read() == b"four"
    assert [each["Key"] for each in client.list_objects_v2(Bucket="papers", Prefix="by/")["Contents"]] == [
        "by/sdk +.txt"
    ]
    presigned = client.generate_presigned_url("get_object", Params={"Bucket": "papers", "Key": "a.txt"})
    answer = place.installed.curl(presigned)
    assert answer.status == 400
    assert "presigned" in answer.json["detail"]
    chunked = ("-H", "Content-Encoding: aws-chunked", "-H", "X-Amz-Decoded-Content-Length: 1", "--data-binary", "x")
    answer = place.installed.curl(f"http://{S3}/papers/chunked", "-X", "PUT", *chunked)
    assert answer.status == 400
    assert "AWS_REQUEST_CHECKSUM_CALCULATION" in answer.json["detail"]


def test_a_wrong_key_is_seen_by_aws(place: Place) -> None:
    """So it is the signature that opens it."""
    answer = place.installed.curl("http://wrong.corp.example/papers/a.txt")
    assert answer.status == 403
    assert b"SignatureDoesNotMatch" in answer.body


def test_a_signature_covers_what_arrives_and_does_not_come_back(place: Place) -> None:
    """Over both versions of HTTP; the key's name and the signature are masked in echoes."""
    for version in ("--http1.1", "--http2"):
        body = "a" * 300_000
        (upload := place.installed.directory / "upload").write_text(body)
        status, back = place.curl("aws-mirror", "/echo?b=1", version, "-X", "POST", "--data-binary", f"@{upload}",
                                  "-H", "X-Amz-Acl: private", "-H", "X-Amz-Security-Token: agents-own")  # fmt: skip
        assert status == 200
        seen = place.last()
        [authorization] = seen.header("authorization")
        signature = authorization.rpartition("Signature=")[2]
        assert seen.header("x-amz-content-sha256") == [hashlib.sha256(body.encode()).hexdigest()]
        assert "x-amz-acl" in authorization
        assert seen.header("x-amz-security-token") == []
        assert seen.header("host") == ["aws-mirror.corp.example"]
        assert _holds(back, AWS_KEY, AWS_ID, signature) == []


def test_nothing_of_it_is_written_down(place: Place) -> None:
    """Journal, recordings, store, logs, metrics, what the agent API tells: every file of the gateway, in any spelling.

    The client certificate's own file is the one exception: TLS loads it from there.
    """
    for form in (*FORMS, "aws-mirror", "combined"):
        assert place.curl(form, "/echo?api_key=x")[0] == 200
    place.mirror.seen.clear()
    own = spellings([*KEYS.values(), AWS_KEY, AWS_ID])
    files = [file for file in place.installed.data.rglob("*") if file.is_file()]
    assert any("journal" in str(file) for file in files)
    for file in files:
        content = file.read_bytes()
        assert [form for form in own if form in content] == [], file
    printed = place.process.output.encode()
    assert [form for form in own if form in printed] == []
    shown = place.installed.gatehold("recordings", "list", check=False).stdout
    assert _holds(shown, *KEYS.values()) == []
    journal = b"".join(file.read_bytes() for file in files if "journal" in str(file))
    assert b"/echo?api_key=" in journal  # as the agent sent it
