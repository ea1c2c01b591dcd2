"""Law: a receiver that checks as the standard says takes our messages, once repeated ones look the same to it, and no
message goes where the configuration does not lead."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from standardwebhooks.webhooks import Webhook as Receiver
from standardwebhooks.webhooks import WebhookVerificationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.model import Approval, ApprovalId, Body, Change
from gatehold.channels import dialling
from gatehold.channels.courier import Courier
from gatehold.channels.model import Delivery, Event, Undelivered
from gatehold.channels.webhook import Webhook
from gatehold.config.channels import WebhookSpec
from gatehold.demo.serving import serve
from gatehold.store import Store
from tests.gatehold.channels.conftest import HOSTILE, Clock, a_call

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OTHER = "whsec_" + base64.b64encode(b"o" * 32).decode()


class Endpoint:
    """A receiver: verifies with the standard's own library, and drops what it has had."""

    def __init__(self) -> None:
        self.answers: list[Response] = []
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.taken: dict[str, Any] = {}

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append((dict(request.headers), body))
        try:
            told = Receiver(SECRET).verify(body, dict(request.headers))
        except WebhookVerificationError as error:
            return Response(str(error), 401)
        if self.answers:
            return self.answers.pop(0)
        self.taken[request.headers["webhook-id"]] = told
        return Response(status_code=204)


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint()


@pytest.fixture
def url(endpoint: Endpoint) -> Iterator[str]:
    app = Starlette(routes=[Route("/hook", endpoint.receive, methods=["GET", "POST"])])
    with serve(app) as server:
        yield f"http://127.0.0.1:{server.port}/hook?from=gatehold"


def a_webhook(url: str, monkeypatch: pytest.MonkeyPatch, *, secret: str = SECRET, **more: Any) -> Webhook:
    monkeypatch.setenv("HOOK_SECRET", secret)
    spec = WebhookSpec.model_validate({"url": url, "secret": "${env:HOOK_SECRET}", **more})
    return Webhook("ops", spec, lambda approval: f"https://gatehold.example/approvals/{approval}")


def a_delivery(approval: Approval) -> Delivery:
    return Delivery(
        id="msg_1", channel="ops", approval=ApprovalId(approval.id), event=Event.OPENED, created=1_700_000_000.0,
        attempts=1, reference=None,
    )  # fmt: skip


