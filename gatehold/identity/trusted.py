"""The issuers that the configuration lists, each with its keys: a JWT in, whose it is out."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial

from gatehold.config.issuers import IssuerSpec
from gatehold.identity.claims import agent_of
from gatehold.identity.clusters import Clusters, ClusterSource, NoClusters, Reviews
from gatehold.identity.issuers import Issuer, issuers_of
from gatehold.identity.jose import UnverifiedToken
from gatehold.identity.jwks import KeyRing
from gatehold.identity.keyset import Key
from gatehold.identity.refusals import Reason, refused
from gatehold.identity.sources import DiscoverySource, Fetcher, FileSource, Source, UrlSource
from gatehold.identity.vouching import Use, Verified


class TrustedIssuers:
    """A fixed set of issuers. Bound to the event loop that first uses it."""

    def __init__(
        self,
        specs: Sequence[IssuerSpec],
        clusters: Clusters | None,
        *,
        others: bool = False,
        clock: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        """``others``: groups are given elsewhere, too. Raises ``ValueError`` for issuers that cannot be trusted."""
        self._clock = clock
        self._clusters = clusters or NoClusters()
        self._fetchers: list[Fetcher] = []
        self._issuers = {issuer.url: issuer for issuer in issuers_of(specs, others=others)}
        self._rings: dict[str, KeyRing] = {}
        self._reviews: dict[str, Reviews] = {}
        for spec in specs:
            self._rings[spec.name] = KeyRing(spec.name, self._source(spec), spec.algorithms, monotonic=monotonic)
            if spec.token_review is not None:
                reviews = Reviews(self._clusters, spec.token_review, spec.audience, monotonic=monotonic)
                self._reviews[spec.name] = reviews
        self._tasks: list[asyncio.Task[None]] = []

    def __repr__(self) -> str:
        return repr(list(self._rings.values()))

    def start(self) -> None:
        """Keep the keys of all issuers fresh beside the traffic. Call it inside the running loop."""
        if not self._tasks:
            create = asyncio.get_running_loop().create_task
            self._tasks = [create(ring.keep_fresh(), name="keep_fresh") for ring in self._rings.values()]

    async def close(self) -> None:
        """Stop what ``start`` began and what is being fetched."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        for ring in self._rings.values():
            await ring.close()
        for reviews in self._reviews.values():
            await reviews.close()
        for fetcher in self._fetchers:
            await fetcher.close()

    @property
    def problems(self) -> tuple[str, ...]:
        """One line for each issuer whose keys cannot be had now."""
        return tuple(f"issuer {name}: {ring.problem}" for name, ring in self._rings.items() if ring.problem)

    async def fetch_keys(self) -> None:
        """Fetch the keys of all issuers now; what could not be had is told by ``problems``."""
        await asyncio.gather(*(ring.refresh() for ring in self._rings.values()))

    async def verify(self, token: str, parts: UnverifiedToken, use: Use) -> Verified:
        """Whose a token is, of which ``parts`` are the parts. Raises Refusal."""
        issuer = self._issuer_of(parts)
        if use not in issuer.uses:
            raise refused(Reason.WRONG_USE)
        if parts.algorithm not in issuer.algorithms:
            raise refused(Reason.ALGORITHM)
        ring = self._rings[issuer.name]
        key = await ring.find(parts.key_id, parts.algorithm)
        if not issuer.owns(key, parts.payload):
            raise refused(Reason.UNKNOWN_KEY)
        if not key.verifies(parts.algorithm, parts.signed, parts.signature):
            raise refused(Reason.BAD_SIGNATURE)
        agent = agent_of(issuer, parts, now=self._clock())
        counts = partial(_is_published, ring, key)
        reviews = self._reviews.get(issuer.name)
        if reviews is not None:
            counts = partial(_both, counts, await reviews.ask(token, subject=parts.payload.get("sub")))
        return Verified(agent, counts, issuer.uses)

    def _issuer_of(self, parts: UnverifiedToken) -> Issuer:
        url = parts.payload.get("iss")
        known = self._issuers.get(url) if isinstance(url, str) else None
        if known is None:
            raise refused(Reason.UNKNOWN_ISSUER)
        return known

    def _source(self, spec: IssuerSpec) -> Source:
        if spec.jwks.file is not None:
            return FileSource(spec.jwks.file)
        if spec.jwks.cluster is not None:
            return ClusterSource(spec.jwks.cluster, self._clusters)
        fetcher = Fetcher(ca=spec.jwks.ca)
        self._fetchers.append(fetcher)
        if spec.jwks.url is not None:
            return UrlSource(spec.jwks.url, fetcher)
        return DiscoverySource(spec.issuer, fetcher)


def _is_published(ring: KeyRing, key: Key) -> bool:
    return key in ring.keys


def _both(one: Callable[[], bool], other: Callable[[], bool]) -> bool:
    return one() and other()
