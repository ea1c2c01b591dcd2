"""Questions to clusters about the tokens that they issue: their keys, and whether one token still counts.

Asked as every own call is: the target's address, certificate and credential, never for an agent.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, Final

from gatehold.config import Target
from gatehold.identity.sources import MAX_DOCUMENT, SourceError
from gatehold.lookups.client import TIMEOUT, OwnCalls
from gatehold.lookups.requests import LookupFailed, OwnRequest, Place, Purpose
from gatehold.registry import split

KEYS: Final = "/openid/v1/jwks"
"""Where an API server publishes the keys of its ServiceAccount issuer."""
REVIEWS: Final = "/apis/authentication.k8s.io/v1/tokenreviews"
_JWKS: Final = "application/jwk-set+json"
_AT_ONCE: Final = 16
"""Reviews of one cluster that are under way together; more wait."""


class ClusterCalls:
    """Asks targets of family kubernetes. Bound to the event loop that first uses it."""

    def __init__(self, own_calls: OwnCalls, targets: Mapping[str, Target]) -> None:
        self._own_calls = own_calls
        self._targets = targets
        self._room = {name: asyncio.Semaphore(_AT_ONCE) for name in targets}

    def use(self, targets: Mapping[str, Target]) -> None:
        """Ask these from now on."""
        self._targets = targets
        for name in targets:
            self._room.setdefault(name, asyncio.Semaphore(_AT_ONCE))

    async def keys(self, target: str) -> bytes:
        """The JWKS document of a cluster's ServiceAccount issuer. Raises ``SourceError``."""
        request = OwnRequest(purpose=Purpose.ISSUER_KEYS, method="GET", path=KEYS)
        try:
            document = await self._own_calls.document(self._place(target), request, _deadline(), media=_JWKS)
        except LookupFailed as failure:
            raise SourceError(f"cluster {target}: {failure.reason}") from None
        if len(document) > MAX_DOCUMENT:
            raise SourceError(f"cluster {target}: the answer is larger than {MAX_DOCUMENT} bytes")
        return document

    async def review(self, target: str, token: str, audience: str) -> Mapping[str, Any]:
        """A TokenReview with the cluster's answer. Raises ``SourceError``."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": token, "audiences": [audience]},
        }
        request = OwnRequest(
            purpose=Purpose.TOKEN_REVIEW,
            method="POST",
            path=REVIEWS,
            content_type="application/json",
            body=json.dumps(body).encode(),
        )
        deadline = _deadline()
        try:
            async with asyncio.timeout_at(deadline), self._room[target]:
                call, answer = await self._own_calls.make(self._place(target), request, deadline)
        except TimeoutError:
            raise SourceError(f"cluster {target}: no answer in time") from None
        if answer is None:
            raise SourceError(f"cluster {target}: {call.problem}")
        return answer

    def _place(self, name: str) -> Place:
        target = self._targets[name]
        host, port = split(target.spec.hosts[0])
        return Place(target=target, host=host, port=port)


def _deadline() -> float:
    return asyncio.get_running_loop().time() + TIMEOUT
