"""What a gateway needs of others and what it names: store, ports, keys, credentials, language models, targets."""

import asyncio
import errno
import os
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from gatehold.cli.checkup import Item, failed, ok, warning
from gatehold.config import Configuration, Target
from gatehold.config.credentials import CredentialSpec

_PATIENCE = 15.0
"""Seconds for everything that waits for somebody else."""
_SOON = timedelta(days=14)


def store(configuration: Configuration) -> Iterator[Item]:
    """Approvals and grants; nothing is made or changed."""
    from gatehold.store.errors import StoreError
    from gatehold.store.opening import probe

    try:
        state = probe(configuration.gateway.spec.store.url, configuration.data_dir)
    except StoreError as error:
        yield failed("store", str(error), "calls are refused without it: see spec.store")
        return
    said = {"new": "is made at the first start", "older": "is brought up to date at the next start"}
    yield ok("store", said.get(state, "can be used"))


def ports(configuration: Configuration) -> Iterator[Item]:
    """Whether every listener could listen."""
    spec = configuration.gateway.spec
    running = _runs(configuration)
    listeners = [(each.mode, each.host, each.port) for each in spec.listen]
    for mode, host, port in (*listeners, ("agent API", spec.agent_api.host, spec.agent_api.port)):
        check, where = f"port {port}", f"{mode} at {host}:{port}"
        reason = _objection(host, port)
        if reason == errno.EADDRINUSE and running:
            yield ok(check, f"{where}: served by the gateway that runs")
        elif reason == errno.EADDRINUSE:
            yield failed(check, f"{where}: taken by another program", "stop it, or name another port")
        elif reason:
            yield failed(check, f"{where}: {errno.errorcode.get(reason, 'cannot be used')}", "name another address")
        else:
            yield ok(check, f"{where}: free")


def _objection(host: str, port: int) -> int:
    """Why nobody can listen there now, as an ``errno``; 0: there is no reason."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return error.errno or errno.EADDRNOTAVAIL
    return 0


def _runs(configuration: Configuration) -> bool:
    """Whether a gateway holds the data directory."""
    from recordings.writer import is_in_use

    return is_in_use(configuration.data_dir)


def masking(configuration: Configuration) -> Iterator[Item]:
    """Which profiles are in use for which target, what they hide, and whether their models can be loaded."""
    from gatehold.cli.mask_table import operators_of
    from masking.engine import MaskingEngine
    from masking.errors import ModelUnavailable
    from masking.profiles import resolve

    profiles = resolve(configuration.profiles)
    used: dict[str, list[str]] = {}
    for target in configuration.targets:
        for name in configuration.engine.record_profiles(configuration.targets[target].name):
            used.setdefault(name, []).append(target)
    if not used:
        yield warning(
            "masking", "no rule and no target names a profile: nothing is hidden", "see mask: in docs/policy.md"
        )
    for name in sorted(used):
        entities = ", ".join(operators_of([profiles[name]]))
        yield ok(f"profile {name}", f"for {', '.join(sorted(used[name]))}: {entities}")
    for name, profile in sorted(profiles.items()):
        for spec in profile.ner:
            check = f"model of {name}"
            try:
                MaskingEngine({name: profile}).load_models()
            except ModelUnavailable as error:
                yield failed(check, error.reason, "the gateway does not start without it")
            else:
                yield ok(check, f"{spec.place}: {', '.join(spec.entities)}")


def credentials(configuration: Configuration) -> Iterator[Item]:
    """Whether every target's credential can be had now; it is, and is forgotten again."""
    yield from asyncio.run(_credentials(configuration))


def files(configuration: Configuration) -> Iterator[Item]:
    """Files that targets name for other uses than credentials."""
    named = {
        path
        for target in configuration.targets.values()
        for path in (target.spec.tls.ca if target.spec.tls else None, target.spec.openapi)
        if path is not None
    }
    for path in sorted(named):
        if not os.access(path, os.R_OK):
            yield failed("files", f"{path}: cannot be read", "put it there; paths are relative to the configuration")


async def _credentials(configuration: Configuration) -> list[Item]:
    from gatehold.credentials.broker import CredentialBroker
    from policy.errors import Refusal

    broker = CredentialBroker(configuration.targets, data_dir=configuration.data_dir)
    items: list[Item] = []
    try:
        for name, target in configuration.targets.items():
            check = f"credential {name}"
            if target.spec.credential is None:
                items.append(ok(check, "none is configured: the target is called without"))
                continue
            try:
                if broker.is_per_agent(target.name):
                    items.append(await _exchanged(check, target))
                    continue
                await asyncio.wait_for(broker.get(target.name), _PATIENCE)
            except Refusal as refusal:
                todo = "calls to this target are refused without it"
                said = (refusal.reason or "it cannot be had").removeprefix(f"credential of {name}: ")
                items.append(failed(check, said, todo))
            except TimeoutError:
                items.append(failed(check, f"did not come within {_PATIENCE:.0f} s", "see what it is fetched from"))
            else:
                items.append(ok(check, f"by {_way(target.spec.credential)}"))
    finally:
        await broker.close()
    return items


def _way(spec: CredentialSpec) -> str:
    form = sorted(spec.model_fields_set - {"value", "prefix", "source"}) or ["bearer"]
    return ", ".join(form) + (f" from {spec.source.kind}" if spec.source else "")


