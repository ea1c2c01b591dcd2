"""Kubernetes clusters as issuers: the keys of their ServiceAccount tokens, and whether one of those still counts.

A cluster is a target of family kubernetes, and is asked with the gateway's own credential there. A signature and
``exp`` cannot tell that a pod or its ServiceAccount was deleted; the cluster can (``authentication.k8s.io/v1``,
TokenReview). Its answer counts for ``KEPT`` seconds; after ``FRESH`` of them it is asked again beside the calls. While
it does not answer, what it did not say yes to lately is refused at once: nothing waits for it but the first.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from gatehold.identity.refusals import Reason, refused
from gatehold.identity.sources import SourceError
from policy.codes import Code
from policy.errors import Refusal

FRESH = 10.0
KEPT = 30.0
AGAIN = 2.0
"""Seconds between two attempts at a cluster that does not answer."""
MAX_STANDINGS = 4096

_log = logging.getLogger(__name__)


class Clusters(Protocol):
    """Asks clusters; see ``gatehold.lookups.clusters``."""

    async def keys(self, target: str) -> bytes:
        """The JWKS document of a cluster's ServiceAccount issuer. Raises ``SourceError``."""

    async def review(self, target: str, token: str, audience: str) -> Mapping[str, Any]:
        """A TokenReview with the cluster's answer. Raises ``SourceError``."""


class NoClusters:
    """Where no cluster can be asked."""

    async def keys(self, target: str) -> bytes:
        """Raises ``SourceError``."""
        raise SourceError(f"cluster {target} can be asked by a running gateway only")

    async def review(self, target: str, token: str, audience: str) -> Mapping[str, Any]:  # noqa: ARG002
        """Raises ``SourceError``."""
        raise SourceError(f"cluster {target} can be asked by a running gateway only")


class ClusterSource:
    """The JWKS document of a cluster."""

    interval = 300.0

    def __init__(self, target: str, clusters: Clusters) -> None:
        self._target = target
        self._clusters = clusters

    async def fetch(self) -> bytes:
        """The document."""
        return await self._clusters.keys(self._target)


class Reviews:
    """What one cluster says of the tokens of one issuer. Bound to the event loop that first uses it."""

    def __init__(self, clusters: Clusters, target: str, audience: str, *, monotonic: Callable[[], float]) -> None:
        self._clusters = clusters
        self._target = target
        self._audience = audience
        self._monotonic = monotonic
        self._asked: dict[bytes, float] = {}
        """Digest of a token -> when the question was asked to which the cluster said yes."""
        self._tasks: dict[bytes, asyncio.Task[bool]] = {}
        self._tried_at = float("-inf")
        self._problem = ""

    def __repr__(self) -> str:
        return f"<Reviews by {self._target}: {len(self._asked)} tokens{', ' + self._problem if self._problem else ''}>"

    async def ask(self, token: str, *, subject: object) -> Callable[[], bool]:
        """Ask the cluster about a token, whose signature was verified; tells at any time whether it still counts.

        Raises Refusal: ``review-denied``; ``gateway-error`` while the cluster does not answer.
        """
        digest = hashlib.sha256(token.encode()).digest()
        if self._problem and digest not in self._tasks:
            self._ask_beside(digest, token, subject)
            raise _unknown()
        task = self._asking(digest, token, subject)
        try:
            accepted = await asyncio.shield(task)
        except SourceError:
            raise _unknown() from None
        if not accepted:
            raise refused(Reason.REVIEW_DENIED)
        return lambda: self._counts(digest, token, subject)

    async def close(self) -> None:
        """End the questions that are under way."""
        for task in list(self._tasks.values()):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, SourceError):
                await task
        self._asked.clear()

    def _counts(self, digest: bytes, token: str, subject: object) -> bool:
        age = self._monotonic() - self._asked.get(digest, float("-inf"))
        if FRESH < age <= KEPT:
            self._ask_beside(digest, token, subject)
        return age <= KEPT

    def _ask_beside(self, digest: bytes, token: str, subject: object) -> None:
        if not self._problem or self._monotonic() - self._tried_at >= AGAIN:
            self._asking(digest, token, subject)

    def _asking(self, digest: bytes, token: str, subject: object) -> asyncio.Task[bool]:
        task = self._tasks.get(digest)
        if task is None:
            self._tried_at = self._monotonic()
            work = self._review(digest, token, subject)
            task = asyncio.get_running_loop().create_task(work, name=f"token review {self._target}")
            self._tasks[digest] = task
            task.add_done_callback(lambda done: self._done(digest, done))
        return task

    def _done(self, digest: bytes, task: asyncio.Task[bool]) -> None:
        del self._tasks[digest]
        if not task.cancelled():
            task.exception()  # whoever waits is told; a question beside the calls has nobody to tell

    async def _review(self, digest: bytes, token: str, subject: object) -> bool:
        asked = self._monotonic()
        try:
            answer = await self._clusters.review(self._target, token, self._audience)
        except SourceError as error:
            self._tell(str(error))
            raise
        self._tell("")
        accepted = accepts(answer, audience=self._audience, subject=subject)
        self._asked.pop(digest, None)
        if accepted:
            self._asked[digest] = asked
            if len(self._asked) > MAX_STANDINGS:
                del self._asked[next(iter(self._asked))]
        return accepted

    def _tell(self, problem: str) -> None:
        if problem and problem != self._problem:
            _log.warning("cluster %s: its tokens cannot be reviewed: %s", self._target, problem)
        elif self._problem and not problem:
            _log.info("cluster %s: its tokens can be reviewed again", self._target)
        self._problem = problem


def accepts(review: Mapping[str, Any], *, audience: str, subject: object) -> bool:
    """Does a TokenReview say that its token counts here, and is this subject's? Pure.

    A cluster that tells no audience did not look at it (the API's own rule for clients).
    """
    status = review.get("status")
    if review.get("kind") != "TokenReview" or not isinstance(status, Mapping):
        return False
    user, audiences = status.get("user"), status.get("audiences")
    return (
        status.get("authenticated") is True
        and not status.get("error")
        and isinstance(audiences, list)
        and audience in audiences
        and isinstance(user, Mapping)
        and isinstance(subject, str)
        and user.get("username") == subject
    )


def _unknown() -> Refusal:
    return Refusal(Code.GATEWAY_ERROR, "It cannot be told now whether the agent token still counts.", retry_after=1)
