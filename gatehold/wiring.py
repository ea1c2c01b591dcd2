"""The one place where the parts are put together: a configuration in, a running gateway out.

``Gateway.build`` makes everything that needs no event loop and opens no listener; ``start`` begins what runs beside the
calls; ``stop`` ends it and drains what is queued. Stages of a call reach every service through this object.
"""

import asyncio
import contextlib
import logging
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from gatehold.agent_api.access_requests import AccessRequests
from gatehold.agent_api.decisions import Decisions
from gatehold.agent_api.metadata import Metadata
from gatehold.agent_api.questions import application
from gatehold.agent_api.token_endpoint import TokenEndpoint
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.fingerprint import approval_key
from gatehold.approvals.revealing import HeldRequests
from gatehold.approvals.waiting import Waiter
from gatehold.authority import LeafIssuer, load_or_create
from gatehold.background import Background
from gatehold.body_workers import BodyWorkers
from gatehold.channels.serving import Channels
from gatehold.collecting import settle
from gatehold.config import Configuration
from gatehold.config.gateway import GatewaySpec, ListenSpec
from gatehold.console.addresses import ConsoleAddress
from gatehold.console.app import application as console_application
from gatehold.console.context import Console
from gatehold.console.live import Live, journal_end
from gatehold.console.pages import removals
from gatehold.console.templating import Templates
from gatehold.continuation import Continuation, continuation
from gatehold.credentials.agent_echoes import AgentEchoes
from gatehold.credentials.broker import CredentialBroker
from gatehold.identity.api_key_rows import give_groups
from gatehold.identity.api_keys import ApiKeys
from gatehold.identity.exchange.exchanging import Exchange, exchanged_tokens
from gatehold.identity.revocation import Revocations
from gatehold.identity.verifier import TokenVerifier
from gatehold.keeping.deleting import Deleting
from gatehold.keeping.indexing import Indexing
from gatehold.keeping.recorder import recorder_of
from gatehold.lookups.client import OwnCalls
from gatehold.lookups.clusters import ClusterCalls
from gatehold.lookups.ladder import Ladder
from gatehold.lookups.slots import Slots
from gatehold.objects.serving import Objects
from gatehold.open_files import allow_many
from gatehold.people.tokens import Tokens
from gatehold.people.web_sessions import WebSessions
from gatehold.pseudonyms import SessionPseudonyms, pseudonym_key
from gatehold.registry import Listener, Registry
from gatehold.reloading.serving import Reloading
from gatehold.ruling import InForce, Ruling, Taken, make_ruling
from gatehold.serving import HttpListener
from gatehold.sessions.registry import SessionRegistry
from gatehold.sessions.stopping import Stop, stop_event
from gatehold.shown import ShownObjects
from gatehold.sinks.serving import AuditReach
from gatehold.store import open_store
from gatehold.store.database import Store
from gatehold.vault import SessionEchoes
from masking.errors import ModelUnavailable
from masking.literals import Literals, Replacing
from policy.errors import ConfigurationError
from policy.limits import LimitLedger
from policy.model import Agent, SessionId, TargetName
from recordings.errors import RecorderUnavailable
from recordings.recorder import Recorder

logger = logging.getLogger(__name__)

_WORKERS_AFTER = 10.0
"""Seconds after the start at which the processes for large bodies are started."""