async def _exchanged(check: str, target: Target) -> Item:
    """Agents' tokens cannot be exchanged without one; whether anybody is there to do it can be asked."""
    from gatehold.config.values import CredentialUnavailable
    from gatehold.credentials.outbound import Outbound

    spec = target.spec.credential.source.exchange if target.spec.credential and target.spec.credential.source else None
    if spec is None:
        return failed(check, "every agent has its own, by nothing that is known", "see spec.credential.from")
    try:
        _ = spec.client_secret and spec.client_secret.resolve()
        answer = await Outbound(spec.ca, timeout=_PATIENCE).get(spec.token_url)
    except CredentialUnavailable as error:
        return failed(check, str(error), "calls to this target are refused without it")
    return ok(check, f"every agent has its own, by exchange at {answer.host}, which answers")


def issuers(configuration: Configuration) -> Iterator[Item]:
    """Whether the keys of every issuer can be had."""
    spec = configuration.gateway.spec.identity
    if not spec.issuers:
        yield failed("issuers", "there is none: every call is refused", "name one in spec.identity.issuers")
        return
    problems = asyncio.run(_key_problems(configuration))
    for issuer in spec.issuers:
        problem = next((each for each in problems if each.startswith(f"issuer {issuer.name}: ")), None)
        check = f"issuer {issuer.name}"
        if problem:
            said = problem.removeprefix(f"{check}: ")
            yield failed(check, said, "its agents cannot be told from strangers: see spec.identity.issuers")
        else:
            yield ok(check, f"{issuer.issuer}: keys can be had")


def saml(configuration: Configuration) -> Iterator[Item]:
    """Whether the certificates of every SAML provider can be used, and until when."""
    from gatehold.identity.exchange.signature import certificates

    for provider in configuration.gateway.spec.identity.saml:
        check, todo = f"saml {provider.name}", "its assertions are refused: see spec.identity.saml"
        try:
            found = certificates(provider.certificate.read_bytes())
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else error
            yield failed(check, f"{provider.certificate}: {told}", todo)
            continue
        now = datetime.now(UTC)
        ends = max((each.not_valid_after_utc for each in found if each.not_valid_before_utc <= now), default=now)
        if ends <= now:
            yield failed(check, f"{provider.certificate}: no certificate counts now", todo)
        elif ends <= now + _SOON:
            yield warning(check, f"the last certificate ends at {ends:%Y-%m-%d}", "ask the provider for the next one")
        else:
            yield ok(check, f"{provider.entity_id}: certificates count until {ends:%Y-%m-%d}")


async def _key_problems(configuration: Configuration) -> tuple[str, ...]:
    from gatehold.credentials.broker import CredentialBroker
    from gatehold.identity.verifier import TokenVerifier
    from gatehold.lookups.client import OwnCalls
    from gatehold.lookups.clusters import ClusterCalls

    spec = configuration.gateway.spec
    broker = CredentialBroker(configuration.targets, data_dir=configuration.data_dir)
    own_calls = OwnCalls(broker, {each.port for each in spec.listen}, max_answer=spec.limits.max_request_body)
    async with asyncio.timeout(_PATIENCE * 2):
        verifier = TokenVerifier(spec.identity.issuers, clusters=ClusterCalls(own_calls, configuration.targets))
        try:
            await verifier.fetch_keys()
            return verifier.problems
        finally:
            await verifier.close()
            await own_calls.close()
            await broker.close()


def targets(configuration: Configuration) -> Iterator[Item]:
    """Whether every target can be reached and shows a certificate that is trusted; no request is made."""
    yield from asyncio.run(_targets(configuration))


async def _targets(configuration: Configuration) -> list[Item]:
    return [await _reached(configuration, target) for target in configuration.targets.values()]


async def _reached(configuration: Configuration, target: Target) -> Item:
    from gatehold.dialling import dialable
    from gatehold.registry import split

    check = f"target {target.name}"
    host, port = split(target.spec.hosts[0])
    own = {each.port for each in configuration.gateway.spec.listen}
    try:
        async with asyncio.timeout(_PATIENCE):
            [address, *_] = await dialable(target, host, port, own)
            secure = target.spec.scheme == "https"
            _, writer = await asyncio.open_connection(
                *address, ssl=_trust(target) if secure else None, server_hostname=host if secure else None
            )
            writer.close()
    except ssl.SSLCertVerificationError as error:
        return failed(check, f"{host}: its certificate is not trusted ({error.verify_message})", "see spec.tls.ca")
    except ssl.SSLError as error:
        return failed(check, f"{host}: TLS fails ({error.reason})", "see spec.scheme and spec.connect")
    except TimeoutError:
        return failed(check, f"{host}:{port} did not answer within {_PATIENCE:.0f} s", "see networks and firewalls")
    except OSError as error:
        return failed(check, str(error.strerror or error), "see spec.hosts, spec.connect and spec.allowPrivate")
    return ok(check, f"{host}:{port}: reached{', TLS verified' if secure else ''}")


def _trust(target: Target) -> ssl.SSLContext:
    import certifi

    paths = ssl.get_default_verify_paths()
    fallback = None if paths.cafile or paths.capath else certifi.where()
    return ssl.create_default_context(cafile=(target.spec.tls.ca if target.spec.tls else None) or fallback)
