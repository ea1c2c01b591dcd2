"""``GET /.well-known/oauth-authorization-server``: what the token endpoint can do (RFC 8414).

The addresses in it are those by which it was asked for, as in all answers of the agent API.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gatehold.agent_api import problems
from gatehold.agent_api.token_endpoint import PATH as TOKEN_PATH
from gatehold.identity.exchange.requests import SAML_BEARER, TOKEN_EXCHANGE

PATH: Final = "/.well-known/oauth-authorization-server"


class Metadata:
    """Answers with the document."""

    def __init__(self, *, reads_assertions: bool) -> None:
        self._grants = [TOKEN_EXCHANGE, *([SAML_BEARER] if reads_assertions else [])]

    async def answer(self, request: Request) -> Response:
        """The same for everybody."""
        issuer = str(request.base_url).rstrip("/")
        return problems.answer(
            {
                "issuer": issuer,
                "token_endpoint": f"{issuer}{TOKEN_PATH}",
                "grant_types_supported": self._grants,
                "response_types_supported": [],
                "token_endpoint_auth_methods_supported": ["none"],
            }
        )
