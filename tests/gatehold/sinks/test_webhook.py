"""Law: a webhook gets lines of the journal as they are, signed; whatever it answers but 2xx, it is told again."""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from pydantic import TypeAdapter

from gatehold.channels import signing
from gatehold.config.recordings import SinkWebhookSpec
from gatehold.sinks.model import NotTaken
from gatehold.sinks.webhook import EventWebhook
from recordings.lines import Line

type Lines = Callable[[int], list[Line]]
SECRET = "whsec_" + "QUFB" * 10


class Receiver:
    """An HTTP server that answers what it is told to."""

    def __init__(self) -> None:
        self.status = 204
        self.headers: dict[str, str] = {}
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.port = 0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """It listens."""
    this = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            this.got.append(({key.lower(): value for key, value in self.headers.items()}, body))
            self.send_response(this.status)
            for key, value in this.headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        this.port = server.server_port
        Thread(target=server.serve_forever, daemon=True).start()
        yield this
        server.shutdown()


def webhook(receiver: Receiver, **more: str) -> EventWebhook:
    """The sink."""
    given = {"url": f"http://127.0.0.1:{receiver.port}/hook", **more}
    spec = TypeAdapter(SinkWebhookSpec).validate_python(given, context={"base": Path("/")})
    return EventWebhook(spec, clock=lambda: 1_800_000_000.0)


def test_it_gets_json_lines_signed(receiver: Receiver, make_lines: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    """By Standard Webhooks; the id is that of these lines, in every attempt."""
    monkeypatch.setenv("HOOK", SECRET)
    lines = make_lines(3)
    place = webhook(receiver, secret="${env:HOOK}")

    async def run() -> None:
        receiver.status = 500
        with pytest.raises(NotTaken, match="answers 500"):
            await place.put(lines)
        receiver.status = 204
        await place.put(lines)
        await place.close()

    asyncio.run(run())
    (first, body), (second, again) = receiver.got
    assert body == again == b"".join(line.raw + b"\n" for line in lines)
    assert first["content-type"] == "application/x-ndjson"
    assert first["webhook-id"] == second["webhook-id"] == f"{lines[0].chain}-{lines[0].seq}-{lines[-1].seq}"
    wanted = dict(signing.headers(first["webhook-id"], body, signing.keys(SECRET), now=1_800_000_000.0))
    assert {key: first[key] for key in wanted} == wanted
    assert SECRET not in str(receiver.got)


@pytest.mark.parametrize("status", [301, 307, 400, 401, 410, 429, 503])
def test_only_2xx_counts(receiver: Receiver, make_lines: Lines, status: int) -> None:
    """No redirect is followed; a wish to be left alone for a while is told."""
    receiver.status, receiver.headers = status, {"Retry-After": "17", "Location": f"http://127.0.0.1:{receiver.port}/x"}

    async def run() -> NotTaken:
        place = webhook(receiver)
        with pytest.raises(NotTaken) as raised:
            await place.put(make_lines(1))
        await place.close()
        return raised.value

    refused = asyncio.run(run())
    assert str(status) in refused.reason
    assert refused.retry_after == 17.0
    assert len(receiver.got) == 1


def test_nobody_is_there_or_the_secret_is_missing(
    receiver: Receiver, make_lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told without the path of the URL or a secret; nothing is posted unsigned."""
    monkeypatch.delenv("HOOK", raising=False)
    lines = make_lines(1)
    gone = Receiver()
    gone.port = 1

    async def run() -> None:
        for place in (webhook(gone), webhook(receiver, secret="${env:HOOK}")):
            with pytest.raises(NotTaken) as raised:
                await place.put(lines)
            assert "/hook" not in raised.value.reason
            with contextlib.suppress(NotTaken):
                await place.close()

    asyncio.run(run())
    assert receiver.got == []
