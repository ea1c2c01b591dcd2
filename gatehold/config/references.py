"""What documents say of each other: names that lead nowhere, names and addresses that are taken.

Each check looks at what is there, usable or not, so that one mistake is told once: a target whose document is wrong
still counts as a target.
"""

from collections.abc import Callable, Iterator, Sequence

from gatehold.config.addresses import overlap
from gatehold.config.documents import GatewayDocument, MaskProfileDocument, PolicyDocument, TargetDocument
from gatehold.config.entries import Entries, path_text, unknown
from gatehold.config.gateway import GatewaySpec
from gatehold.config.identity_names import check_identity
from gatehold.config.source import Document, Place
from masking.profiles import MaskProfileSpec, resolve
from masking.profiles.resolving import BUILTIN, ProfileError
from policy.model import Family, Problem
from policy.packs import names as pack_names
from policy.rules.selectors import glob_matches


def check(entries: Entries) -> list[Problem]:
    """Everything that is wrong between documents, but for what policy has to say of its rules."""
    return [problem for each in _CHECKS for problem in each(entries)]


def _names_are_unique(entries: Entries) -> Iterator[Problem]:
    first: dict[tuple[str, str], Document] = {}
    for entry in entries.all:
        known = first.setdefault((entry.kind, entry.name), entry.document)
        if entry.name and known is not entry.document and entry.kind != "Gateway":
            where = f"{known.file}:{known.line(('metadata', 'name'))}"
            yield entry.document.problem(("metadata", "name"), f"{entry.kind} {entry.name} is already in {where}")


def _listeners(entries: Entries) -> Iterator[Problem]:
    for entry, gateway in entries.of(GatewayDocument):
        taken: list[tuple[Place, tuple[str, int]]] = []
        for place, address in _own_addresses(gateway.spec):
            for other, used in taken:
                if overlap(address, used):
                    message = f"{path_text(place)}: port {address[1]} is taken by {path_text(other)}"
                    yield entry.document.problem(place, message)
            taken.append((place, address))
        for at, listener in enumerate(gateway.spec.listen):
            if listener.target is not None:
                place = ("spec", "listen", at, "target")
                yield from unknown(entry.document, place, "target", listener.target, entries.names("Target"))


def _own_addresses(spec: GatewaySpec) -> Iterator[tuple[Place, tuple[str, int]]]:
    for at, listener in enumerate(spec.listen):
        yield ("spec", "listen", at), (listener.host, listener.port)
    if "console" in spec.model_fields_set:
        yield ("spec", "console"), (spec.console.host, spec.console.port)
    yield ("spec", "agentApi"), (spec.agent_api.host, spec.agent_api.port)


def _gateway_names(entries: Entries) -> Iterator[Problem]:
    for entry, gateway in entries.of(GatewayDocument):
        packs = [use.prefix or use.name for use in gateway.spec.packs]
        for at, use in enumerate(gateway.spec.packs):
            yield from unknown(entry.document, ("spec", "packs", at), "pack", use.name, pack_names())
            if packs[at] in packs[:at]:
                message = f"{packs[at]} is used a second time; give it another name, as in as: {packs[at]}-2"
                yield entry.document.problem(("spec", "packs", at), message)
        for at, name in enumerate(gateway.spec.policies):
            known = entries.names("Policy") | set(packs)
            yield from unknown(entry.document, ("spec", "policies", at), "policy", name, known)
        channels = [channel.name for channel in gateway.spec.notify]
        for at, name in enumerate(channels):
            if name in channels[:at]:
                yield entry.document.problem(("spec", "notify", at, "name"), f"two channels have the name {name}")


