"""Law: around a masked body nothing tells what the mask hides, and no shared cache keeps it for somebody else."""

import gzip
import json
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from gatehold.demo.serving import serve
from tests.e2e.harness import CRM_TOKEN, GatewayProcess, Installation, installation, running

EMAIL = "ada.planted@example.com"
URL = "http://odd.corp.example"
CONFIGURATION = """
apiVersion: gatehold.dev/v1
kind: Target
metadata: {name: odd}
spec:
  family: http
  scheme: http
  hosts: ["odd.corp.example:80"]
  connect: 127.0.0.1:@ODD@
  allowPrivate: true
  credential: {header: Authorization, prefix: "Bearer ", value: "${env:CRM_TOKEN}"}
---
apiVersion: gatehold.dev/v1
kind: Policy
metadata: {name: odd}
rules:
  - {name: odd, effect: allow, http: {targets: [odd], methods: [GET, HEAD], paths: ["/**"]}}
  - {name: odd-masked, effect: constrain, http: {targets: [odd], paths: ["/masked/**"]}, mask: {profiles: [pii]}}
"""


@dataclass(slots=True, kw_only=True)
class Odd:
    """An upstream that answers whatever it is told to."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    asked: dict[str, str] = field(default_factory=dict)

    async def __call__(self, scope: Any, receive: Any, send: Callable[[Any], Awaitable[None]]) -> None:
        """ASGI."""
        if scope["type"] != "http":
            return
        self.asked = {name.decode(): value.decode() for name, value in scope["headers"]}
        fields = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": fields})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self.body})


@pytest.fixture(scope="module")
def odd() -> Iterator[tuple[Odd, int]]:
    upstream = Odd()
    with serve(upstream) as running_server:
        yield upstream, running_server.port


@pytest.fixture(scope="module")
def installed(odd: tuple[Odd, int], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("masked")) as made:
        made.configure()
        made.write("odd.yaml", CONFIGURATION.replace("@ODD@", str(odd[1])))
        yield made


@pytest.fixture(scope="module")
def gateway(installed: Installation) -> Iterator[GatewayProcess]:
    with running(installed) as process:
        yield process


@pytest.fixture
def upstream(odd: tuple[Odd, int], gateway: GatewayProcess) -> Odd:
    """As it is before a test tells it what to answer."""
    made = odd[0]
    made.status, made.headers, made.body, made.asked = 200, {}, b"", {}
    return made


def test_headers_around_a_masked_body(upstream: Odd, installed: Installation) -> None:
    """Names and values; validators, cookies and directions for caches are gone."""
    upstream.headers = {
        "Content-Type": "application/json", "ETag": '"a"', "Set-Cookie": "a=b", "Alt-Svc": 'h3=":443"', "X-Owner": EMAIL,
        "X-536-22-1234": "1", "Location": f"/users/{EMAIL}", "Link": f"</u/{EMAIL}>; rel=next", "Last-Modified": "x",
        "Cache-Control": "public, max-age=600", "Digest": "x", "Accept-Ranges": "bytes",
    }  # fmt: skip
    upstream.body = json.dumps({"mail": EMAIL}).encode()
    answer = installed.curl(
        f"{URL}/masked/a", "-H", "Range: bytes=0-3", "-H", "If-None-Match: x", "-H", "Want-Digest: x"
    )
    assert not {"range", "if-none-match", "want-digest"} & set(upstream.asked)
    assert upstream.asked["accept-encoding"] == "gzip, zstd, br"
    assert answer.json == {"mail": "<EMAIL_ADDRESS>"}
    assert EMAIL not in str(answer.headers)
    gone = {"etag", "set-cookie", "alt-svc", "last-modified", "digest", "accept-ranges", "x-536-22-1234"}
    assert not gone & set(answer.headers)
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["gatehold-masked"] == "EMAIL_ADDRESS=4"
    assert int(answer.headers["content-length"]) == len(answer.body)


@pytest.mark.parametrize("status", [400, 404, 500])
def test_errors_are_masked(upstream: Odd, installed: Installation, status: int) -> None:
    """They quote what was asked for."""
    upstream.status, upstream.headers = status, {"Content-Type": "text/plain"}
    upstream.body = f"no such user {EMAIL}".encode()
    answer = installed.curl(f"{URL}/masked/a")
    assert (answer.status, answer.body) == (status, b"no such user <EMAIL_ADDRESS>")


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (206, {"Content-Type": "text/plain", "Content-Range": "bytes 0-9/100"}, b"ada.planted"),
        (200, {"Content-Type": "multipart/byteranges; boundary=x"}, b"--x\r\n\r\nada.planted\r\n--x--"),
        (200, {"Content-Type": "image/png"}, b"\x89PNG ada.planted"),
        (200, {"Content-Type": "text/plain; charset=utf-7"}, b"ada.planted"),
        (200, {"Content-Type": "text/plain", "Content-Encoding": "compress"}, b"ada.planted"),
        (200, {"Content-Type": "text/event-stream; charset=utf-7", "Content-Length": "11"}, b"ada.planted"),
    ],
)
def test_what_cannot_be_masked_is_withheld(
    upstream: Odd, installed: Installation, status: int, headers: dict[str, str], body: bytes
) -> None:
    """In the gateway's own words."""
    upstream.status, upstream.headers, upstream.body = status, headers, body
    answer = installed.curl(f"{URL}/masked/a")
    assert (answer.status, answer.json["code"]) == (502, "unmaskable")
    assert b"ada.planted" not in answer.body + repr(answer.headers).encode()


@pytest.mark.parametrize("path", ["/masked/a", "/plain/a"])
@pytest.mark.parametrize(
    "body",
    [CRM_TOKEN.encode(), CRM_TOKEN.encode().hex().encode(), CRM_TOKEN[::-1].encode(), gzip.compress(CRM_TOKEN.encode(), mtime=0),
     zlib.compress(CRM_TOKEN.encode())],
    ids=["raw", "hex", "reversed", "gzip file", "zlib file"],
)  # fmt: skip
def test_the_credential_comes_back_in_no_disguise(
    upstream: Odd, installed: Installation, path: str, body: bytes
) -> None:
    """Masked or not, declared or not."""
    upstream.headers = {
        "Content-Type": "text/plain",
        "Content-Length": str(len(body)),
        "X-Echo": CRM_TOKEN.encode().hex(),
    }
    upstream.body = body
    answer = installed.curl(f"{URL}{path}")
    assert body not in answer.body
    assert answer.status == 502 or answer.body == b"***"
    assert CRM_TOKEN.encode().hex() not in str(answer.headers)


def test_head_tells_no_size(upstream: Odd, installed: Installation) -> None:
    """That before masking."""
    upstream.headers = {"Content-Type": "application/json", "Content-Length": "1234"}
    answer = installed.curl(f"{URL}/masked/a", "-I")
    assert answer.status == 200
    assert answer.headers.get("content-length") in (None, "0")


def test_a_large_body_is_masked_like_a_small_one(upstream: Odd, installed: Installation) -> None:
    """In another process, once there is one."""
    upstream.headers = {"Content-Type": "application/json"}
    upstream.body = json.dumps([{"mail": f"u{at}.planted@example.com", "n": at} for at in range(3000)]).encode()
    for _ in range(4):
        answer = installed.curl(f"{URL}/masked/a")
        assert answer.status == 200
        assert b"planted" not in answer.body
        assert answer.headers["gatehold-masked"] == "EMAIL_ADDRESS=3000"
        assert [each["n"] for each in answer.json] == list(range(3000))