async def test_what_is_told(url: str, endpoint: Endpoint, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who, what, why, until when and where to answer; neither the body nor the change."""
    call = a_call(
        path=f"/customers/{HOSTILE}",
        body=Body(text="body-text", content_type="text/plain", size=9),
        change=Change(diff="+ diff-text"),
    )
    approval = desk.open_or_join(call)
    await a_webhook(url, monkeypatch).tell(a_delivery(approval), approval)
    [(headers, body)] = endpoint.requests
    told = endpoint.taken["msg_1"]
    assert (told["type"], told["timestamp"]) == ("approval.opened", "2023-11-14T22:13:20Z")
    data = told["data"]
    assert data["url"] == f"https://gatehold.example/approvals/{approval.id}"
    assert data["agent"] == {"issuer": "corp", "subject": "a1", "session": "s-1"}
    assert (data["state"], data["rule"], data["message"]) == ("pending", "ask", "Think twice.")
    assert (data["method"], data["target"], data["groups"], data["count"]) == ("DELETE", "crm", [["sre"]], 1)
    assert "<U+202E><U+001B>[31m" in data["path"]
    assert b"body-text" not in body
    assert b"diff-text" not in body
    assert body.isascii()
    assert (headers["content-type"], headers["user-agent"]) == ("application/json", "gatehold")
    assert headers["host"] == urlsplit(url).netloc


async def test_a_receiver_can_tell_forgeries_and_old_messages(
    url: str, endpoint: Endpoint, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One changed byte, another id, an old time: all refused by the library."""
    approval = desk.open_or_join(a_call())
    await a_webhook(url, monkeypatch).tell(a_delivery(approval), approval)
    [(headers, body)] = endpoint.requests
    receiver = Receiver(SECRET)
    receiver.verify(body, headers)
    for changed in ({"webhook-id": "msg_2"}, {"webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}):
        with pytest.raises(WebhookVerificationError):
            receiver.verify(body, headers | changed)
    with pytest.raises(WebhookVerificationError):
        receiver.verify(body.replace(b"DELETE", b"REMOVE"), headers)
    with pytest.raises(WebhookVerificationError):
        Receiver(OTHER).verify(body, headers)
    past = Webhook("ops", a_webhook(url, monkeypatch)._spec, str, clock=lambda: 1_700_000_000.0)
    with pytest.raises(Undelivered, match="answers 401"):
        await past.tell(a_delivery(approval), approval)


async def test_a_secret_that_is_being_replaced(
    url: str, endpoint: Endpoint, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both sign."""
    approval = desk.open_or_join(a_call())
    await a_webhook(url, monkeypatch, secret=f"{OTHER} {SECRET}").tell(a_delivery(approval), approval)
    [(headers, body)] = endpoint.requests
    Receiver(OTHER).verify(body, headers)
    Receiver(SECRET).verify(body, headers)


async def test_an_error_is_tried_again_under_the_same_id(
    *, url: str, endpoint: Endpoint, desk: ApprovalDesk, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500, then 204: the receiver has it once."""
    endpoint.answers = [Response(status_code=500)]
    courier = Courier(a_webhook(url, monkeypatch), store, lambda *_: True, life=1000.0, clock=clock)
    desk.open_or_join(a_call())
    await courier.turn()
    assert endpoint.taken == {}
    clock.now += 60
    await courier.turn()
    assert len({headers["webhook-id"] for headers, _ in endpoint.requests}) == 1
    assert len(endpoint.requests) == 2
    assert len(endpoint.taken) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_redirects_are_not_followed(
    url: str, endpoint: Endpoint, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    endpoint.answers = [RedirectResponse(url, status)]
    approval = desk.open_or_join(a_call())
    with pytest.raises(Undelivered, match=f"answers {status}") as undelivered:
        await a_webhook(url, monkeypatch).tell(a_delivery(approval), approval)
    assert not undelivered.value.final
    assert len(endpoint.requests) == 1


async def test_a_receiver_that_wants_no_more(
    url: str, endpoint: Endpoint, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """410 is final, and nothing is sent there afterwards."""
    endpoint.answers = [Response(status_code=410)]
    webhook, approval = a_webhook(url, monkeypatch), desk.open_or_join(a_call())
    for _ in range(2):
        with pytest.raises(Undelivered) as undelivered:
            await webhook.tell(a_delivery(approval), approval)
        assert undelivered.value.final
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(("value", "seconds"), [("7", 7.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("-1", 0.0)])
async def test_a_receiver_that_is_busy(
    *, url: str, endpoint: Endpoint, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch, value: str, seconds: float
) -> None:
    endpoint.answers = [Response(status_code=429, headers={"Retry-After": value})]
    approval = desk.open_or_join(a_call())
    with pytest.raises(Undelivered) as undelivered:
        await a_webhook(url, monkeypatch).tell(a_delivery(approval), approval)
    assert undelivered.value.retry_after == seconds


async def test_https_and_whom_it_trusts(
    endpoint: Endpoint, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By the certificates that are named, and by no others."""
    authority, trusted, chain = trustme.CA(), tmp_path / "ca.pem", tmp_path / "chain.pem"
    authority.cert_pem.write_to_path(trusted)
    made = authority.issue_cert("localhost")
    made.private_key_and_cert_chain_pem.write_to_path(chain)
    approval = desk.open_or_join(a_call())
    with serve(
        Starlette(routes=[Route("/", endpoint.receive, methods=["POST"])]), certificate=(chain, chain)
    ) as server:
        url = f"https://localhost:{server.port}/"
        await a_webhook(url, monkeypatch, ca=str(trusted)).tell(a_delivery(approval), approval)
        with pytest.raises(Undelivered, match="localhost: ConnectError"):
            await a_webhook(url, monkeypatch).tell(a_delivery(approval), approval)
    assert len(endpoint.taken) == 1


@pytest.mark.parametrize(
    ("host", "address", "private", "goes"),
    [
        ("hooks.example", "8.8.8.8", False, True),
        ("hooks.example", "10.0.0.7", False, False),
        ("hooks.example", "10.0.0.7", True, True),
        ("hooks.example", "127.0.0.1", False, False),
        ("hooks.example", "::ffff:10.0.0.7", False, False),
        ("hooks.example", "169.254.169.254", True, False),
        ("localhost", "127.0.0.1", False, True),
        ("localhost", "10.0.0.7", False, False),
        ("127.0.0.1", "127.0.0.1", False, True),
    ],
)
async def test_where_it_may_go(
    monkeypatch: pytest.MonkeyPatch, host: str, address: str, private: bool, goes: bool
) -> None:
    """What the name leads to is judged, not the name."""

    async def found(*_: Any, **__: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, 443))]

    loop = dialling.asyncio.get_running_loop()
    monkeypatch.setattr(loop, "getaddrinfo", found)
    parts = urlsplit(f"https://{host}/hook")
    if goes:
        assert await dialling.dialable(parts, allow_private=private) == [address]
    else:
        with pytest.raises(Undelivered):
            await dialling.dialable(parts, allow_private=private)


async def test_secrets_are_not_told(
    url: str, desk: ApprovalDesk, monkeypatch: pytest.MonkeyPatch, make_bad: Callable[[], str]
) -> None:
    """Neither the signing secret nor the address, which is often one."""
    webhook = a_webhook(url, monkeypatch, secret=make_bad())
    approval = desk.open_or_join(a_call())
    with pytest.raises(Undelivered) as undelivered:
        await webhook.tell(a_delivery(approval), approval)
    assert make_bad() not in str(undelivered.value)
    assert "from=gatehold" not in repr(webhook) + repr(webhook._spec) + str(undelivered.value)


@pytest.fixture(params=["short", "whsec_!!!", "whsec_" + base64.b64encode(b"x" * 8).decode()])
def make_bad(request: pytest.FixtureRequest) -> Callable[[], str]:
    return lambda: str(request.param)
