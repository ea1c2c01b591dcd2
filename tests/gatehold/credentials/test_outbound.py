"""Law: what is asked for credentials goes to https servers that are trusted (or this machine), follows nothing, reads
little, and whatever goes wrong is told by host and status, never by what was sent or answered."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.outbound import MAX_ANSWER, Answer, Outbound
from gatehold.credentials.sources import CredentialDelayed
from gatehold.demo.serving import RunningServer, serve

type Answering = Callable[[Request], Response]


class Server:
    """Answers as the test says and keeps what it was asked."""

    def __init__(self) -> None:
        self.answer: Answering = lambda _: JSONResponse({"ok": True})
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.hangs = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        self.asked.append((request.method, request.url.path, dict(request.headers), await request.body()))
        if self.hangs:
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        await self.answer(request)(scope, receive, send)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def plain(server: Server) -> Iterator[RunningServer]:
    with serve(server) as running:
        yield running


async def test_json_in_and_out(server: Server, plain: RunningServer) -> None:
    """What is asked is what was given; no encoding is accepted."""
    outbound = Outbound()
    answer = await outbound.post_json(f"{plain.url}/a", {"b": "c"}, {"X-Token": Secret("planted-1")})
    assert (answer.status, answer.value, answer.is_success) == (200, {"ok": True}, True)
    ((method, path, headers, body),) = server.asked
    assert (method, path, json.loads(body)) == ("POST", "/a", {"b": "c"})
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["x-token"] == "planted-1"
    assert "ok" not in repr(answer)


async def test_forms(server: Server, plain: RunningServer) -> None:
    """Encoded as HTML does it, in UTF-8."""
    await Outbound().post_form(f"{plain.url}/a", {"b": "c d&é"})
    assert server.asked[0][3] == b"b=c+d%26%C3%A9"
    assert server.asked[0][2]["content-type"] == "application/x-www-form-urlencoded"


async def test_a_refusal_is_an_answer_whatever_it_holds(server: Server, plain: RunningServer) -> None:
    """Its status says what it is; a page of HTML says no more."""
    server.answer = lambda _: Response(b"<html>planted", 403, media_type="text/html")
    answer = await Outbound().get(f"{plain.url}/a")
    assert (answer.status, answer.value) == (403, {})
    assert "planted" not in str(answer.failure())
    assert str(answer.failure("why")) == f"{plain.host}:{plain.port}: answers 403 (why)"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_redirects_are_not_followed(server: Server, plain: RunningServer, status: int) -> None:
    """Whoever else would get what is shown."""
    server.answer = lambda _: Response(status_code=status, headers={"location": f"{plain.url}/other"})
    with pytest.raises(CredentialDelayed, match=f"answers {status}; redirects are not followed"):
        await Outbound().post_form(f"{plain.url}/a", {"secret": "planted"})
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"", {}),
        (b"[]", {}),
        (b'"planted"', {}),
        (b'{"a": 1, "a": 2}', {}),
        (b'{"a": NaN}', {}),
        (b'{"a": 1e999}', {}),
        (b"\xef\xbb\xbf{}", {}),
        (b"\xff{}", {}),
        (b'{"a":' * 5000 + b"1" + b"}" * 5000, {}),
        (b"{}", {"content-encoding": "gzip"}),
        (b'{"a":"' + b"x" * MAX_ANSWER + b'"}', {}),
    ],
    ids=["nothing", "array", "text", "twice", "nan", "inf", "bom", "binary", "deep", "gzip", "large"],
)
async def test_an_answer_that_is_no_plain_object(
    server: Server, plain: RunningServer, body: bytes, headers: dict[str, str]
) -> None:
    """It is none, and nothing of it is repeated."""
    server.answer = lambda _: Response(body, headers=headers, media_type="application/json")
    with pytest.raises(CredentialDelayed) as told:
        await Outbound().get(f"{plain.url}/a")
    assert "planted" not in str(told.value)


async def test_no_proxy_of_the_environment(
    server: Server, plain: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could be this gateway."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert (await Outbound().get(f"{plain.url}/a")).is_success


async def test_whoever_hangs_is_given_up(server: Server, plain: RunningServer) -> None:
    """By the time of the whole exchange; nothing else waits with it."""
    server.hangs = True
    with pytest.raises(CredentialDelayed, match="no answer within"):
        await Outbound(timeout=0.05).get(f"{plain.url}/a")


@pytest.mark.parametrize(
    "url",
    [
        "http://idp.example/a",
        "ftp://127.0.0.1/a",
        "https://u:p@idp.example/a",
        "//127.0.0.1/a",
        "https:///a",
        "file:///a",
    ],
)
async def test_other_addresses_are_not_asked(url: str) -> None:
    """Secrets go over TLS, or stay on this machine."""
    with pytest.raises(CredentialUnavailable, match="only https"):
        await Outbound().get(url)


async def test_nobody_listens() -> None:
    """Told by the host alone."""
    with pytest.raises(CredentialDelayed, match=r"^127\.0\.0\.1:9: ConnectError$"):
        await Outbound().get("http://127.0.0.1:9/planted?planted=1")


async def test_what_no_header_can_carry_is_not_sent(server: Server, plain: RunningServer) -> None:
    """A line break in a secret begins no header."""
    for value in ("a\r\nX: y", "a\nb", "schlüssel ☃"):
        with pytest.raises(CredentialUnavailable) as told:
            await Outbound().get(f"{plain.url}/a", {"X-Token": Secret(value)})
        assert value not in str(told.value)
    assert server.asked == []


async def test_who_is_trusted(server: Server, tmp_path: Path) -> None:
    """Only whom its CA vouches for, by the name that is asked; another CA in the file counts from then on."""
    authority, other, ca = trustme.CA(), trustme.CA(), tmp_path / "ca.pem"
    leaf = authority.issue_cert("localhost")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    leaf.private_key_pem.write_to_path(str(key))
    for blob in leaf.cert_chain_pems:
        blob.write_to_path(str(chain), append=True)
    with serve(server, certificate=(chain, key)) as running:
        url = f"https://localhost:{running.port}/a"
        other.cert_pem.write_to_path(str(ca))
        outbound = Outbound(ca)
        with pytest.raises(CredentialDelayed, match="ConnectError"):
            await outbound.get(url)
        with pytest.raises(CredentialDelayed, match="ConnectError"):
            await Outbound().get(url)
        authority.cert_pem.write_to_path(str(ca))
        assert (await outbound.get(url)).is_success
        with pytest.raises(CredentialDelayed, match="ConnectError"):
            await outbound.get(url.replace("localhost", "127.0.0.1"))
        ca.write_text("no certificate")
        with pytest.raises(CredentialUnavailable, match="holds no certificates"):
            await outbound.get(url)
    assert len(server.asked) == 1


def test_texts_of_an_answer() -> None:
    """A member that is missing, empty or no text is named by what the whole should have been."""

    values: dict[str, Any] = {"a": "b", "c": "", "d": 1}
    answer = Answer(host="idp", status=200, value=values)
    assert answer.text("a", "token") == "b"
    for name in "cde":
        with pytest.raises(CredentialDelayed, match=r"^idp: its answer is no token$"):
            answer.text(name, "token")
