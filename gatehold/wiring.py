"""The one place where the parts are put together: a configuration in, a running gateway out.

``Gateway.build`` makes everything that needs no event loop and opens no listener; ``start`` begins what runs beside the
calls; ``stop`` ends it and drains what is queued. Stages of a call reach every service through this object.
"""

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from gatehold.agent_api.access_requests import AccessRequests
from gatehold.agent_api.decisions import Decisions
from gatehold.agent_api.questions import application
from gatehold.approvals.desk import ApprovalDesk
from gatehold.approvals.fingerprint import approval_key
from gatehold.approvals.revealing import HeldRequests
from gatehold.approvals.waiting import Waiter
from gatehold.authority import LeafIssuer, load_or_create
from gatehold.background import Background
from gatehold.body_workers import SpreadMasking
from gatehold.channels.serving import Channels
from gatehold.collecting import settle
from gatehold.config import Configuration, Target, compile_engine
from gatehold.config.gateway import GatewaySpec, ListenSpec
from gatehold.console.addresses import ConsoleAddress
from gatehold.console.app import application as console_application
from gatehold.console.context import Console
from gatehold.console.live import Live
from gatehold.console.templating import Templates
from gatehold.continuation import Continuation, continuation
from gatehold.credentials.broker import CredentialBroker
from gatehold.identity.revocation import Revocations
from gatehold.identity.verifier import TokenVerifier
from gatehold.limiting import Limiting
from gatehold.lookups.client import OwnCalls
from gatehold.lookups.ladder import Ladder
from gatehold.lookups.slots import Slots
from gatehold.open_files import allow_many
from gatehold.people.tokens import Tokens
from gatehold.people.web_sessions import WebSessions
from gatehold.pseudonyms import SessionPseudonyms, pseudonym_key
from gatehold.registry import Listener, Registry
from gatehold.restoring import RestoreRules
from gatehold.scrubbing import Scrubber
from gatehold.serving import HttpListener
from gatehold.sessions.registry import SessionRegistry
from gatehold.sessions.stopping import Stop, stop_event
from gatehold.shown import ShownObjects
from gatehold.store import open_store
from gatehold.store.database import Store
from gatehold.vault import SessionEchoes, SessionVaults
from masking.encodings import Limits
from masking.errors import ModelUnavailable
from masking.literals import Literals, Replacing
from masking.profiles import resolve
from policy.actions.decoding import Action
from policy.codes import Code
from policy.engine import Engine
from policy.errors import ConfigurationError
from policy.limits import LimitLedger
from policy.model import Agent, Decision, SessionId, TargetName, Verdict
from recordings.errors import RecorderUnavailable
from recordings.recorder import Recorder

logger = logging.getLogger(__name__)

_WORKERS_AFTER = 10.0
"""Seconds after the start at which the processes for large bodies are started."""


