"""``POST /oauth/token``: a foreign token or an assertion in, a short-lived token of the gateway out.

Whoever asks here has not said yet who it is, so everything is bounded: the size of a form and the time that it takes,
tries by address, tokens by agent. A try is charged before anything is looked at, and given back when it was good. No
token leaves before the exchange is recorded. Answers are those of OAuth 2.0 (RFC 6749, section 5), and never cached.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from gatehold.agent_api import problems
from gatehold.identity.exchange.requests import MOST_BYTES, Error, ExchangeRequest, UnusableRequest, read
from gatehold.identity.exchange.tokens import Issued
from gatehold.people.throttle import Throttle, network_of
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent, SessionId
from recordings.acts import token_issued
from recordings.errors import RecorderUnavailable
from recordings.events import Event
from recordings.failures import FailureCounter

PATH: Final = "/oauth/token"

_TRIES: Final = 30
"""Of one address at once; as many again in a minute."""
_TOKENS: Final = 30
"""Of one agent, likewise."""
_MINUTE: Final = 60.0
_BODY_SECONDS: Final = 10.0
"""How long a form may take to arrive."""
_FORM: Final = "application/x-www-form-urlencoded"
_SOURCE_CODES: Final = frozenset({Code.UNAUTHENTICATED, Code.REVOKED})
_STATUS: Final = {Error.INVALID_CLIENT: 401, Error.TEMPORARILY_UNAVAILABLE: 503}


class Exchanges(Protocol):
    """What makes tokens; see ``gatehold.identity.exchange.exchanging``."""

    async def identify(self, request: ExchangeRequest) -> Agent:
        """Whom the subject token stands for. Raises Refusal, UnusableRequest."""

    async def make(self, agent: Agent) -> Issued:
        """A token for that agent. Raises Refusal."""


class Records(Protocol):
    """Where it is recorded; see ``recordings.recorder``."""

    def append(
        self, *, events: Sequence[Event], flow: bytes | None = None, session: SessionId, durable: bool = False
    ) -> asyncio.Future[None]:
        """Record events; raises RecorderUnavailable, now or later."""


class TokenEndpoint:
    """Answers requests for tokens. Belongs to one event loop."""

    def __init__(
        self,
        exchange: Exchanges,
        recorder: Records,
        *,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._exchange = exchange
        self._recorder = recorder
        self._clock = clock
        self._tries = Throttle(_TRIES, _MINUTE, monotonic)
        self._tokens = Throttle(_TOKENS, _MINUTE, monotonic)
        self._failures = FailureCounter()

    async def answer(self, request: Request) -> Response:
        """A token, or why there is none."""
        address = request.client.host if request.client is not None else ""
        try:
            return await self._answer(request, address)
        except UnusableRequest as unusable:
            await self._tell(self._failures.add(address, f"exchange: {unusable.error}", now=self._clock()))
            return _error(unusable.error, unusable.description)
        except RecorderUnavailable:
            return _error(Error.TEMPORARILY_UNAVAILABLE, "the exchange cannot be recorded now", retry_after=1)

    async def tell_failures(self) -> None:
        """Record the failures of a minute that is over."""
        await self._tell(list(self._failures.due(self._clock())))

    async def close(self) -> None:
        """Record the failures that were not told yet."""
        await self._tell(list(self._failures.flush(self._clock())))

    async def _answer(self, request: Request, address: str) -> Response:
        wait = self._tries.attempt(network_of(address))
        if wait:
            return _error(
                Error.TEMPORARILY_UNAVAILABLE, "too many tries from this address", retry_after=wait, status=429
            )
        asked = read(await _form(request))
        try:
            agent = await self._exchange.identify(asked)
            wait = self._tokens.attempt(f"{len(agent.issuer)} {agent.issuer} {agent.subject}")
            if wait:
                told = "too many tokens for this agent"
                return _error(Error.TEMPORARILY_UNAVAILABLE, told, retry_after=wait, status=429)
            issued = await self._exchange.make(agent)
        except Refusal as refusal:
            return await self._refused(refusal, asked, address)
        ends = self._clock() + issued.lasts
        event = token_issued(
            agent=agent, token=issued.id, way=asked.grant, address=address, ends=ends, time=self._clock()
        )
        await self._recorder.append(events=[event], session=agent.session, durable=True)
        self._tries.forgive(network_of(address))
        return _token(asked, issued)

    async def _refused(self, refusal: Refusal, asked: ExchangeRequest, address: str) -> Response:
        """What is wrong is told in the words of a refused call, why only to the record."""
        if refusal.code not in _SOURCE_CODES:
            retry_after = refusal.retry_after or 1
            return _error(Error.TEMPORARILY_UNAVAILABLE, refusal.detail, retry_after=retry_after)
        reason = refusal.reason or str(refusal.code)
        await self._tell(self._failures.add(address, f"exchange: {reason}", now=self._clock()))
        return _error(asked.source_error, refusal.detail)

    async def _tell(self, events: Sequence[Event]) -> None:
        """Record failures; where that fails, too, nobody gets anything, and the recorder says itself what is wrong."""
        if events:
            with contextlib.suppress(RecorderUnavailable):
                await self._recorder.append(events=events, session=SessionId(""))


async def _form(request: Request) -> bytes:
    """The whole body. Raises UnusableRequest."""
    headers = request.headers
    if headers.getlist("authorization"):
        raise UnusableRequest(Error.INVALID_CLIENT, "clients are not registered here; send no Authorization")
    kind, _, parameters = headers.get("content-type", "").partition(";")
    plain = parameters.strip().lower() in ("", "charset=utf-8")
    if kind.strip().lower() != _FORM or not plain or len(headers.getlist("content-type")) > 1:
        raise UnusableRequest(Error.INVALID_REQUEST, f"the Content-Type is {_FORM}")
    if "content-encoding" in headers or request.url.query:
        raise UnusableRequest(Error.INVALID_REQUEST, "the body is not encoded, and the address has no query")
    body = bytearray()
    try:
        async with asyncio.timeout(_BODY_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise UnusableRequest(Error.INVALID_REQUEST, f"a form has at most {MOST_BYTES} bytes")
    except (TimeoutError, ClientDisconnect):
        raise UnusableRequest(Error.INVALID_REQUEST, "the form did not arrive in time") from None
    return bytes(body)


def _token(asked: ExchangeRequest, issued: Issued) -> Response:
    document: dict[str, Any] = {
        "access_token": issued.text,
        "issued_token_type": asked.issued_type,
        "token_type": "Bearer",
        "expires_in": issued.lasts,
    }
    return _uncached(document, 200, {})


def _error(error: Error, description: str, *, retry_after: float = 0.0, status: int = 0) -> Response:
    headers = {"Connection": "close"}  # the form may not have been read
    if retry_after:
        headers["Retry-After"] = str(max(1, round(retry_after)))
    if error is Error.INVALID_CLIENT:
        headers["WWW-Authenticate"] = 'Bearer realm="gatehold"'
    document = {"error": error.value, "error_description": description.rstrip(".").replace("`", "'")}
    return _uncached(document, status or _STATUS.get(error, 400), headers)


def _uncached(document: Mapping[str, Any], status: int, headers: Mapping[str, str]) -> Response:
    answer = problems.answer(document, status=status)
    answer.headers["Pragma"] = "no-cache"
    answer.headers.update(headers)
    return answer
