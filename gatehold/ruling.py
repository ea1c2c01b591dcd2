"""What a call is judged, searched, masked and given credentials by: one object for each configuration.

A call keeps to the one with which it began, from its first header to its last byte. A changed configuration makes
another one beside it, which comes into force in one assignment; nothing in here changes after that.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from gatehold.body_workers import SpreadMasking
from gatehold.config import Configuration, compile_engine
from gatehold.config.target import TargetSpec
from gatehold.credentials.broker import CredentialBroker
from gatehold.limiting import Limiting
from gatehold.registry import Registry
from gatehold.restoring import RestoreRules
from gatehold.scrubbing import Scrubber
from masking.encodings import Limits
from masking.profiles import Profile, resolve
from policy.actions.decoding import Action
from policy.codes import Code
from policy.engine import Engine
from policy.limits import LimitLedger
from policy.model import Agent, Decision, TargetName, Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ruling:
    """One configuration, ready to be applied to calls."""

    configuration: Configuration
    registry: Registry
    engine: Engine
    profiles: Mapping[str, Profile]
    """What is hidden under which name."""
    masking: SpreadMasking
    restoring: RestoreRules
    scrubber: Scrubber
    limiting: Limiting
    broker: CredentialBroker
    searched: frozenset[str]
    """Targets whose requests some rule wants to be searched."""

    def __repr__(self) -> str:
        return f"<Ruling {self.engine.revision[:12]}>"

    @property
    def profile_sets(self) -> list[tuple[str, ...]]:
        """Every set of profiles by which a call may come to be masked, searched or recorded."""
        names = (TargetName(name) for name in self.configuration.targets)
        return sorted({each for name in names for each in self.engine.profile_sets(name)})

    @property
    def is_reversible(self) -> bool:
        """Whether some tokens can be put back."""
        return any(profile.reversible for profile in self.profiles.values())

    def decide(self, agent: Agent, target: TargetName, action: Action) -> Decision:
        """The policy's answer, now."""
        return self.engine.decide(agent, target, action, now=datetime.now(UTC), limits=self.limiting)

    def retry_after(self, decision: Decision, agent: Agent, target: TargetName) -> int | None:
        """Seconds until a denial for want of room is over; None for every other denial."""
        if decision.verdict is not Verdict.DENY or decision.code not in (Code.RATE_LIMITED, Code.BUDGET_SPENT):
            return None
        waits = [self.limiting.wait(limit, agent, target) for limit in decision.obligations.limits]
        return max(1, math.ceil(max(waits, default=1.0)))

    def hides_secrets(self, target: TargetName) -> bool:
        """Whether any answer of a target may have the values of Kubernetes Secrets hidden in it."""
        return self.masking.hides_kind("Secret", self.engine.mask_profiles(target))

    def credential_kind(self, target: TargetName) -> str:
        """Which credential a target gets: its form and place, never its value."""
        credential = self.configuration.targets[target].spec.credential
        if credential is None:
            return ""
        form = sorted(credential.model_fields_set - {"value", "source"})
        return ",".join([*form, f"from {credential.source.kind}"] if credential.source else form)

    def hides_as(self, other: "Ruling", profiles: tuple[str, ...]) -> bool:
        """Do these profiles hide here what they hide there?"""
        return all(self.profiles.get(name) == other.profiles.get(name) for name in profiles)

    def leads_as(self, other: "Ruling", target: str) -> bool:
        """Does a target lead here where it leads there, over the same TLS, with the same certificate of ours?"""
        mine, theirs = self.configuration.targets.get(target), other.configuration.targets.get(target)
        return mine is theirs or (mine is not None and theirs is not None and _road(mine.spec) == _road(theirs.spec))

    def reads_as(self, other: "Ruling", target: TargetName) -> bool:
        """Is a request to a target understood here as it is there?"""
        mine, theirs = self.engine.targets.get(target), other.engine.targets.get(target)
        return mine is theirs or (
            mine is not None and theirs is not None and (mine.family, mine.paths) == (theirs.family, theirs.paths)
        )


def make_ruling(
    configuration: Configuration, *, ledger: LimitLedger, key: bytes, before: Ruling | None = None
) -> Ruling:
    """Compile a configuration; blocks, and takes what did not change from ``before``.

    ``ledger`` counts for all of them; ``key`` is that of pseudonyms. Credentials are not had yet.
    """
    profiles = resolve(configuration.profiles)
    engine = compile_engine(configuration)
    masking = before.masking if before is not None and before.profiles == profiles else _masking(configuration, key)
    names = [TargetName(name) for name in configuration.targets]
    return Ruling(
        configuration=configuration,
        registry=Registry(configuration.targets),
        engine=engine,
        profiles=profiles,
        masking=masking,
        restoring=RestoreRules(profiles.values()),
        scrubber=Scrubber(
            masking, {name: engine.record_profiles(name) for name in names}, _credential_headers(configuration)
        ),
        limiting=Limiting(ledger, {name: rule.agents.groups for name, rule in engine.rules.items()}),
        broker=CredentialBroker(
            configuration.targets, data_dir=configuration.data_dir, before=before.broker if before else None
        ),
        searched=frozenset(name for name in names if engine.dlp_profiles(name)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A ruling came into force."""

    before: Ruling
    now: Ruling


class InForce:
    """The ruling by which calls that begin now are judged."""

    __slots__ = ("ruling",)

    def __init__(self, ruling: Ruling) -> None:
        self.ruling = ruling

    def configuration(self) -> Configuration:
        """The configuration that is in force."""
        return self.ruling.configuration

    def masked_text(self, text: str, target: TargetName) -> str:
        """What an agent wrote about a target, masked for people; may take long."""
        return self.ruling.scrubber.text(text, self.ruling.configuration.targets.get(target))


def _masking(configuration: Configuration, key: bytes) -> SpreadMasking:
    limits = Limits(body=configuration.gateway.spec.limits.max_masked_body)
    profiles = resolve(configuration.profiles)
    return SpreadMasking(profiles, documents=configuration.profiles, key=key, limits=limits)


def _credential_headers(configuration: Configuration) -> frozenset[str]:
    """Names of the headers that carry credentials of this configuration's targets."""
    specs = [each.spec for each in configuration.targets.values()]
    named = {each.credential.header for each in specs if each.credential and each.credential.header}
    common = {"authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key", "x-auth-token"}
    return frozenset(common | {name.lower().replace("_", "-") for name in named})


def _road(spec: TargetSpec) -> tuple[object, ...]:
    given = spec.credential
    by_connection = given if given and (given.client_certificate or given.kubernetes) else None
    return spec.hosts, spec.scheme, spec.connect, spec.allow_private, spec.tls, by_connection
