"""Exec credential plugins: a command prints a credential as JSON (client-go credential plugins, ``ExecCredential``)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gatehold.config.values import CredentialUnavailable, Secret
from gatehold.credentials.moments import unix_time
from gatehold.credentials.processes import Command, output_of

TIMEOUT = 30.0
"""Seconds for one run."""
API_VERSIONS = frozenset({"client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A command that prints credentials, as the ``exec`` section of a kubeconfig user describes it."""

    api_version: str
    command: str
    arguments: tuple[str, ...] = field(default=(), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    directory: Path
    """Where a command with a slash in its name is looked for; where the command runs."""
    cluster: Mapping[str, Any] | None = field(default=None, repr=False)
    """Told to the command if it asks for it (``provideClusterInfo``)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginCredential:
    """What a plugin printed: a bearer token, a client certificate, or both."""

    token: Secret | None = None
    certificate: str | None = None
    """PEM."""
    key: Secret | None = None
    expires_at: float | None = None


def plugin_of(section: Mapping[str, Any], directory: Path, cluster: Mapping[str, Any] | None) -> Plugin:
    """Read an ``exec`` section. Raises ``CredentialUnavailable``."""
    arguments, variables = section.get("args") or [], section.get("env") or []
    sound = (
        section.get("apiVersion") in API_VERSIONS
        and isinstance(section.get("command"), str)
        and _is_text(*arguments)
        and all(isinstance(item, dict) and _is_text(item.get("name"), item.get("value")) for item in variables)
    )
    if not sound:
        raise CredentialUnavailable("the exec plugin needs a command, texts for it, and apiVersion v1 or v1beta1")
    if section.get("interactiveMode") == "Always":
        raise CredentialUnavailable("the exec plugin wants a person at a terminal")
    return Plugin(
        api_version=section["apiVersion"],
        command=section["command"],
        arguments=tuple(arguments),
        environment={item["name"]: item["value"] for item in variables},
        directory=directory,
        cluster=cluster if section.get("provideClusterInfo") else None,
    )


async def run(plugin: Plugin, *, timeout: float = TIMEOUT) -> PluginCredential:  # noqa: ASYNC109 - it kills what it bounds
    """Run the command and read what it prints. Raises ``CredentialUnavailable``, which names the command only."""
    name = Path(plugin.command).name
    output = await _output(plugin, name, timeout)
    try:
        return _read(json.loads(output), plugin.api_version)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise CredentialUnavailable(f"exec plugin {name}: it prints no ExecCredential") from None


async def _output(plugin: Plugin, name: str, limit: float) -> bytes:
    command = Command(
        title=f"exec plugin {name}",
        program=plugin.command if "/" not in plugin.command else str(plugin.directory / plugin.command),
        arguments=plugin.arguments,
        environment={**plugin.environment, "KUBERNETES_EXEC_INFO": _request(plugin)},
        directory=plugin.directory,
    )
    return await output_of(command, limit)


def _request(plugin: Plugin) -> str:
    spec: dict[str, Any] = {"interactive": False}
    if plugin.cluster is not None:
        spec["cluster"] = dict(plugin.cluster)
    return json.dumps({"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}, default=str)


def _is_text(*values: object) -> bool:
    return all(isinstance(value, str) for value in values)


def _read(document: dict[str, Any], api_version: str) -> PluginCredential:
    if document["apiVersion"] != api_version or document["kind"] != "ExecCredential":
        raise ValueError("another version")
    status = document["status"]
    token, certificate, key = (status.get(name) for name in ("token", "clientCertificateData", "clientKeyData"))
    if not (token or certificate) or bool(certificate) != bool(key):
        raise ValueError("neither token nor certificate with its key")
    ends = status.get("expirationTimestamp")
    return PluginCredential(
        token=Secret(token.strip()) if token else None,
        certificate=certificate or None,
        key=Secret(key) if key else None,
        expires_at=unix_time(ends) if ends else None,
    )
