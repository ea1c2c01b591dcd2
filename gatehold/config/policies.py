"""Policies and packs of a configuration, compiled, with their problems traced back to file and line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gatehold.config.documents import GatewayDocument, PolicyDocument, TargetDocument
from gatehold.config.entries import Entries, Entry, path_text
from gatehold.config.model import Target
from masking.profiles.resolving import BUILTIN
from policy import packs
from policy.engine import Engine, PolicyError
from policy.model import Family, Problem, TargetName, TargetTraits
from policy.rules.compiler import RuleProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """Policies, packs among them, and the engine that decides by them."""

    policies: tuple[PolicyDocument, ...]
    engine: Engine
    places: Mapping[str, str]
    """``file:line`` of every rule; of those of a pack where the pack is used."""


def compile_policies(entries: Entries, problems: list[Problem]) -> Compiled | None:
    """Compile every rule; what is wrong goes to ``problems``, and then there is nothing to decide by."""
    used = {policy.metadata.name: (place, policy) for place, policy in _packs(entries, problems)}
    policies = (*(policy for _, policy in entries.of(PolicyDocument)), *(policy for _, policy in used.values()))
    try:
        engine = Engine.compile(
            policies,
            dict(_traits(entries)),
            known_profiles=entries.names("MaskProfile") | set(BUILTIN),
            known_issuers=_issuers(entries),
        )
    except PolicyError as error:
        problems += [
            _located(problem, entries, used) for problem in error.problems if not _is_hearsay(problem, entries)
        ]
        return None
    return Compiled(policies=policies, engine=engine, places=dict(_places(entries, used)))


def _places(entries: Entries, used: "Mapping[str, _Used]") -> Iterator[tuple[str, str]]:
    for entry, policy in entries.of(PolicyDocument):
        for at, rule in enumerate(policy.rules):
            yield rule.name, f"{entry.document.file}:{entry.document.line(('rules', at))}"
    for place, policy in used.values():
        for rule in policy.rules:
            yield rule.name, f"{place.file}:{place.line}"


type _Used = tuple[Problem, PolicyDocument]
"""A pack's policy and, as a problem without a message, the place where it is used."""


def _packs(entries: Entries, problems: list[Problem]) -> Iterator[_Used]:
    for entry, gateway in entries.of(GatewayDocument):
        for at, use in enumerate(gateway.spec.packs):
            if use.name not in packs.names():
                continue
            place = ("spec", "packs", at)
            try:
                yield entry.document.problem(place, ""), packs.load(use)
            except packs.PackError as error:
                problems.append(entry.document.problem((*place, *error.place), str(error)))


def _traits(entries: Entries) -> Iterator[tuple[str, TargetTraits]]:
    """What policy needs to know of every target; of one whose document is wrong, what can be read of it."""
    for entry in entries.of_kind("Target"):
        if isinstance(entry.value, TargetDocument):
            yield entry.name, Target(name=TargetName(entry.name), spec=entry.value.spec).traits
        else:
            yield entry.name, TargetTraits(name=TargetName(entry.name), family=_family(entry) or Family.HTTP)


def _issuers(entries: Entries) -> set[str] | None:
    """The names of all issuers, usable or not; None where they cannot be told."""
    names = set[str]()
    for entry in entries.of_kind("Gateway"):
        try:
            names |= {issuer["name"] for issuer in entry.document.value["spec"]["identity"]["issuers"]}
        except (KeyError, TypeError):
            if not isinstance(entry.value, GatewayDocument) or entry.value.spec.identity.issuers:
                return None
    return names


def _family(entry: Entry) -> Family | None:
    spec = entry.document.value.get("spec")
    family = spec.get("family") if isinstance(spec, dict) else None
    return Family(family) if family in list(Family) else None


def _is_hearsay(problem: RuleProblem, entries: Entries) -> bool:
    """Is it about the family of a target whose document does not tell it? That is said there."""
    silent = {e.name for e in entries.of_kind("Target") if not isinstance(e.value, TargetDocument) and not _family(e)}
    return any(problem.message.startswith(f"target {name} is of family") for name in silent)


def _located(problem: RuleProblem, entries: Entries, used: Mapping[str, _Used]) -> Problem:
    message = f"{path_text(problem.path[2:])}: {problem.message}" if problem.path[2:] else problem.message
    for entry, policy in entries.of(PolicyDocument):
        if entry.name == problem.policy and any(rule.name == problem.rule for rule in policy.rules):
            return entry.document.problem(problem.path, f"rule {problem.rule}: {message}")
    place, _ = used[problem.policy]
    return Problem(file=place.file, line=place.line, message=f"pack {problem.policy}: {message}")
