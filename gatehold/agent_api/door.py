"""Who asks, and whether it is a question at all: in front of every route of the agent API.

Only ``Authorization: Bearer`` counts, once; who asks for a token, or how to, need not have one. Whatever fails behind
the door is answered as a fault of the gateway and logged by its type alone: its text may hold data.
"""

import logging
from typing import Final, Protocol

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from gatehold.agent_api import problems
from gatehold.identity.extraction import token_from
from gatehold.identity.refusals import Reason, refused
from policy.codes import Code
from policy.errors import Refusal
from policy.model import Agent

logger = logging.getLogger(__name__)

_AGENT: Final = "gatehold.agent"
_POSTED: Final = frozenset({"/v1/access-requests"})
"""What takes a body, and nothing but POST."""
_OPEN: Final = {"/oauth/token": "POST", "/.well-known/oauth-authorization-server": "GET"}
"""What answers without an agent token, and by which method; where it is not served, it is not found."""


class Verifier(Protocol):
    """The way from a token to its agent; see ``gatehold.identity.verifier``."""

    def verify_cached(self, token: str) -> Agent | None:
        """The agent of a token that was verified before."""

    async def verify(self, token: str) -> Agent:
        """The agent of a token; raises Refusal."""


class Door:
    """ASGI middleware: lets requests of agents in and everything else out."""

    def __init__(self, app: ASGIApp, verifier: Verifier) -> None:
        self._app = app
        self._verifier = verifier

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError("the agent API speaks http only")
        try:
            refusal = await self._let_in(scope)
            if refusal is None:
                await self._app(scope, receive, send)
                return
        except Refusal as error:
            refusal = problems.refused(error)
        except Exception as error:  # noqa: BLE001 - answered as a fault of the gateway
            logger.error("gatehold: the agent API failed: %s", type(error).__name__)  # noqa: TRY400 - no text: see above
            refusal = problems.refused(Refusal(Code.GATEWAY_ERROR, "The gateway failed."))
        if has_body(Headers(scope=scope)):
            refusal.headers["Connection"] = "close"  # what was announced is not read, whatever it is
        await refusal(scope, receive, send)

    async def _let_in(self, scope: Scope) -> Response | None:
        """Find out who asks; raises Refusal, or returns one, for what is no question of an agent."""
        headers = Headers(scope=scope)
        allowed = _OPEN.get(scope["path"])
        if allowed is None:
            scope[_AGENT] = await identify(self._verifier, headers)
            allowed = "POST" if scope["path"] in _POSTED else "GET"
        if scope["method"] != allowed:
            return problems.method_not_allowed(allowed)
        if allowed == "GET" and has_body(headers):
            raise Refusal(Code.MALFORMED, "This address takes no request body.")
        return None


async def identify(verifier: Verifier, headers: Headers) -> Agent:
    """The agent whose bearer token a request carries; raises Refusal (``unauthenticated``)."""
    values = headers.getlist("authorization")
    if len(values) > 1:
        raise refused(Reason.MALFORMED)
    scheme = values[0].strip(" \t").partition(" ")[0].lower() if values else ""
    token = token_from(values[0]) if scheme == "bearer" else None
    if token is None:
        raise refused(Reason.MISSING)
    return verifier.verify_cached(token) or await verifier.verify(token)


def has_body(headers: Headers) -> bool:
    """Does a request announce a body?"""
    return "transfer-encoding" in headers or any(length.strip() != "0" for length in headers.getlist("content-length"))


def agent_of(request: Request) -> Agent:
    """Who asks; raises KeyError for a request that did not come through the door."""
    agent: Agent = request.scope[_AGENT]
    return agent
