"""The routes of the agent API.

============================================= ====================================================
GET /v1/whoami                                who the gateway takes the agent for
GET /v1/decisions/{id}                        what became of a call, and why
GET /v1/approvals/{id}                        how an approval stands; ``?wait=30s`` answers once it is
                                              no longer pending
POST /v1/access-requests                      asks people for access before the calls are made
POST /oauth/token                             exchanges a foreign token or an assertion for a token
GET /.well-known/oauth-authorization-server   what can be exchanged
============================================= ====================================================
"""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from gatehold.agent_api import problems, token_endpoint
from gatehold.agent_api.access_requests import AccessRequests
from gatehold.agent_api.approvals import Approvals, Desk, Waits
from gatehold.agent_api.decisions import Decisions, ToldDecision
from gatehold.agent_api.door import Door, Verifier, agent_of
from gatehold.agent_api.metadata import PATH as METADATA_PATH
from gatehold.agent_api.metadata import Metadata
from gatehold.agent_api.token_endpoint import TokenEndpoint
from gatehold.approvals.presenting import timestamp


def application(  # noqa: PLR0913 (who answers what)
    *,
    verifier: Verifier,
    decisions: Decisions,
    desk: Desk,
    waiter: Waits,
    access: AccessRequests | None = None,
    tokens: TokenEndpoint | None = None,
    metadata: Metadata | None = None,
) -> ASGIApp:
    """The ASGI application; without ``access`` none can be asked for, without ``tokens`` nothing is exchanged."""
    approvals = Approvals(verifier, desk, waiter)
    routes = [
        Route("/v1/whoami", _whoami),
        Route("/v1/decisions/{id}", _DecisionQuestion(decisions).answer),
        Route("/v1/approvals/{id}", approvals.answer),
    ]
    if access is not None:
        routes.append(Route("/v1/access-requests", access.answer, methods=["POST"]))
    if tokens is not None and metadata is not None:
        routes.append(Route(token_endpoint.PATH, tokens.answer, methods=["POST"]))
        routes.append(Route(METADATA_PATH, metadata.answer))
    return Door(Router(routes, redirect_slashes=False, default=_not_found), verifier)


async def _whoami(request: Request) -> Response:
    agent = agent_of(request)
    return problems.answer(
        {
            "issuer": agent.issuer,
            "subject": agent.subject,
            "groups": list(agent.groups),
            "session": agent.session,
            "expiresAt": timestamp(agent.expires_at),
        }
    )


class _DecisionQuestion:
    def __init__(self, decisions: Decisions) -> None:
        self._decisions = decisions

    async def answer(self, request: Request) -> Response:
        """One decision about a call of the agent."""
        agent = agent_of(request)
        told = self._decisions.find(request.path_params["id"], agent.issuer, agent.subject)
        return problems.not_found() if told is None else problems.answer(_document(told))


def _document(told: ToldDecision) -> dict[str, object]:
    return {
        "decision": told.id,
        "verdict": told.verdict,
        "code": told.code,
        "rule": told.rule,
        "reason": told.reason or None,
        "target": told.target,
        "method": told.method,
        "path": told.path,
        "time": timestamp(told.time),
        "approval": told.approval,
        "status": told.status,
    }


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    await problems.not_found()(scope, receive, send)