@dataclass(slots=True, kw_only=True)
class Gateway:
    """Everything that a call needs."""

    configuration: Configuration
    registry: Registry
    listeners: tuple[Listener, ...]
    engine: Engine
    sessions: SessionRegistry
    stop_switch: Stop
    revocations: Revocations
    verifier: TokenVerifier
    broker: CredentialBroker
    own_calls: OwnCalls
    ladder: Ladder
    slots: Slots
    masking: SpreadMasking
    pseudonyms: SessionPseudonyms
    restoring: RestoreRules
    scrubber: Scrubber
    limiting: Limiting
    store: Store
    desk: ApprovalDesk
    waiter: Waiter
    decisions: Decisions
    agent_api: HttpListener
    console: Console
    console_pages: HttpListener
    channels: Channels
    recorder: Recorder
    leaves: LeafIssuer
    approval_key: bytes
    background: Background
    continuation: Continuation
    shown: ShownObjects
    held_requests: HeldRequests
    _literals: tuple[tuple[bytes, ...], Literals] = ((), Literals(()))

    @classmethod
    def build(cls, configuration: Configuration) -> "Gateway":
        """Put a gateway together; raises ConfigurationError where the configuration names what cannot be used."""
        spec, data_dir = configuration.gateway.spec, configuration.data_dir
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        pseudonyms = pseudonym_key(data_dir)
        profiles = resolve(configuration.profiles)
        masking = SpreadMasking(
            profiles,
            documents=configuration.profiles,
            key=pseudonyms,
            limits=Limits(body=spec.limits.max_masked_body),
        )
        engine = compile_engine(configuration)
        store = open_store(spec.store.url, data_dir)
        desk = ApprovalDesk(store, spec.approvals)
        limiting = Limiting(LimitLedger(), {name: rule.agents.groups for name, rule in engine.rules.items()})
        recorder = Recorder(data_dir, mode=spec.recordings.mode)
        sessions, stop_switch = SessionRegistry(store), Stop(data_dir)
        revocations = Revocations(store, sessions=sessions, stop=stop_switch)
        sessions.on_end = revocations.wake
        waiter, decisions = Waiter(store), Decisions()
        verifier = TokenVerifier(spec.identity.issuers, revocations=revocations)
        broker = CredentialBroker(configuration.targets, data_dir=data_dir)
        listeners = tuple(_listener(each) for each in spec.listen)
        own_calls = OwnCalls(broker, _own_ports(spec, listeners), max_answer=spec.limits.max_request_body)
        scrubber = Scrubber(
            masking,
            {name: engine.record_profiles(TargetName(name)) for name in configuration.targets},
            _credential_headers(configuration),
        )
        access = AccessRequests(
            engine=engine,
            desk=desk,
            mask=lambda text, target: scrubber.text(text, configuration.targets.get(target)),
            key=approval_key(data_dir),
            longest=spec.approvals.max_grant,
        )
        questions = application(verifier=verifier, decisions=decisions, desk=desk, waiter=waiter, access=access)
        held_requests = HeldRequests()
        console = Console(
            address=ConsoleAddress.of(spec.console.host, spec.console.port, spec.console.url),
            configuration=configuration,
            store=store,
            desk=desk,
            waiter=waiter,
            held=held_requests,
            web_sessions=WebSessions(store, spec.console.session, time.time),
            tokens=Tokens(store, time.time),
            decisions=decisions,
            revocations=revocations,
            engine=engine,
            recorder=recorder,
            live=Live(store),
            templates=Templates(),
            clock=time.time,
        )
        channels = Channels(spec, store, desk, console=console.address.url, answered=waiter.notify)
        pages = HttpListener(
            console_application(console, channels.routes), spec.console.host, spec.console.port, name="console"
        )
        return cls(
            configuration=configuration,
            registry=Registry(configuration.targets),
            listeners=listeners,
            engine=engine,
            sessions=sessions,
            stop_switch=stop_switch,
            revocations=revocations,
            verifier=verifier,
            broker=broker,
            own_calls=own_calls,
            ladder=Ladder(own_calls),
            slots=Slots(),
            masking=masking,
            pseudonyms=SessionPseudonyms(
                pseudonyms, SessionVaults() if any(profile.reversible for profile in profiles.values()) else None
            ),
            restoring=RestoreRules(profiles.values()),
            scrubber=scrubber,
            limiting=limiting,
            store=store,
            desk=desk,
            waiter=waiter,
            decisions=decisions,
            agent_api=HttpListener(questions, spec.agent_api.host, spec.agent_api.port, name="agent API"),
            recorder=recorder,
            leaves=LeafIssuer(load_or_create(data_dir)),
            approval_key=approval_key(data_dir),
            background=Background(store, desk, limiting.ledger, recorder),
            continuation=continuation(data_dir),
            shown=ShownObjects(),
            held_requests=held_requests,
            console=console,
            console_pages=pages,
            channels=channels,
        )

    async def start(self) -> None:
        """Begin what runs beside the calls. Raises ConfigurationError for a credential that is not there."""
        allow_many()
        missing = await self.broker.prepare()
        if missing:
            raise ConfigurationError.of(str(self.configuration.directory), "; ".join(missing))
        await self._load_models()
        self.recorder.start(asyncio.get_running_loop())
        await self.stop_switch.start(self._stopped)
        await self.sessions.start()
        await self.revocations.start()
        self.verifier.start()
        await self.background.start()
        await self.channels.start()
        self.background.every_turn(self._forget_values)
        self.background.every_turn(self.sessions.turn)
        # The detectors take seconds to import; whatever needs them before they are there waits for them.
        self.background.alongside(self.masking.load)
        sets = sorted(
            {each for name in self.configuration.targets for each in self.engine.profile_sets(TargetName(name))}
        )
        self.background.afterwards([*(partial(self.masking.prepare, each) for each in sets), settle])
        if sets:
            # Not at once: a start is busy enough. Not with the first large body: it would wait for seconds.
            asyncio.get_running_loop().call_later(_WORKERS_AFTER, self.masking.workers.start)

    async def _load_models(self) -> None:
        """Language models, where profiles name some: what would have to be asked and cannot be is known at once."""
        try:
            await asyncio.to_thread(self.masking.load_models)
        except ModelUnavailable as error:
            raise ConfigurationError.of(str(self.configuration.directory), str(error)) from None

    async def stop(self) -> None:
        """End it; what was queued for the record is written."""
        await self.waiter.stop()
        await self.agent_api.close()
        await self.console.live.stop()
        await self.console_pages.close()
        await self.channels.close()
        await self.background.stop()
        await self.verifier.close()
        await self.revocations.close()
        await self.stop_switch.close()
        await self.own_calls.close()
        await self.broker.close()
        await self.recorder.stop()
        await asyncio.to_thread(self.masking.workers.stop)
        self.store.close()

    async def _forget_values(self) -> None:
        """Values of sessions that are over are in memory no longer."""
        self.pseudonyms.forget(self.revocations.is_revoked)

    async def _stopped(self, pulled: bool) -> None:
        """The emergency stop was pulled or lifted: whoever waits learns of it, and the record."""
        self.revocations.wake()
        file, now = self.stop_switch.file, time.time()
        told = "gatehold: stopped: remove %s to go on" if pulled else "gatehold: goes on: %s is gone"
        logger.warning(told, file)  # an error would end the process while it starts
        with contextlib.suppress(RecorderUnavailable):  # the recorder says itself what is wrong
            await self.recorder.append(events=[stop_event(pulled, time=now)], session=SessionId(""), durable=True)

    def decide(self, agent: Agent, target: TargetName, action: Action) -> Decision:
        """The policy's answer, now."""
        return self.engine.decide(agent, target, action, now=datetime.now(UTC), limits=self.limiting)

    def retry_after(self, decision: Decision, agent: Agent, target: TargetName) -> int | None:
        """Seconds until a denial for want of room is over; None for every other denial."""
        if decision.verdict is not Verdict.DENY or decision.code not in (Code.RATE_LIMITED, Code.BUDGET_SPENT):
            return None
        waits = [self.limiting.wait(limit, agent, target) for limit in decision.obligations.limits]
        return max(1, math.ceil(max(waits, default=1.0)))

    def echoes(self) -> Literals:
        """The credentials in use, in every form in which an upstream could send them back."""
        known = self.broker.known_secrets()
        if known is not self._literals[0]:
            self._literals = (known, Literals(known))
        return self._literals[1]

    def echoes_to(self, agent: Agent | None) -> Replacing:
        """What no answer to an agent may show: credentials, and what was put back in its session, at any time."""
        if agent is None or not self.restoring:
            return self.echoes()
        return SessionEchoes(self.echoes, self.pseudonyms.vault(agent))

    def client_certificate(self, target: TargetName) -> Path | None:
        """The client certificate for TLS with a target; its credential was asked for before the connection."""
        injection = self.broker.in_use(target)
        return injection.client_certificate if injection else None

    def hides_secrets(self, target: TargetName) -> bool:
        """Whether any answer of a target may have the values of Kubernetes Secrets hidden in it."""
        return self.masking.hides_kind("Secret", self.engine.mask_profiles(target))

    def credential_kind(self, target: TargetName) -> str:
        """Which credential a target gets: its form and place, never its value."""
        credential = self.configuration.targets[target].spec.credential
        if credential is None:
            return ""
        return ",".join(sorted(name for name in credential.model_fields_set if name != "value"))

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
        return self.background.did_alongside and not self.masking.asks_models

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
        governed = f"{len(self.configuration.targets)} targets, {len(self.engine.rules)} rules"
        return f"{governed}; {places}, agent API {self.agent_api.url}, console {self.console_pages.url}"


def _listener(spec: ListenSpec) -> Listener:
    return Listener(mode=spec.mode, host=spec.host, port=spec.port, target=spec.target, names=spec.names)


def _own_ports(spec: GatewaySpec, listeners: Iterable[Listener]) -> frozenset[int]:
    return frozenset({*(listener.port for listener in listeners), spec.console.port, spec.agent_api.port})


def _credential_headers(configuration: Configuration) -> frozenset[str]:
    """Names of the headers that carry credentials of this configuration's targets."""
    specs: list[Target] = list(configuration.targets.values())
    named = {each.spec.credential.header for each in specs if each.spec.credential and each.spec.credential.header}
    common = {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"}
    return frozenset(common | {name.lower().replace("_", "-") for name in named})
