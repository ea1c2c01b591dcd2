"""What ``Gateway.spec.identity`` says of other documents and of itself: names that are taken, or lead nowhere."""

from collections.abc import Iterator

from gatehold.config.documents import GatewayDocument, TargetDocument
from gatehold.config.entries import Entries, path_text, unknown
from gatehold.config.issuer_urls import API_KEYS, expanded
from gatehold.config.issuers import IdentitySpec, IssuerSpec
from gatehold.config.source import Document, Place
from policy.model import Family, Problem

_IDENTITY: Place = ("spec", "identity")


def check_identity(entries: Entries) -> Iterator[Problem]:
    """Everything that is wrong with the names of issuers and identity providers."""
    for entry, gateway in entries.of(GatewayDocument):
        identity = gateway.spec.identity
        yield from _names(entry.document, identity)
        yield from _values_of_iss(entry.document, identity)
        yield from _entities(entry.document, identity)
        for at, issuer in enumerate(identity.issuers):
            yield from _clusters(entries, entry.document, (*_IDENTITY, "issuers", at), issuer)


def _names(document: Document, identity: IdentitySpec) -> Iterator[Problem]:
    """Rules and the record tell agents apart by the name of who vouched for them."""
    taken: dict[str, Place] = {}
    named = [(("issuers", at), issuer.name) for at, issuer in enumerate(identity.issuers)]
    named += [(("saml", at), provider.name) for at, provider in enumerate(identity.saml)]
    for end, name in named:
        place: Place = (*_IDENTITY, *end, "name")
        if name == API_KEYS:
            yield document.problem(place, f"{API_KEYS} is the gateway's own name for those who show an API key")
        elif taken.setdefault(name, place) != place:
            both = taken[name][2] == end[0] == "issuers"
            told = f"two issuers have the name {name}" if both else f"{name} is taken by {path_text(taken[name][:-1])}"
            yield document.problem(place, told)


def _values_of_iss(document: Document, identity: IdentitySpec) -> Iterator[Problem]:
    taken = set[str]()
    for at, issuer in enumerate(identity.issuers):
        urls = [url for url, _ in expanded(issuer.issuer, issuer.require)]
        again = next((url for url in urls if url in taken), None)
        if again is not None:
            yield document.problem((*_IDENTITY, "issuers", at, "issuer"), f"two issuers have the issuer {again}")
        taken.update(urls)


def _entities(document: Document, identity: IdentitySpec) -> Iterator[Problem]:
    entities = [provider.entity_id for provider in identity.saml]
    for at, entity in enumerate(entities):
        if entity in entities[:at]:
            place: Place = (*_IDENTITY, "saml", at, "entityId")
            yield document.problem(place, f"two identity providers have the entityId {entity}")


def _clusters(entries: Entries, document: Document, place: Place, issuer: IssuerSpec) -> Iterator[Problem]:
    targets = {entry.name: target.spec for entry, target in entries.of(TargetDocument)}
    named = ((("jwks", "cluster"), issuer.jwks.cluster), (("tokenReview",), issuer.token_review))
    for end, name in named:
        if name is None:
            continue
        yield from unknown(document, (*place, *end), "target", name, entries.names("Target"))
        spec = targets.get(name)
        if spec is None:
            continue
        if spec.family is not Family.KUBERNETES:
            yield document.problem((*place, *end), f"target {name} is of family {spec.family}, and no cluster")
        elif spec.credential is None:
            yield document.problem((*place, *end), f"target {name} has no credential, with which the cluster is asked")
        elif spec.credential.source is not None and spec.credential.source.exchange is not None:
            told = f"target {name} has each agent's own credential, and none with which the cluster is asked"
            yield document.problem((*place, *end), told)
