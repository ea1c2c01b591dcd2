"""The way of a repeated call: through the gateway's forward proxy, with an agent's token and no other credential."""

import json
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from gatehold.agent_environment.places import Place
from gatehold.agent_proxy.tokens import TokenFile
from gatehold.config import Target
from gatehold.registry import split
from gatehold.replaying.planning import Again
from policy.codes import Code
from policy.errors import GateholdError

CONNECT_SECONDS: Final = 10.0
ANSWER_SECONDS: Final = 120.0
"""Longer than the gateway holds a call that waits for a person."""
MAX_ANSWER: Final = 64 * 1024 * 1024
"""Bytes that are read of an answer."""
_DECISION, _RULE = "gatehold-decision", "gatehold-rule"


class NoGateway(GateholdError):
    """Nothing can be sent: the gateway is not there, or it is not ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back."""

    status: int
    decision: str
    code: str
    """Why it was refused; ``allowed`` where it was not."""
    rule: str
    body: bytes | None = field(repr=False)
    """None: larger than is read."""


class Sender:
    """Sends to one target. The token is read again for every call: a rotated one counts at once."""

    def __init__(self, place: Place, target: Target, token: TokenFile, ca: Path) -> None:
        """``ca``: the gateway's own, which alone is trusted. Raises OSError."""
        self._target, self._token, self._place = target, token, place
        ca.open("rb").close()  # the error that names the file
        self._trust = ssl.create_default_context(cafile=ca)
        host, port = split(target.spec.hosts[0])
        self._origin = httpx2.URL(scheme=target.spec.scheme, host=host, port=port)
        self._client, self._shown = self._connected("")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, again: Again) -> Answer:
        """One call. Raises NoGateway, NoToken, and ``httpx2.HTTPError`` where it broke off."""
        shown = self._token.authorization(self._token.read())
        if shown != self._shown:
            self._client.close()
            self._client, self._shown = self._connected(shown)
        request = self._client.build_request(
            again.method,
            self._origin,
            headers=[*again.headers, *self._inner(shown)],
            content=again.body or None,
            extensions={"target": again.path.encode("utf-8", "surrogateescape")},
        )
        try:
            response = self._client.send(request, stream=True)
        except httpx2.ProxyError as error:
            raise NoGateway(f"the gateway at {self._place.authority} lets no call through: {error}") from None
        except httpx2.ConnectError as error:
            raise NoGateway(f"the gateway at {self._place.authority} cannot be reached: {error}") from None
        try:
            return _answer(response)
        finally:
            response.close()

    def _inner(self, shown: str) -> list[tuple[bytes, bytes]]:
        """Where a target wants the token in the call itself."""
        return [(b"Authorization", shown.encode("ascii"))] if self._target.spec.identity == "inner" else []

    def _connected(self, shown: str) -> tuple[httpx2.Client, str]:
        headers = {} if self._target.spec.identity == "inner" else {"Proxy-Authorization": shown}
        proxy = httpx2.Proxy(
            f"{self._place.scheme}://{self._place.authority}",
            headers=headers,
            ssl_context=self._trust if self._place.scheme == "https" else None,
        )
        timeout = httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        client = httpx2.Client(
            proxy=proxy, verify=self._trust, trust_env=False, follow_redirects=False, timeout=timeout
        )
        client.headers.clear()
        return client, shown


def _answer(response: httpx2.Response) -> Answer:
    decision = response.headers.get(_DECISION, "")
    if not decision:
        raise NoGateway("an answer came without a decision: it is not from a gateway")
    body = _read(response)
    return Answer(
        status=response.status_code,
        decision=decision,
        code=_code(response, body),
        rule=response.headers.get(_RULE, ""),
        body=body,
    )


def _read(response: httpx2.Response) -> bytes | None:
    found = bytearray()
    for piece in response.iter_bytes():
        found += piece
        if len(found) > MAX_ANSWER:
            return None
    return bytes(found)


def _code(response: httpx2.Response, body: bytes | None) -> str:
    """Of a refusal of the gateway's own: it names the decision, which no target knows."""
    if not response.headers.get("content-type", "").startswith(("application/problem+json", "application/json")):
        return Code.ALLOWED.value
    try:
        facts = _facts(json.loads(body or b""))
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return Code.ALLOWED.value
    code = facts.get("code")
    own = facts.get("decision") == response.headers.get(_DECISION) and code in frozenset(Code)
    return str(code) if own else Code.ALLOWED.value


def _facts(document: Any) -> dict[str, Any]:
    """Of a problem document, or of a Kubernetes ``Status``."""
    if document.get("kind") != "Status":
        return dict(document)
    return {cause["reason"]: cause["message"] for cause in document["details"]["causes"]}
