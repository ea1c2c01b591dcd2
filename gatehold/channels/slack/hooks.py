"""Slack over HTTP: requests to ``/hooks/slack/NAME``, which nobody but Slack can sign."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from gatehold.channels.slack import arriving
from gatehold.channels.slack.answering import Answers
from gatehold.channels.slack.signatures import Flaw, Signatures
from gatehold.config.values import CredentialUnavailable, SecretRef
from gatehold.store import Store
from gatehold.store.seldom import SeldomEvents

logger = logging.getLogger(__name__)

PREFIX: Final = "/hooks/slack/"
_MOST_FIELDS: Final = 40


class Hook:
    """The address of one channel."""

    def __init__(
        self, name: str, secret: SecretRef, answers: Answers, store: Store, clock: Callable[[], float]
    ) -> None:
        self._name = name
        self._secret = secret
        self._answers = answers
        self._clock = clock
        self._signatures = Signatures()
        self._refusals = SeldomEvents(store, clock)

    @property
    def route(self) -> Route:
        """Where Slack sends to."""
        return Route(f"{PREFIX}{self._name}", self.receive, methods=["POST"])

    async def receive(self, request: Request) -> Response:
        """Judge the signature, acknowledge, and do it meanwhile."""
        body, headers = await request.body(), request.headers
        try:
            secret = await asyncio.to_thread(self._secret.resolve)
        except CredentialUnavailable as error:
            logger.warning("gatehold: channel %s: %s", self._name, error)
            return PlainTextResponse("not available now", 503)
        times, signatures = headers.getlist("x-slack-request-timestamp"), headers.getlist("x-slack-signature")
        flaw = self._signatures.flaw(secret.reveal(), body, times, signatures, now=self._clock())
        if flaw is not None:
            await asyncio.to_thread(self._note, flaw)
            return PlainTextResponse(f"The signature is {flaw}.", 401)
        if headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
            return self._happening(body)
        return self._form(body)

    def _happening(self, body: bytes) -> Response:
        payload = _document(body)
        if payload.get("type") == "url_verification" and isinstance(payload.get("challenge"), str):
            return JSONResponse({"challenge": payload["challenge"]})
        self._answers.take(arriving.happening(payload))
        return Response(status_code=200)

    def _form(self, body: bytes) -> Response:
        try:
            fields = dict(parse_qsl(body.decode("ascii"), max_num_fields=_MOST_FIELDS, errors="strict"))
        except ValueError:
            return PlainTextResponse("this form cannot be read", 400)
        if "payload" in fields:
            self._answers.take(arriving.interaction(_document(fields["payload"])))
        else:
            self._answers.take(arriving.command(fields))
        return Response(status_code=200)

    def _note(self, flaw: Flaw) -> None:
        event = {"kind": "hook-refused", "by": "unknown", "service": "slack", "channel": self._name, "objection": flaw}
        self._refusals.note(event)


def _document(text: str | bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
