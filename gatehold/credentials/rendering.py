"""From fields to a form: what a target's credential is made of, and how it enters a call.

Templates are resolved here and nowhere else; environment and files are read when they are, a source's fields are given.
Everything that a template gets from outside the configuration is a secret of its own, next to the whole value: a target
may give back either.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from gatehold.config.credentials import AwsSpec, BasicSpec, CredentialSpec
from gatehold.config.values import CredentialUnavailable, Secret, SecretRef
from gatehold.credentials import certificates, sigv4
from gatehold.credentials.injection import (
    MAX_VALUE,
    Bound,
    Injection,
    basic_header,
    bearer_header,
    checked_cookie,
    checked_header,
)

TOKEN = "token"  # noqa: S105 - the name of a field
"""The field that is a bearer token where a source stands alone."""


def render(
    spec: CredentialSpec, fields: Mapping[str, Secret], *, bound: Bound, owner: str = "", keys: Path | None = None
) -> Injection:
    """The credential as it enters a call; whoever has ``fields`` knows when it ends, but for a certificate.

    ``owner`` is the target's name; the file that a client certificate is used from is kept under ``keys``. Raises
    ``CredentialUnavailable``, whose text names variables, files, fields and headers, never a value.
    """
    injection = _form(spec, fields, bound)
    if spec.client_certificate is None:
        return injection
    if keys is None or not owner:
        raise CredentialUnavailable("there is no place for a client certificate")
    file, ends = certificates.store_pair(keys, owner, spec.client_certificate)
    return replace(injection, client_certificate=file, expires_at=ends)


def files(spec: CredentialSpec) -> tuple[Path, ...]:
    """The files that ``render`` reads: another one there makes another credential."""
    templates = (reference for template in spec.templates for reference in template.references)
    paths = [Path(reference.name) for reference in templates if reference.kind == "file"]
    if spec.client_certificate is not None:
        paths += [spec.client_certificate.certificate, spec.client_certificate.key]
    return tuple(dict.fromkeys(paths))


def _form(spec: CredentialSpec, fields: Mapping[str, Secret], bound: Bound) -> Injection:
    if spec.basic is not None:
        return _basic(spec.basic, fields, bound)
    if spec.aws is not None:
        return _aws(spec.aws, fields, bound)
    if spec.kubernetes is not None:
        raise CredentialUnavailable("a cluster's credential has no form of its own")
    if spec.value is not None:
        return _named(spec, *_resolved(spec.value, fields), bound)
    if spec.bearer is not None:
        token, secrets = _resolved(spec.bearer, fields)
        return Injection(bound=bound, headers=(bearer_header(token),), secrets=secrets)
    if spec.source is not None:
        return _bare_token(fields, bound)
    return Injection(bound=bound)


def _named(spec: CredentialSpec, value: Secret, secrets: tuple[Secret, ...], bound: Bound) -> Injection:
    """A value under a name that the configuration gives."""
    if spec.header is not None:
        header = checked_header(spec.header, spec.prefix + value.reveal())
        return Injection(bound=bound, headers=(header,), secrets=secrets)
    if spec.cookie is not None:
        return Injection(bound=bound, cookies=(checked_cookie(spec.cookie, value),), secrets=secrets)
    if spec.query is not None:
        return Injection(bound=bound, query=((spec.query, value),), secrets=secrets)
    raise CredentialUnavailable("it is not said where the value stands in a call")


def _bare_token(fields: Mapping[str, Secret], bound: Bound) -> Injection:
    token = fields.get(TOKEN)
    if token is None:
        raise CredentialUnavailable(f"the source gives no field {TOKEN!r}; write ${{from:FIELD}} where one belongs")
    return Injection(bound=bound, headers=(bearer_header(token),), secrets=(token,))


def _basic(spec: BasicSpec, fields: Mapping[str, Secret], bound: Bound) -> Injection:
    """A user name in the configuration is no secret; one that comes from elsewhere may be the key itself."""
    username, named = _resolved(spec.username, fields)
    password, secrets = _resolved(spec.password, fields)
    header = basic_header(username.reveal(), password)
    pair = Secret(header[1].reveal().removeprefix("Basic "))
    secrets = (*secrets, pair, *(named if spec.username.references else ()))
    return Injection(bound=bound, headers=(header,), secrets=secrets)


def _aws(spec: AwsSpec, fields: Mapping[str, Secret], bound: Bound) -> Injection:
    key_id, ids = _resolved(spec.access_key_id, fields)
    key, secrets = _resolved(spec.secret_access_key, fields)
    token, tokens = (None, ()) if spec.session_token is None else _resolved(spec.session_token, fields)
    keys = sigv4.Keys(key_id=key_id, key=key, session_token=token)
    signer = sigv4.signer(keys, service=spec.service, region=spec.region)
    return Injection(bound=bound, signer=signer, secrets=(*secrets, *tokens, *ids))


def _resolved(template: SecretRef, fields: Mapping[str, Secret]) -> tuple[Secret, tuple[Secret, ...]]:
    """The value, and all of it that must not come back: itself, and what came from outside."""
    parts = [
        (part, False) if isinstance(part, str) else (part.read(os.environ, fields), True) for part in template.parts
    ]
    if sum(len(text) for text, _ in parts) > MAX_VALUE:
        raise CredentialUnavailable(f"a value of more than {MAX_VALUE} characters cannot be sent")
    value = Secret("".join(text for text, _ in parts))
    return value, tuple(dict.fromkeys((value, *(Secret(text) for text, outside in parts if outside))))