def _addresses(entries: Entries) -> Iterator[Problem]:
    """An agent's call must lead to one target, and one address must have one credential."""
    hosts, dials = dict[str, str](), dict[str, str]()
    for entry, target in entries.of(TargetDocument):
        spec = target.spec
        for at, host in enumerate(spec.hosts):
            place = ("spec", "hosts", at)
            if host in spec.hosts[:at]:
                yield entry.document.problem(place, f"{host} stands here a second time")
            elif hosts.setdefault(host, entry.name) != entry.name:
                yield entry.document.problem(place, f"{host} is already a host of target {hosts[host]}")
            elif not spec.connect and dials.setdefault(host, entry.name) != entry.name:
                yield entry.document.problem(place, f"target {dials[host]} already connects to {host}")
        if spec.connect and dials.setdefault(spec.connect, entry.name) != entry.name:
            message = f"target {dials[spec.connect]} already connects to {spec.connect}"
            yield entry.document.problem(("spec", "connect"), message)


def _mask_profiles(entries: Entries) -> Iterator[Problem]:
    known = entries.names("MaskProfile") | set(BUILTIN)
    for entry, target in entries.of(TargetDocument):
        for key, named in (("mask", target.spec.mask), ("dlp", target.spec.dlp)):
            if named:
                yield from _all_known(entry.document, ("spec", key, "profiles"), named.profiles, known)
    problems = []
    for entry, profile in entries.of(MaskProfileDocument):
        if entry.name in BUILTIN:
            message = f"{entry.name} is the name of a built-in mask profile"
            problems.append(entry.document.problem(("metadata", "name"), message))
        problems += _all_known(entry.document, ("spec", "extends"), profile.spec.extends, known)
        problems += _restored(entry.document, profile.spec, entries)
    yield from problems or _inheritance(entries)


def _restored(document: Document, spec: MaskProfileSpec, entries: Entries) -> Iterator[Problem]:
    families = {entry.name: target.spec.family for entry, target in entries.of(TargetDocument)}
    for at, rule in enumerate(spec.restore):
        place = ("spec", "restore", at, "target")
        yield from unknown(document, place, "target", rule.target, entries.names("Target"))
        if families.get(rule.target) is Family.KUBERNETES:
            yield document.problem(
                place, f"target {rule.target} is a cluster; values are put back for http targets only"
            )


def _all_known(document: Document, place: Place, names: Sequence[str], known: set[str]) -> Iterator[Problem]:
    for at, name in enumerate(names):
        yield from unknown(document, (*place, at), "mask profile", name, known)


def _inheritance(entries: Entries) -> Iterator[Problem]:
    """Profiles whose parents are broken documents are looked at when those are mended."""
    profiles = {entry.name: profile.spec for entry, profile in entries.of(MaskProfileDocument)}
    if not profiles:
        return
    known = profiles.keys() | set(BUILTIN)
    whole = {name: spec for name, spec in profiles.items() if _reaches_only(spec, profiles, known)}
    try:
        resolve(whole)
    except ProfileError as error:
        for entry, _ in entries.of(MaskProfileDocument):
            if entry.name == error.profile:
                yield entry.document.problem(("spec", *error.place), str(error))


def _reaches_only(spec: MaskProfileSpec, profiles: dict[str, MaskProfileSpec], known: set[str]) -> bool:
    reached, open_ = set[str](), list(spec.extends)
    while open_:
        name = open_.pop()
        if name not in reached and name in profiles:
            open_ += profiles[name].extends
        reached.add(name)
    return reached <= known


def _rule_targets(entries: Entries) -> Iterator[Problem]:
    """A glob that names no target protects, or opens, nothing; exact names are policy's own affair."""
    targets = entries.names("Target")
    for entry, policy in entries.of(PolicyDocument):
        for number, rule in enumerate(policy.rules):
            family, match = ("http", rule.http) if rule.http else ("kubernetes", rule.kubernetes)
            for at, pattern in enumerate((match.targets if match else None) or ()):
                if "*" in pattern and pattern != "*" and not any(glob_matches(pattern, name) for name in targets):
                    message = f"rule {rule.name}: {family}.targets[{at}]: no target matches {pattern!r}"
                    yield entry.document.problem(("rules", number, family, "targets", at), message)


_CHECKS: tuple[Callable[[Entries], Iterator[Problem]], ...] = (
    _names_are_unique,
    _listeners,
    _gateway_names,
    check_identity,
    _addresses,
    _mask_profiles,
    _rule_targets,
)