@dataclass(slots=True, kw_only=True)
class Gateway:
    """Everything that a call needs."""

    in_force: InForce
    listeners: tuple[Listener, ...]
    sessions: SessionRegistry
    stop_switch: Stop
    revocations: Revocations
    verifier: TokenVerifier
    own_calls: OwnCalls
    clusters: ClusterCalls
    ladder: Ladder
    slots: Slots
    pseudonym_key: bytes = field(repr=False)
    pseudonyms: SessionPseudonyms
    store: Store
    desk: ApprovalDesk
    waiter: Waiter
    decisions: Decisions
    tokens: TokenEndpoint
    agent_api: HttpListener
    console: Console
    console_pages: HttpListener
    channels: Channels
    recorder: Recorder
    audit_reach: AuditReach
    deleting: Deleting
    objects: Objects
    indexing: Indexing
    leaves: LeafIssuer
    approval_key: bytes = field(repr=False)
    background: Background
    reloading: Reloading
    continuation: Continuation
    shown: ShownObjects
    held_requests: HeldRequests
    _literals: tuple[tuple[bytes, ...], Literals] = ((), Literals(()))
    _former: weakref.WeakSet[BodyWorkers] = field(default_factory=weakref.WeakSet)
    """Of masking engines of earlier configurations that somebody still uses."""

    @classmethod
    def build(cls, configuration: Configuration) -> "Gateway":
        """Put a gateway together; raises ConfigurationError where the configuration names what cannot be used."""
        spec, data_dir = configuration.gateway.spec, configuration.data_dir
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        key, ledger = pseudonym_key(data_dir), LimitLedger()
        ruling = make_ruling(configuration, ledger=ledger, key=key)
        in_force = InForce(ruling)
        store = open_store(spec.store.url, data_dir)
        desk = ApprovalDesk(store, spec.approvals)
        recorder = recorder_of(spec.recordings, data_dir)
        sessions, stop_switch = SessionRegistry(store), Stop(data_dir)
        revocations = Revocations(store, sessions=sessions, stop=stop_switch)
        sessions.on_end = revocations.wake
        waiter, decisions = Waiter(store), Decisions()
        listeners = tuple(_listener(each) for each in spec.listen)
        own_calls = OwnCalls(ruling.broker, _own_ports(spec, listeners), max_answer=spec.limits.max_request_body)
        clusters = ClusterCalls(own_calls, configuration.targets)
        own_tokens = exchanged_tokens(spec.identity, store)
        verifier = TokenVerifier(
            spec.identity.issuers,
            revocations=revocations,
            clusters=clusters,
            api_keys=ApiKeys(store) if spec.identity.api_keys == "on" else None,
            own_tokens=own_tokens,
            others=_others_give_groups(spec, store),
        )
        try:
            exchange = Exchange(spec.identity, store, own_tokens, verifier=verifier, revocations=revocations)
        except ValueError as error:
            raise ConfigurationError.of(str(configuration.directory), str(error)) from None
        tokens = TokenEndpoint(exchange, recorder)
        access = AccessRequests(
            current=in_force.configuration,
            desk=desk,
            mask=in_force.masked_text,
            key=approval_key(data_dir),
        )
        questions = application(
            verifier=verifier,
            decisions=decisions,
            desk=desk,
            waiter=waiter,
            access=access,
            tokens=tokens,
            metadata=Metadata(reads_assertions=exchange.reads_assertions),
        )
        held_requests = HeldRequests()
        reloading = Reloading(in_force, store, desk, recorder)
        console = Console(
            address=ConsoleAddress.of(spec.console.host, spec.console.port, spec.console.url),
            current=in_force.configuration,
            store=store,
            desk=desk,
            waiter=waiter,
            held=held_requests,
            web_sessions=WebSessions(store, spec.console.session, time.time),
            tokens=Tokens(store, time.time),
            decisions=decisions,
            revocations=revocations,
            recorder=recorder,
            reloading=reloading,
            live=Live(store, partial(journal_end, data_dir)),
            templates=Templates(),
            clock=time.time,
        )
        channels = Channels(spec, store, desk, console=console.address.url, answered=waiter.notify)
        console.templates.warn(lambda: reloading.problem, lambda: removals.PATH if reloading.pending else "")
        pages = HttpListener(
            console_application(console, channels.routes), spec.console.host, spec.console.port, name="console"
        )
        pseudonyms = SessionPseudonyms(key)
        if ruling.is_reversible:
            pseudonyms.keep_values()
        gateway = cls(
            in_force=in_force,
            listeners=listeners,
            sessions=sessions,
            stop_switch=stop_switch,
            revocations=revocations,
            verifier=verifier,
            own_calls=own_calls,
            clusters=clusters,
            ladder=Ladder(own_calls),
            slots=Slots(),
            pseudonym_key=key,
            pseudonyms=pseudonyms,
            store=store,
            desk=desk,
            waiter=waiter,
            decisions=decisions,
            tokens=tokens,
            agent_api=HttpListener(questions, spec.agent_api.host, spec.agent_api.port, name="agent API"),
            recorder=recorder,
            audit_reach=_audit_reach(configuration, recorder),
            deleting=Deleting(spec.recordings, spec.audit, data_dir, store=store, recorder=recorder),
            objects=Objects(spec.recordings, data_dir, store=store, recorder=recorder),
            indexing=Indexing(data_dir),
            leaves=LeafIssuer(load_or_create(data_dir)),
            approval_key=approval_key(data_dir),
            background=Background(store, desk, ledger, recorder),
            reloading=reloading,
            continuation=continuation(data_dir),
            shown=ShownObjects(),
            held_requests=held_requests,
            console=console,
            console_pages=pages,
            channels=channels,
        )
        reloading.serve(gateway.take)
        return gateway

    async def take(self, configuration: Configuration) -> None:
        """Bring another configuration into force; everything that may fail comes before the one assignment.

        Raises ConfigurationError where it names what cannot be used; then nothing has changed.
        """
        before = self.in_force.ruling
        make = partial(make_ruling, configuration, ledger=self.background.ledger, key=self.pseudonym_key, before=before)
        ruling = await asyncio.to_thread(make)
        is_masked_anew = ruling.masking is not before.masking
        try:
            if missing := await ruling.broker.prepare():
                raise ConfigurationError.of(str(configuration.directory), "; ".join(missing))
            await self._load_models(ruling)
            await asyncio.to_thread(_prepare, ruling)
        except BaseException:
            if is_masked_anew:
                await asyncio.to_thread(ruling.masking.workers.stop)
            raise
        if is_masked_anew:
            self._start_workers(ruling)
        if ruling.is_reversible:
            self.pseudonyms.keep_values()
        ruling.broker.come_into_force()
        self.desk.follow(configuration.gateway.spec.approvals)
        self.clusters.use(configuration.targets)
        self.in_force.ruling = ruling
        self.reloading.came_into_force(Taken(before=before, now=ruling))
        await self.own_calls.use(ruling.broker, configuration.targets)
        if is_masked_anew:
            self._former.add(before.masking.workers)
            # Calls and streams that began before still use it; its processes end with the last of them.
            weakref.finalize(before.masking, _end, before.masking.workers).atexit = False

    @property
    def ruling(self) -> Ruling:
        """By what calls that begin now are judged, masked and given credentials."""
        return self.in_force.ruling

    @property
    def configuration(self) -> Configuration:
        """The configuration that is in force now."""
        return self.in_force.ruling.configuration

    @property
    def registry(self) -> Registry:
        """The targets that there are now."""
        return self.in_force.ruling.registry

    @property
    def broker(self) -> CredentialBroker:
        """The credentials of these targets."""
        return self.in_force.ruling.broker

    async def start(self) -> None:
        """Begin what runs beside the calls. Raises ConfigurationError for a credential that is not there."""
        allow_many()
        missing = await self.broker.prepare()
        if missing:
            raise ConfigurationError.of(str(self.configuration.directory), "; ".join(missing))
        await self._load_models(self.ruling)
        await self.audit_reach.start(partial(self.recorder.start, asyncio.get_running_loop()))
        await self.stop_switch.start(self._stopped)
        await self.sessions.start()
        await self.revocations.start()
        self.verifier.start()
        await self.background.start()
        await self.channels.start()
        self.deleting.start()
        self.indexing.start()
        self.objects.start()
        self.background.every_turn(self._forget_values)
        self.background.every_turn(self.sessions.turn)
        self.background.every_turn(self.tokens.tell_failures)
        # The detectors take seconds to import; whatever needs them before they are there waits for them.
        masking, sets = self.ruling.masking, self.ruling.profile_sets
        self.background.alongside(masking.load)
        self.background.afterwards([*(partial(masking.prepare, each) for each in sets), settle])
        self._start_workers(self.ruling)
        await self.reloading.start()

    @staticmethod
    def _start_workers(ruling: Ruling) -> None:
        """Where anything is masked. Not at once: a start is busy enough, and another configuration may follow.

        Not with the first large body either: it would wait for seconds.
        """
        if ruling.profile_sets:
            asyncio.get_running_loop().call_later(_WORKERS_AFTER, ruling.masking.workers.start)

    async def _load_models(self, ruling: Ruling) -> None:
        """Language models, where profiles name some: what would have to be asked and cannot be is known at once."""
        try:
            await asyncio.to_thread(ruling.masking.load_models)
        except ModelUnavailable as error:
            raise ConfigurationError.of(str(self.configuration.directory), str(error)) from None

    async def stop(self) -> None:
        """End it; what was queued for the record is written."""
        await self.reloading.close()
        await self.waiter.stop()
        await self.agent_api.close()
        await self.tokens.close()
        await self.console.live.stop()
        await self.console_pages.close()
        await self.channels.close()
        await self.background.stop()
        await self.deleting.close()
        await self.indexing.close()
        await self.verifier.close()
        await self.revocations.close()
        await self.stop_switch.close()
        await self.own_calls.close()
        await self.broker.close()
        await self.recorder.stop()
        await self.audit_reach.close()
        await self.objects.close()
        for workers in (self.ruling.masking.workers, *self._former):
            await asyncio.to_thread(workers.stop)
        self.store.close()

    async def _forget_values(self) -> None:
        """Values of sessions that are over are in memory no longer, nor credentials of agents that are gone."""
        self.pseudonyms.forget(self.revocations.is_revoked)
        self.broker.forget(self.revocations.is_revoked)

    async def _stopped(self, pulled: bool) -> None:
        """The emergency stop was pulled or lifted: whoever waits learns of it, and the record."""
        self.revocations.wake()
        file, now = self.stop_switch.file, time.time()
        told = "gatehold: stopped: remove %s to go on" if pulled else "gatehold: goes on: %s is gone"
        logger.warning(told, file)  # an error would end the process while it starts
        with contextlib.suppress(RecorderUnavailable):  # the recorder says itself what is wrong
            await self.recorder.append(events=[stop_event(pulled, time=now)], session=SessionId(""), durable=True)

    def echoes(self) -> Literals:
        """The credentials in use, in every form in which an upstream could send them back."""
        known = self.broker.known_secrets()
        if known is not self._literals[0]:
            self._literals = (known, Literals(known))
        return self._literals[1]

    def echoes_to(self, agent: Agent | None) -> Replacing:
        """What no answer to an agent may show: credentials, and what was put back in its session, at any time."""
        if agent is None:
            return self.echoes()
        known = AgentEchoes(self.echoes, partial(self.broker.own_echoes, agent))
        return SessionEchoes(lambda: known, self.pseudonyms.vault(agent)) if self.pseudonyms.keeps_values else known

    def client_certificate(self, target: TargetName) -> Path | None:
        """The client certificate for TLS with a target; its credential was asked for before the connection."""
        injection = self.broker.in_use(target)
        return injection.client_certificate if injection else None

    def status_url(self, approval: str) -> str:
        """Where an agent can ask about an approval."""
        return f"{self.agent_api.url}/v1/approvals/{approval}"

    def upstream_of(self, listener: Listener) -> str | None:
        """``scheme://host:port`` behind a reverse listener."""
        target = self.registry.named(listener.target)
        return f"{target.spec.scheme}://{target.spec.hosts[0]}" if target else None

    async def masking_work[**P, T](self, work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
        """Do something that masks: here and now once the detectors are loaded, in a thread while they still load."""
        if self.masking_ready:
            return work(*arguments, **options)
        return await asyncio.to_thread(work, *arguments, **options)

    @property
    def masking_ready(self) -> bool:
        """Does masking a small body take no time? The first use takes seconds, a language model always takes long."""
        return self.background.did_alongside and not self.in_force.ruling.masking.asks_models

    @property
    def body_limit(self) -> int:
        """Bytes of a body that are kept in memory at most."""
        limits = self.configuration.gateway.spec.limits
        return max(limits.max_request_body, limits.max_masked_body)

    @property
    def own_ports(self) -> frozenset[int]:
        """Every port that this gateway listens on."""
        return _own_ports(self.configuration.gateway.spec, self.listeners)

    def describe(self) -> str:
        """One line for operators: what listens where."""
        places = ", ".join(
            f"{each.mode} {each.host}:{each.port}{f' for {each.target}' if each.target else ''}"
            for each in self.listeners
        )
        governed = f"{len(self.configuration.targets)} targets, {len(self.ruling.engine.rules)} rules"
        return f"{governed}; {places}, agent API {self.agent_api.url}, console {self.console_pages.url}"


def _end(workers: BodyWorkers) -> None:
    """Not here: this is called wherever the collector happens to run."""
    threading.Thread(target=workers.stop, name="gatehold-body-workers-end", daemon=True).start()


def _prepare(ruling: Ruling) -> None:
    """Everything that would make the first calls wait; takes seconds."""
    sets = ruling.profile_sets
    if sets:
        ruling.masking.load()
    for each in sets:
        ruling.masking.prepare(each)


def _audit_reach(configuration: Configuration, recorder: Recorder) -> AuditReach:
    try:
        return AuditReach(configuration.gateway.spec, configuration.data_dir, recorder)
    except ValueError as error:
        raise ConfigurationError.of(str(configuration.directory), f"audit: {error}") from None


def _others_give_groups(spec: GatewaySpec, store: Store) -> bool:
    """Are there groups that are not an issuer's to give? Keys that give some are not made where one may give any."""
    if spec.identity.saml or spec.identity.api_keys == "off":
        return bool(spec.identity.saml)
    with store.reading() as connection:
        return give_groups(connection, now=time.time())


def _listener(spec: ListenSpec) -> Listener:
    return Listener(
        mode=spec.mode,
        host=spec.host,
        port=spec.port,
        target=spec.target,
        names=spec.names,
        requires_tls=spec.tls == "require",
    )


def _own_ports(spec: GatewaySpec, listeners: Iterable[Listener]) -> frozenset[int]:
    return frozenset({*(listener.port for listener in listeners), spec.console.port, spec.agent_api.port})
