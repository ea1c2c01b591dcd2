"""The environment of agents, as it was asked for."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from gatehold.agent_environment import formats, kubeconfig
from gatehold.agent_environment.places import (
    Place,
    Unreachable,
    forwarder_place,
    own_hosts,
    proxy_place,
    reverse_place,
)
from gatehold.agent_environment.trust import Trust, TrustPaths, joined, write
from gatehold.agent_environment.variables import Unwritable, variables
from gatehold.authority import load_or_create
from gatehold.config.model import Configuration, Target
from policy.model import Family

DIRECTORY = "agents"
"""Under the data directory; what other users read is written elsewhere."""

_MOUNT = re.compile(r"(/[A-Za-z0-9._-]+)+")
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""A name that Kubernetes takes for an object (RFC 1123, 2.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be printed, and for whom."""

    form: Literal["shell", "dotenv", "k8s", "compose"] = "shell"
    host: str | None = None
    """What agents call the gateway's host; left out: the listener's own."""
    forwarder: int | None = None
    """Port of an agent proxy on the agent's loopback interface, which shows the token for it."""
    out: Path | None = None
    mount: str = "/etc/gatehold"
    name: str = "agent"
    system: Path | None = None

    @property
    def is_for_containers(self) -> bool:
        """Whose files are mounted, and whose loopback interface is their own."""
        return self.form in ("k8s", "compose")


def environment(configuration: Configuration, wanted: Wanted) -> str:
    """The variables; files that they name are written first. Raises GateholdError, OSError."""
    if wanted.is_for_containers and not (_MOUNT.fullmatch(wanted.mount) and _NAME.fullmatch(wanted.name)):
        raise Unwritable("--mount is an absolute path, --name lower case letters, digits and hyphens")
    trust = _trust(configuration, wanted)
    directory = str((wanted.out or configuration.data_dir / DIRECTORY).absolute())
    paths = TrustPaths(directory=wanted.mount if wanted.is_for_containers else directory)
    direct = own_hosts(configuration.gateway.spec, wanted.host)
    made = variables(_proxy(configuration, wanted), paths, direct=direct)
    if wanted.form == "k8s":
        return formats.kubernetes(made, trust, name=wanted.name, mount=wanted.mount)
    write(trust, Path(directory))
    if wanted.form == "compose":
        return formats.compose(made, service=wanted.name, source=directory, mount=wanted.mount)
    return formats.shell(made) if wanted.form == "shell" else formats.dotenv(made)


def cluster_access(configuration: Configuration, wanted: Wanted, *, target: str | None, token_file: str | None) -> str:
    """A kubeconfig for one cluster. Raises GateholdError, OSError."""
    cluster = _cluster(configuration, target)
    authority = _trust(configuration, wanted).authority
    reverse = None if wanted.forwarder else reverse_place(configuration.gateway.spec, cluster.name, wanted.host)
    if reverse is not None:
        return kubeconfig.through_reverse(cluster.name, reverse, authority=authority, token_file=token_file)
    if token_file and not wanted.forwarder and cluster.spec.identity == "proxy":
        raise Unreachable(f"target {cluster.name} has identity: proxy, where no client reads a token from a file")
    proxy = _proxy(configuration, wanted)
    return kubeconfig.through_proxy(
        cluster.name, cluster.spec.hosts[0], proxy, authority=authority, token_file=token_file
    )


def _trust(configuration: Configuration, wanted: Wanted) -> Trust:
    return joined(load_or_create(configuration.data_dir).pem, wanted.system)


def _proxy(configuration: Configuration, wanted: Wanted) -> Place:
    if wanted.forwarder is not None:
        return forwarder_place(wanted.forwarder)
    return proxy_place(configuration.gateway.spec, wanted.host)


def _cluster(configuration: Configuration, name: str | None) -> Target:
    clusters = [each for each in configuration.targets.values() if each.spec.family is Family.KUBERNETES]
    found = [each for each in clusters if name in (None, each.name)]
    if len(found) != 1:
        known = ", ".join(each.name for each in clusters) or "none"
        raise Unreachable(f"say --target, the name of a target of family kubernetes; there are: {known}")
    return found[0]
