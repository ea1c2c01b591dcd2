"""What a configuration names outside of itself: credentials in the environment and in files, keys, certificates.

Loading does not look for them, since a machine that checks a configuration need not hold its secrets.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from gatehold.config.credential_sources import FromSpec
from gatehold.config.credentials import CredentialSpec
from gatehold.config.gateway import GatewaySpec
from gatehold.config.model import Configuration, Target
from gatehold.config.values import CredentialUnavailable, Secret, SecretRef
from policy.model import Problem


def missing(configuration: Configuration) -> tuple[Problem, ...]:
    """Everything that is named and cannot be had here, at the line of the target or gateway that names it."""
    gateway = configuration.gateway
    problems = [Problem(file=gateway.file, line=gateway.line, message=message) for message in _identity(gateway.spec)]
    problems += [
        Problem(file=gateway.file, line=gateway.line, message=message)
        for message in (*_login(gateway.spec), *_channels(gateway.spec), *_kept(gateway.spec))
    ]
    for target in configuration.targets.values():
        problems += [Problem(file=target.file, line=target.line, message=message) for message in _target(target)]
    for name, profile in configuration.profiles.items():
        if profile.ner is not None and not profile.ner.place.exists():
            message = f"mask profile {name}: {profile.ner.place}: no language model is there; nothing is downloaded"
            problems.append(Problem(file=gateway.file, line=gateway.line, message=message))
    return tuple(problems)


def _identity(spec: GatewaySpec) -> Iterator[str]:
    for issuer in spec.identity.issuers:
        yield from _unreadable(issuer.jwks.file)
        yield from _unreadable(issuer.jwks.ca)
    for provider in spec.identity.saml:
        yield from _unreadable(provider.certificate)


def _login(spec: GatewaySpec) -> Iterator[str]:
    oidc = spec.console.login.oidc
    if oidc is None:
        return
    yield from _unreadable(oidc.ca)
    try:
        _ = oidc.client_secret and oidc.client_secret.resolve()
    except CredentialUnavailable as error:
        yield f"console.login.oidc: {error}"


def _channels(spec: GatewaySpec) -> Iterator[str]:
    for channel in spec.notify:
        yield from _unreadable(channel.webhook.ca if channel.webhook else None)
        for reference in channel.secrets:
            try:
                reference.resolve()
            except CredentialUnavailable as error:
                yield f"notify {channel.name}: {error}"


def _kept(spec: GatewaySpec) -> Iterator[str]:
    """Of recordings and audit events that go elsewhere."""
    store = spec.recordings.object_store
    yield from _unreadable(store.ca)
    for sink in spec.audit.sinks:
        yield from _unreadable((sink.webhook.ca if sink.webhook else None) or (sink.syslog.ca if sink.syslog else None))
    for reference in (store.access_key_id, store.secret_access_key, *spec.audit.secrets):
        try:
            _ = reference and reference.resolve()
        except CredentialUnavailable as error:
            yield f"recordings or audit: {error}"


def _target(target: Target) -> Iterator[str]:
    spec = target.spec
    yield from _unreadable(spec.tls.ca if spec.tls else None)
    yield from _unreadable(spec.openapi)
    if spec.credential is None:
        return
    if spec.credential.kubernetes is not None:
        yield from _unreadable(spec.credential.kubernetes.kubeconfig)
        yield from _unreadable(spec.credential.kubernetes.token_file)
    if spec.credential.client_certificate is not None:
        yield from _unreadable(spec.credential.client_certificate.certificate)
        yield from _unreadable(spec.credential.client_certificate.key)
    if spec.credential.source is not None:
        yield from _source(target.name, spec.credential.source)
    for reference in _references(spec.credential):
        try:
            reference.resolve(fields={name: Secret("known later") for name in reference.fields})
        except CredentialUnavailable as error:
            yield f"target {target.name}: {error}"


def _source(target: str, source: FromSpec) -> Iterator[str]:
    for path in source.files:
        yield from _unreadable(path)
    if source.exec is not None and shutil.which(source.exec.command) is None:
        yield f"target {target}: {source.exec.command}: there is no such command"


def _references(spec: CredentialSpec) -> Iterator[SecretRef]:
    yield from spec.templates
    if spec.source is not None:
        yield from spec.source.templates


def _unreadable(path: Path | None) -> Iterator[str]:
    if path is None:
        return
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        yield f"{path}: {error.strerror}"
