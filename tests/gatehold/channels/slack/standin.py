"""A stand-in for Slack: its Web API, Socket Mode, addresses for answers, and the people who press and type.

It refuses what the real one refuses: tokens, channels, blocks against the published limits, triggers older than three
seconds or used twice, connections without a fresh ticket, requests that are not acknowledged within three seconds.
"""

import asyncio
import hashlib
import hmac
import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from gatehold.demo.serving import serve
from tests.gatehold.channels.slack.blocks import flaws, view_flaws

BOT, APP, SIGNING = "xoxb-planted-bot-token", "xapp-planted-app-token", "planted-signing-secret"
CHANNEL, TEAM = "C0APPROVALS", "T0CORP"
PATIENCE = 3.0
"""Seconds within which Slack wants an acknowledgement, and for which a trigger is good."""
UNTIL = 30.0


class NotAcknowledged(AssertionError):
    """What Slack shows as a warning sign to whoever pressed."""


@dataclass
class Slack:
    """One workspace with one app and one channel."""

    url: str = ""
    hook: str = ""
    """Where documents are sent by HTTP; empty: by Socket Mode."""
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """``ts`` to the message as it is now."""
    history: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Every call: its method and arguments."""
    told: list[tuple[str, str]] = field(default_factory=list)
    """What one account alone saw: account and text."""
    views: list[dict[str, Any]] = field(default_factory=list)
    failing: list[Response] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _triggers: dict[str, float] = field(default_factory=dict)
    _tickets: set[str] = field(default_factory=set)
    _responses: dict[str, list[Any]] = field(default_factory=dict)
    _socket: WebSocket | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _acknowledged: dict[str, threading.Event] = field(default_factory=dict)

    # What the app calls.

    async def api(self, request: Request) -> Response:
        method = request.path_params["method"]
        if self.failing:
            return self.failing.pop(0)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        wanted = APP if method == "apps.connections.open" else BOT
        if token != wanted:
            return self._error("invalid_auth" if token else "not_authed")
        body = await request.body()
        arguments = json.loads(body) if "json" in request.headers.get("content-type", "") else {}
        calls = {
            "chat.postMessage": self._post, "chat.update": self._update, "chat.postEphemeral": self._whisper,
            "views.open": self._open, "apps.connections.open": self._connect,
        }  # fmt: skip
        if method not in calls:
            return self._error("unknown_method")
        answer = calls[method](arguments)
        with self.changed:
            self.history.append((method, arguments))
            self.changed.notify_all()
        return answer

    def _post(self, arguments: dict[str, Any]) -> Response:
        if arguments.get("channel") not in (CHANNEL, "D0ALICE"):
            return self._error("channel_not_found")
        return self._invalid(arguments) or self._kept(arguments, f"1700000000.{next(self._numbers):06d}")

    def _update(self, arguments: dict[str, Any]) -> Response:
        if arguments.get("ts") not in self.messages or arguments.get("channel") != CHANNEL:
            return self._error("message_not_found")
        return self._invalid(arguments) or self._kept(arguments, arguments["ts"])

    def _invalid(self, arguments: dict[str, Any]) -> Response | None:
        if not arguments.get("text") and not arguments.get("blocks"):
            return self._error("no_text")
        wrong = flaws(arguments.get("blocks") or [])
        return self._error("invalid_blocks", wrong) if wrong else None

    def _kept(self, arguments: dict[str, Any], ts: str) -> Response:
        with self.changed:
            self.messages[ts] = arguments
            self.changed.notify_all()
        return JSONResponse({"ok": True, "channel": arguments["channel"], "ts": ts})

    def _whisper(self, arguments: dict[str, Any]) -> Response:
        if arguments.get("channel") != CHANNEL:
            return self._error("channel_not_found")
        self._heard(arguments["user"], arguments["text"])
        return JSONResponse({"ok": True, "message_ts": "1700000001.000001"})

    def _open(self, arguments: dict[str, Any]) -> Response:
        given = self._triggers.pop(arguments.get("trigger_id", ""), None)
        if given is None:
            return self._error("invalid_trigger_id")
        if time.monotonic() - given > PATIENCE:
            return self._error("expired_trigger_id")
        wrong = view_flaws(arguments["view"])
        if wrong:
            return self._error("invalid_arguments", wrong)
        self.views.append(arguments["view"])
        return JSONResponse({"ok": True, "view": arguments["view"]})

    def _connect(self, _: dict[str, Any]) -> Response:
        ticket = f"ticket-{next(self._numbers)}"
        self._tickets.add(ticket)
        return JSONResponse({"ok": True, "url": f"{self.url.replace('http', 'ws')}/link/?ticket={ticket}"})

    def _error(self, code: str, wrong: list[str] | None = None) -> Response:
        with self.changed:
            self.history.append((f"error {code}", {"flaws": wrong or []}))
            self.changed.notify_all()
        return JSONResponse({"ok": False, "error": code, "response_metadata": {"messages": wrong or []}})

    async def respond(self, request: Request) -> Response:
        """A ``response_url``: good five times."""
        key = request.path_params["key"]
        if key not in self._responses or self._responses[key][1] >= 5:
            return Response("used_url", 404)
        self._responses[key][1] += 1
        answer = await request.json()
        if answer.get("response_type") != "ephemeral" or answer.get("replace_original"):
            return Response("unexpected", 500)
        self._heard(self._responses[key][0], answer["text"])
        return Response("ok")

    async def link(self, socket: WebSocket) -> None:
        """Socket Mode."""
        ticket = socket.query_params.get("ticket", "")
        if ticket not in self._tickets:
            await socket.close(4000)
            return
        self._tickets.remove(ticket)
        await socket.accept()
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A0"}})
        with self.changed:
            self._socket, self._loop = socket, asyncio.get_running_loop()
            self.changed.notify_all()
        try:
            while True:
                answer = await socket.receive_json()
                self._acknowledged[answer["envelope_id"]].set()
        except WebSocketDisconnect:
            with self.changed:
                if self._socket is socket:
                    self._socket = None

    # What people do.

    def press(self, ts: str, action_id: str, account: str, *, team: str = TEAM, **changes: Any) -> None:
        """Press a button of a message as it is now."""
        [block] = [each for each in self.messages[ts]["blocks"] if each["type"] == "actions"]
        [action] = [each for each in block["elements"] if each["action_id"] == action_id]
        trigger = f"trigger-{next(self._numbers)}"
        self._triggers[trigger] = time.monotonic()
        payload = {
            "type": "block_actions", "team": {"id": TEAM}, "api_app_id": "A0",
            "user": {"id": account, "team_id": team, "username": "x"},
            "channel": {"id": CHANNEL, "name": "approvals"}, "trigger_id": trigger,
            "container": {"type": "message", "message_ts": ts, "channel_id": CHANNEL},
            "actions": [{**action, "block_id": block["block_id"], "action_ts": "1"}],
            "response_url": self._response_url(account),
        }  # fmt: skip
        self.send("interactive", payload | changes)

    def submit(self, view: Mapping[str, Any], reason: str | None, account: str) -> None:
        """Send a form."""
        payload = {
            "type": "view_submission", "team": {"id": TEAM}, "user": {"id": account, "team_id": TEAM},
            "view": {**view, "id": "V0", "state": {"values": {"gatehold-reason": {"gatehold-reason": {
                "type": "plain_text_input", "value": reason}}}}}, "response_urls": [],
        }  # fmt: skip
        self.send("interactive", payload)

    def command(self, text: str, account: str, *, team: str = TEAM) -> None:
        """Write ``/gatehold ...``."""
        fields = {"command": "/gatehold", "text": text, "team_id": team, "user_id": account, "channel_id": CHANNEL,
                  "response_url": self._response_url(account), "trigger_id": "t"}  # fmt: skip
        self.send("slash_commands", fields)

    def write(self, text: str, account: str, **changes: Any) -> None:
        """Write to the app alone."""
        event = {"type": "message", "channel": "D0ALICE", "channel_type": "im", "user": account, "text": text,
                 "team": TEAM, "ts": "1"}  # fmt: skip
        self.send("events_api", {"type": "event_callback", "team_id": TEAM, "event": event | changes})

    def send(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Deliver a document the way the app chose. Raises NotAcknowledged."""
        if self.hook:
            self._by_http(kind, payload)
        else:
            self._by_socket(kind, payload)

    def signed(self, body: bytes, *, at: float | None = None, secret: str = SIGNING) -> dict[str, str]:
        """The headers of a request."""
        seconds = str(int(time.time() if at is None else at))
        signature = hmac.new(secret.encode(), f"v0:{seconds}:".encode() + body, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": seconds, "X-Slack-Signature": f"v0={signature}"}

    def _by_http(self, kind: str, payload: Mapping[str, Any]) -> None:
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        if kind == "events_api":
            body, form = json.dumps(payload).encode(), {"Content-Type": "application/json"}
        elif kind == "interactive":
            body = urlencode({"payload": json.dumps(payload)}).encode()
        else:
            body = urlencode(payload).encode()
        answer = httpx2.post(
            self.hook, content=body, headers=form | self.signed(body), timeout=PATIENCE, trust_env=False
        )
        if answer.status_code != 200 or answer.content:
            raise NotAcknowledged(f"{answer.status_code} {answer.text}")

    def _by_socket(self, kind: str, payload: Mapping[str, Any]) -> None:
        self.until(lambda: self._socket is not None, "a connection")
        assert self._socket is not None
        assert self._loop is not None
        envelope = f"envelope-{next(self._numbers)}"
        self._acknowledged[envelope] = threading.Event()
        document = {"envelope_id": envelope, "type": kind, "payload": payload, "accepts_response_payload": False}
        asyncio.run_coroutine_threadsafe(self._socket.send_json(document), self._loop).result(PATIENCE)
        if not self._acknowledged[envelope].wait(PATIENCE):
            raise NotAcknowledged(kind)

    def hang_up(self) -> None:
        """As Slack does every few hours."""
        self.until(lambda: self._socket is not None, "a connection")
        socket, loop = self._socket, self._loop
        assert socket is not None
        assert loop is not None
        self._socket = None
        document = {"type": "disconnect", "reason": "refresh_requested", "debug_info": {}}
        asyncio.run_coroutine_threadsafe(socket.send_json(document), loop).result(PATIENCE)

    # What is seen.

    def until(self, holds: Any, what: str) -> Any:
        """Wait until something holds, and return it."""
        with self.changed:
            found = self.changed.wait_for(holds, UNTIL)
        assert found, f"no {what}; there were {[method for method, _ in self.history]}, {self.told}"
        return found

    def hears(self, account: str, words: str) -> None:
        """Wait until one account is told something."""
        self.until(lambda: any(to == account and words in text for to, text in self.told), f"{words!r} for {account}")

    def shows(self, words: str) -> str:
        """Wait for a message with these words, and return its ``ts``."""
        found = lambda: [ts for ts, each in self.messages.items() if words in json.dumps(each["blocks"])]  # noqa: E731
        return str(self.until(found, f"message with {words!r}")[-1])

    def form(self) -> dict[str, Any]:
        """Wait for the next form, and take it."""
        self.until(lambda: self.views, "form")
        return self.views.pop(0)

    def _heard(self, account: str, text: str) -> None:
        with self.changed:
            self.told.append((account, text))
            self.changed.notify_all()

    def _response_url(self, account: str) -> str:
        key = f"r{next(self._numbers)}"
        self._responses[key] = [account, 0]
        return f"{self.url}/respond/{key}"


@contextmanager
def workspace() -> Iterator[Slack]:
    """A workspace that runs until the block ends."""
    slack = Slack()
    routes = [
        Route("/api/{method}", slack.api, methods=["POST"]),
        Route("/respond/{key}", slack.respond, methods=["POST"]),
        WebSocketRoute("/link/", slack.link),
    ]
    with serve(Starlette(routes=routes)) as server:
        slack.url = server.url
        yield slack
