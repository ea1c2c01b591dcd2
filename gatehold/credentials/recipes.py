"""How the credential of a target is made."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gatehold.config.credentials import KubernetesCredentialSpec
from gatehold.config.model import Target
from gatehold.credentials.field_sources import FieldSources
from gatehold.credentials.fields import Asker
from gatehold.credentials.injection import Bound, origins
from gatehold.credentials.kubernetes import kubernetes_source
from gatehold.credentials.minting import Endpoint
from gatehold.credentials.sourced import Owner, SourcedCredential
from gatehold.credentials.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How it is made, and whether for each agent anew."""

    make: Callable[[Asker | None], Source]
    per_agent: bool = False


def recipe_of(target: Target, keys: Path, having: FieldSources) -> Recipe | None:
    """The recipe for a target's credential; None: it has none. Files of it are kept under ``keys``."""
    spec = target.spec.credential
    if spec is None:
        return None
    if spec.kubernetes is not None:
        source = _cluster_source(target, spec.kubernetes, keys)
        return Recipe(make=lambda _: source)
    field_source = having.of(spec.source) if spec.source is not None else None
    per_agent = field_source is not None and field_source.per_agent
    owner = Owner(name=target.name, bound=bound_of(target), keys=keys)
    return Recipe(make=partial(SourcedCredential, spec, owner, field_source), per_agent=per_agent)


def bound_of(target: Target) -> Bound:
    """The only places that the target's credential may go to."""
    hosts = (address.rpartition(":") for address in target.spec.hosts)
    return origins(target.spec.scheme, ((host, int(port)) for host, _, port in hosts))


def _cluster_source(target: Target, credential: KubernetesCredentialSpec, keys: Path) -> Source:
    spec = target.spec
    endpoint = Endpoint(
        scheme=spec.scheme, host=spec.hosts[0], connect=spec.connect, ca=spec.tls.ca if spec.tls else None
    )
    return kubernetes_source(credential, bound_of(target), owner=target.name, keys=keys, endpoint=endpoint)
